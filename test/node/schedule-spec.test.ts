// Schedules as data: every factory's schedule goes through JSON and comes back with the same values to the last bit; what
// holds a function has no description; and specs that cannot be are refused.

import { describe, expect, test } from "vitest";
import * as gradus from "../../src/index.ts";
import {
  type Clock,
  chain,
  constant,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  cyclicMomentum,
  describeSchedule,
  exponentialLR,
  lambdaLR,
  linearLR,
  local,
  multiplicativeLR,
  multiStepLR,
  oneCycle,
  oneCycleMomentum,
  perEpoch,
  polynomialLR,
  type Schedule,
  type ScheduleSpec,
  scheduleFrom,
  sequence,
  slantedTriangular,
  stepLR,
  warmupCosine,
  warmupInverseSqrt,
  warmupLinear,
  wsd,
} from "../../src/index.ts";

const third = 1 / 3;
const schedules: readonly Schedule[] = [
  constant(),
  constantLR(),
  constantLR({ steps: Number.POSITIVE_INFINITY, factor: 0.1 + 0.2 }),
  linearLR(),
  linearLR({ epochs: 3, startFactor: 0, endFactor: 0.7 }),
  polynomialLR({ steps: 30, power: 1.7 }),
  exponentialLR({ gamma: 0.97 }),
  stepLR({ epochs: third, gamma: 0.3 }),
  multiStepLR({ milestones: [5, 5, 20], gamma: third }),
  cosineAnnealingLR({ steps: 17, etaMin: 0.01 }),
  cosineAnnealingWarmRestarts({ steps: 5, tMult: 2 }),
  cyclicLR({ floor: 0.1, up: 3, down: 8, mode: "expRange", gamma: 0.98 }),
  cyclicMomentum(),
  cyclicMomentum({ up: 7, mode: "triangular2", baseMomentum: 0.7 }),
  oneCycle({ epochs: 5, anneal: "linear", threePhase: true }),
  oneCycleMomentum({ steps: 50, maxMomentum: 0.99 }),
  slantedTriangular({ steps: 40 }),
  warmupCosine({ warmup: 3, steps: 40, floor: 0.1 }),
  warmupLinear({ warmup: 3, epochs: 4 }),
  warmupInverseSqrt({ warmup: 10 }),
  wsd({ warmup: 5, epochs: 5 }),
  local(warmupCosine({ warmup: 3, steps: 40 })),
  perEpoch(multiStepLR({ milestones: [1, 3] })),
  chain([linearLR({ steps: 9 }), cosineAnnealingLR({ epochs: 2 })]),
  sequence([linearLR(), local(sequence([constant(), chain([perEpoch(stepLR({ steps: 2 }))])], [3]))], [5]),
  sequence([constantLR({ steps: Number.POSITIVE_INFINITY }), oneCycle({ steps: 20 })], [5]),
];

const clocks: Clock[] = Array.from({ length: 80 }, (_, step) => ({
  step,
  updates: (step * 7) % 53,
  stepsPerEpoch: 10,
}));
const bits = (schedule: Schedule): number[] => clocks.map(schedule);
const throughJson = (schedule: Schedule): ScheduleSpec => JSON.parse(JSON.stringify(describeSchedule(schedule)));

/** Factories that are given a function, which is no data. */
const functionsOnly = ["lambdaLR", "multiplicativeLR"];

test("every factory is here, and none that holds a function is", () => {
  const made = new Set(schedules.map((schedule) => describeSchedule(schedule)?.name));
  const factories = Object.keys(gradus).filter((name) =>
    /(LR|Restarts|Momentum)$|^(constant|oneCycle|slantedTriangular|warmup.*|wsd|local|perEpoch|chain|sequence)$/.test(
      name,
    ),
  );
  expect(factories.length).toBeGreaterThan(20);
  expect([...made].sort()).toEqual(factories.filter((name) => !functionsOnly.includes(name)).sort());
});

