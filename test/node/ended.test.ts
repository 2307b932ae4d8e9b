// When a schedule has run out and when it has not: every preset's shape, in runs that begin anywhere, against a look at each step.

import { describe, expect, test } from "vitest";
import {
  chain,
  constant,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  dense,
  exponentialLR,
  freezeOut,
  gradualUnfreezing,
  linearLR,
  local,
  multiStepLR,
  oneCycle,
  perEpoch,
  polynomialLR,
  type Rates,
  relu,
  type Schedule,
  sequence,
  sequential,
  sgd,
  slantedTriangular,
  stepLR,
  warmupCosine,
  warmupInverseSqrt,
  warmupLinear,
  wsd,
} from "../../src/index.ts";
import { endedRates } from "../../src/optim/ended.ts";
import { createRateTable } from "../../src/optim/rates.ts";
import { programOf } from "./program.ts";

const { layout, depths } = programOf(
  sequential({ stem: [dense(4), relu()], body: [dense(4), relu()], head: dense(2) }),
);
const tableOf = (schedule: Schedule | undefined, rates: Rates = []) =>
  createRateTable(layout.tensors, depths, sgd({ lr: 1e-3 }), { schedule, rates });

function look(schedule: Schedule | undefined, step: number, until?: number, rates?: Rates, among?: string[]) {
  const { rows } = tableOf(schedule, rates);
  const clock = { step, stepsPerEpoch: 10 };
  return endedRates(rows, { place: "fit", clock, trained: rows.map(() => step), until, among });
}

describe("a schedule that has run out is told", () => {
  test("with both numbers, and what to do", () => {
    expect(look(oneCycle({ steps: 300 }), 300, 600)).toMatchInlineSnapshot(`
      {
        "layers": [
          "stem.0",
          "body.0",
          "head",
        ],
        "message": "fit: the rate of stem.0, body.0, head stays at 4e-9 of 0.001 to the end, step 600: its schedule, oneCycle, ended at step 300. Give it another: rates.set("**", { schedule: constant() }).",
      }
    `);
    expect(look(oneCycle({ epochs: 30 }), 400, undefined, [], ["head.weight", "head.bias"])).toMatchInlineSnapshot(`
      {
        "layers": [
          "head",
        ],
        "message": "fit: the rate of head stays at 4e-9 of 0.001 in the next 100 steps: its schedule, oneCycle, ended at step 300. Give it another: rates.set("head", { schedule: constant() }).",
      }
    `);
    expect(look(() => 1e-9, 5)?.message).toMatchInlineSnapshot(
      `"fit: the rate of stem.0, body.0, head stays at 1e-12 of 0.001 in the next 100 steps: its schedule, a function, has run down. Give it another: rates.set("**", { schedule: constant() })."`,
    );
  });

  test.each<[what: string, schedule: Schedule]>([
    ["oneCycle", oneCycle({ steps: 300 })],
    ["oneCycle by epochs", oneCycle({ epochs: 30 })],
    ["warmupCosine", warmupCosine({ warmup: 10, steps: 300 })],
    ["warmupLinear", warmupLinear({ warmup: 10, steps: 300 })],
    ["wsd", wsd({ warmup: 10, steps: 300 })],
    ["polynomialLR", polynomialLR({ steps: 300 })],
    ["exponentialLR", exponentialLR({ gamma: 0.9 })],
    ["stepLR", stepLR({ steps: 50 })],
    ["multiStepLR", multiStepLR({ milestones: [10, 20, 30, 40, 50] })],
    ["linearLR", linearLR({ startFactor: 1, endFactor: 0, steps: 300 })],
    ["a shrinking cycle", cyclicLR({ floor: 0, up: 10, mode: "expRange", gamma: 0.9 })],
    ["a sequence", sequence([constant(), oneCycle({ steps: 200 })], [100])],
    ["a product", chain([warmupLinear({ warmup: 10, steps: 300 }), constantLR()])],
    ["a layer's own clock", local(oneCycle({ steps: 300 }))],
    ["epochs as steps", perEpoch(stepLR({ steps: 5 }))],
  ])("%s", (_, schedule) => {
    expect(look(schedule, 400)?.layers).toEqual(["stem.0", "body.0", "head"]);
    expect(look(schedule, 400, 1_000_000)?.layers).toEqual(["stem.0", "body.0", "head"]);
    expect(look(schedule, 0, 400)).toBeUndefined();
  });
});