describe("there and back", () => {
  test.each(schedules.map((schedule) => [JSON.stringify(describeSchedule(schedule)), schedule] as const))(
    "%s",
    (text, schedule) => {
      const again = scheduleFrom(throughJson(schedule));
      expect(bits(again)).toEqual(bits(schedule));
      expect(JSON.stringify(describeSchedule(again))).toBe(text);
    },
  );

  test("a spec reads as it was written", () => {
    expect(describeSchedule(constant())).toEqual({ name: "constant", options: {} });
    expect(describeSchedule(sequence([oneCycle({ epochs: 3 }), local(linearLR())], [20]))).toEqual({
      name: "sequence",
      options: {
        schedules: [
          { name: "oneCycle", options: { epochs: 3 } },
          { name: "local", options: { schedule: { name: "linearLR", options: {} } } },
        ],
        milestones: [20],
      },
    });
    expect(describeSchedule(constantLR({ steps: Number.POSITIVE_INFINITY }))?.options).toEqual({ steps: "Infinity" });
  });

  test("a spec without options takes the defaults", () => {
    expect(bits(scheduleFrom({ name: "linearLR" } as ScheduleSpec))).toEqual(bits(linearLR()));
  });

  test("who changes a spec or the options changes no description", () => {
    const milestones = [5];
    const schedule = multiStepLR({ milestones });
    milestones.push(6);
    (describeSchedule(schedule) as { name: string }).name = "gone";
    expect(describeSchedule(schedule)).toEqual({ name: "multiStepLR", options: { milestones: [5] } });
  });
});

test("a function has no description, nor has anything that contains one", () => {
  const own: Schedule = ({ step }) => 1 / (1 + step);
  const nameless = [
    own,
    lambdaLR((step) => 0.9 ** step),
    multiplicativeLR(() => 0.9),
    local(own),
    perEpoch(lambdaLR(() => 1)),
    chain([constant(), own]),
    sequence([constant(), local(multiplicativeLR(() => 1))], [5]),
  ];
  expect(nameless.map(describeSchedule)).toEqual(nameless.map(() => undefined));
  expect(describeSchedule(undefined as never)).toBeUndefined();
});

test("a spec that cannot be is refused, in words", () => {
  const texts = [
    { name: "onecycle", options: { steps: 10 } },
    { name: "lambdaLR", options: {} },
    { name: "toString", options: {} },
    { options: {} },
    null,
    "oneCycle",
    { name: "oneCycle", options: { steps: 0 } },
    { name: "oneCycle", options: { epochs: "10" } },
    { name: "exponentialLR", options: { gamma: null } },
    { name: "stepLR" },
    { name: "multiStepLR", options: {} },
    { name: "cyclicLR", options: { floor: 0.1, mode: "exp_range" } },
    { name: "local", options: {} },
    { name: "local", options: { schedule: { name: "linear" } } },
    { name: "chain", options: { schedules: 5 } },
    { name: "sequence", options: { schedules: [{ name: "constant" }, 0.5], milestones: [5] } },
    { name: "sequence", options: { schedules: [{ name: "constant" }] } },
    { name: "sequence", options: { schedules: [{ name: "constant" }], milestones: [5] } },
  ].map((spec) => {
    try {
      return scheduleFrom(spec as ScheduleSpec);
    } catch (error) {
      return String(error).replace(/There are .*/, "There are ...");
    }
  });
  expect(texts).toMatchInlineSnapshot(`
    [
      "OptionError: scheduleFrom: no schedule is called "onecycle". Did you mean "oneCycle"? There are ...",
      "OptionError: scheduleFrom: no schedule is called "lambdaLR". There are ...",
      "OptionError: scheduleFrom: no schedule is called "toString". There are ...",
      "OptionError: scheduleFrom: no schedule is called "undefined". There are ...",
      "OptionError: scheduleFrom: its options are null, they must be an object. Write scheduleFrom({ name: "oneCycle", options: { epochs: 10 } }).",
      "OptionError: scheduleFrom: its options are "oneCycle", they must be an object. Write scheduleFrom({ name: "oneCycle", options: { epochs: 10 } }).",
      "OptionError: oneCycle: steps is 0 and epochs is undefined. Give exactly one of them, greater than 0.",
      "OptionError: oneCycle: steps is undefined and epochs is "10". Give exactly one of them, greater than 0.",
      "OptionError: exponentialLR: gamma is null, it must be at least 0.",
      "OptionError: stepLR: steps is undefined and epochs is undefined. Give exactly one of them, greater than 0.",
      "OptionError: multiStepLR: milestones is undefined, it must be a list.",
      "OptionError: cyclicLR: mode is "exp_range", it must be "triangular" or "triangular2" or "expRange". Did you mean "expRange"?",
      "OptionError: local: the schedule is undefined, it must be a function.",
      "OptionError: scheduleFrom: no schedule is called "linear". Did you mean "linearLR"? There are ...",
      "OptionError: chain: the first argument is 5, it must be a list.",
      "OptionError: sequence: schedule 1 is 0.5, it must be a function.",
      "OptionError: sequence: milestones is undefined, it must be a list.",
      "OptionError: sequence: 1 schedules have 1 milestones. Give one milestone fewer than schedules.",
    ]
  `);
  expect(() => scheduleFrom({ name: "x", options: {} })).toThrow(/There are chain, constant, .*, warmupLinear, wsd\.$/);
});