describe("no cause for it", () => {
  test("a run that ends where its schedule does", () => {
    for (const step of [0, 100, 290]) expect(look(warmupCosine({ warmup: 10, steps: 300 }), step, 300)).toBeUndefined();
  });

  test("a warm-up from 0, though the run is too short for it", () => {
    expect(look(warmupCosine({ warmup: 1e7, steps: 2e7 }), 0, 50)).toBeUndefined();
    expect(look(warmupCosine({ warmup: 10, steps: 100 }), 0)).toBeUndefined();
  });

  test("a rate of 0 on purpose, or what is frozen for good", () => {
    expect(look(oneCycle({ steps: 300 }), 400, 500, { "**": 0 })).toBeUndefined();
    expect(look(oneCycle({ steps: 300 }), 400, 500, { "**": { multiplier: 0 } })).toBeUndefined();
    expect(look(constant(), 400, 500, { stem: { schedule: () => 0, frozen: true } })).toBeUndefined();
    expect(look(undefined, 400, 500, freezeOut({ steps: 450 }))).toBeUndefined();
  });

  test("one layer that learns, unless others are asked about", () => {
    const rates: Rates = { head: { schedule: constant() } };
    expect(look(oneCycle({ steps: 300 }), 400, 500, rates)).toBeUndefined();
    expect(look(oneCycle({ steps: 300 }), 400, 500, rates, ["head.bias"])).toBeUndefined();
    expect(look(oneCycle({ steps: 300 }), 400, 500, rates, ["stem.0.bias"])?.layers).toEqual(["stem.0"]);
  });

  test("layers that join in time, by their own clock", () => {
    const rates: Rates = { "**": { from: 450, schedule: local(oneCycle({ steps: 20 })) } };
    expect(look(undefined, 400, 500, rates)).toBeUndefined();
    expect(look(undefined, 400, 440, rates)).toBeUndefined();
    expect(look(undefined, 460, 500, rates)?.layers).toHaveLength(3);
    expect(look(undefined, 0, 10, gradualUnfreezing({ every: 5 }))).toBeUndefined();
  });

  test("a schedule that cannot be asked: the step will tell", () => {
    expect(look(() => Number.NaN, 0)).toBeUndefined();
    expect(look(() => -1, 0)).toBeUndefined();
    const { rows } = tableOf(oneCycle({ epochs: 3 }));
    const clock = { step: 400, stepsPerEpoch: undefined };
    expect(endedRates(rows, { place: "fit", clock, trained: [] })).toBeUndefined();
    const broken = () => {
      throw new Error("mine");
    };
    expect(look(broken, 0)).toBeUndefined();
  });
});

test("presets' shapes in runs of any length: never an alarm where a step has a rate, always one where none has", () => {
  const shapes: readonly ((length: number) => Schedule)[] = [
    (steps) => oneCycle({ steps }),
    (steps) => oneCycle({ steps, threePhase: true, anneal: "linear" }),
    (steps) => warmupCosine({ warmup: Math.floor(steps / 10), steps }),
    (steps) => warmupLinear({ warmup: Math.floor(steps / 10), steps, floor: 1e-6 }),
    (steps) => wsd({ warmup: Math.floor(steps / 10), steps }),
    (steps) => slantedTriangular({ steps }),
    (steps) => cosineAnnealingLR({ steps }),
    (steps) => cosineAnnealingWarmRestarts({ steps, tMult: 2 }),
    (steps) => cosineAnnealingWarmRestarts({ steps }),
    (steps) => cyclicLR({ floor: 0, up: steps }),
    (steps) => cyclicLR({ floor: 0, up: steps, mode: "triangular2" }),
    (steps) => exponentialLR({ gamma: 0.9, steps }),
    (steps) => warmupInverseSqrt({ warmup: steps }),
  ];
  let alarms = 0;
  for (const shape of shapes) {
    for (const length of [7, 50, 256, 1000, 5000]) {
      const schedule = shape(length);
      for (const from of [0, 1, length - 1, length, length + 1, 3 * length, 20 * length]) {
        for (const span of [2, 100, 300, 9000]) {
          let peak = 0;
          for (let step = from; step < from + span; step++)
            peak = Math.max(peak, schedule({ step, updates: step, stepsPerEpoch: 10 }));
          const first = schedule({ step: from, updates: from, stepsPerEpoch: 10 });
          const second = schedule({ step: from + 1, updates: from + 1, stepsPerEpoch: 10 });
          const found = look(schedule, from, from + span);
          const about = `${schedule.name} ${length} from ${from} for ${span}: ${peak}`;
          if (peak > 1e-4) expect(found, about).toBeUndefined();
          else if (second <= first) expect(found, about).toBeDefined();
          alarms += found === undefined ? 0 : 1;
        }
      }
    }
  }
  expect(alarms).toBeGreaterThan(100);
});

test("looks at 500 steps of a schedule at most, however long the run and however many its tensors", () => {
  const asked: number[] = [];
  const awakeAt =
    (when: number): Schedule =>
    ({ step }) => {
      asked.push(step);
      return step === when ? 1 : 0;
    };
  expect(look(awakeAt(-1), 0, 1e9)).toBeDefined();
  expect(asked.length).toBeLessThan(500);
  expect(asked).toEqual([...new Set(asked)].sort((a, b) => a - b));
  expect([asked[0], asked.at(-1)]).toEqual([0, 1e9 - 1]);
  asked.length = 0;
  expect(look(awakeAt(3), 0, 1e9)).toBeUndefined();
  expect(asked).toEqual([0, 1, 2, 3]);
});
