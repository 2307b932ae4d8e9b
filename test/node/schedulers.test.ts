// Every scheduler of PyTorch that is a function of time, and the ones that PyTorch does not have, against golden
// trajectories (test/golden/schedulers.json) of two groups with different rates; units, composition, refusals.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dense, sequential, sgd } from "../../src/index.ts";
import {
  chain,
  constant,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  exponentialLR,
  lambdaLR,
  linearLR,
  local,
  multiplicativeLR,
  multiStepLR,
  oneCycle,
  perEpoch,
  polynomialLR,
  preview,
  type Schedule,
  type Span,
  sequence,
  slantedTriangular,
  stepLR,
  warmupCosine,
  warmupInverseSqrt,
  warmupLinear,
  wsd,
} from "../../src/optim/schedule.ts";
import { createCountedTable } from "../reference/counted-table.ts";
import { programOf } from "./program.ts";

/** Settings under PyTorch's names, as the golden file has them. */
// biome-ignore lint/suspicious/noExplicitAny: each scheduler has settings of its own, and JSON has no types.
type Settings = any;

interface Case {
  readonly scheduler: string;
  readonly args: Settings;
  readonly bases: readonly number[];
  readonly lrs: readonly (readonly number[])[];
}

const golden = (JSON.parse(readFileSync("test/golden/schedulers.json", "utf8")) as { schedulers: Case[] }).schedulers;

const functions: Readonly<Record<string, (t: number) => number>> = {
  "0.95^t": (t) => 0.95 ** t,
  "1/(1+t)": (t) => 1 / (1 + t),
  "0.9+0.1/t": (t) => 0.9 + 0.1 / t,
};

/** An option only where PyTorch's setting is given, so that the defaults are held against PyTorch's as well. */
const given = (options: Readonly<Record<string, unknown>>): Settings =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

const part = (rate: number | undefined, base: number) => (rate === undefined ? undefined : rate / base);

const ours: Readonly<Record<string, (args: Settings, base: number, group: number) => Schedule>> = {
  LambdaLR: (a) => lambdaLR(functions[a.lr_lambda] as (t: number) => number),
  MultiplicativeLR: (a) => multiplicativeLR(functions[a.lr_lambda] as (t: number) => number),
  StepLR: (a) => stepLR(given({ steps: a.step_size, gamma: a.gamma })),
  MultiStepLR: (a) => multiStepLR(a),
  ConstantLR: (a) => constantLR(given({ steps: a.total_iters, factor: a.factor })),
  LinearLR: (a) => linearLR(given({ steps: a.total_iters, startFactor: a.start_factor, endFactor: a.end_factor })),
  ExponentialLR: (a) => exponentialLR(a),
  PolynomialLR: (a) => polynomialLR(given({ steps: a.total_iters, power: a.power })),
  CosineAnnealingLR: (a, base) => cosineAnnealingLR(given({ steps: a.T_max, etaMin: part(a.eta_min, base) })),
  CosineAnnealingWarmRestarts: (a, base) =>
    cosineAnnealingWarmRestarts(given({ steps: a.T_0, tMult: a.T_mult, etaMin: part(a.eta_min, base) })),
  CyclicLR: (a, base, group) =>
    cyclicLR(
      given({
        floor: a.base_lr[group] / base,
        up: a.step_size_up,
        down: a.step_size_down,
        mode: a.mode?.replace("exp_range", "expRange"),
        gamma: a.gamma,
      }),
    ),
  OneCycleLR: (a) =>
    oneCycle(given({ steps: a.total_steps, threePhase: a.three_phase, anneal: a.anneal_strategy?.toString() })),
  SequentialLR: (a, base, group) => sequence(children(a, base, group), a.milestones),
  ChainedScheduler: (a, base, group) => chain(children(a, base, group)),
  warmup_linear: (a) => warmupLinear({ warmup: a.warmup, steps: a.total, floor: a.floor }),
  warmup_inverse_sqrt: (a) => warmupInverseSqrt(a),
  wsd: ({ warmup, stable, decay, floor }) => {
    const steps = warmup + stable + decay;
    return wsd({ warmup, steps, decay: decay / steps, floor });
  },
  slanted_triangular: (a) => slantedTriangular({ steps: a.total, cutFrac: a.cut_frac, ratio: a.ratio }),
};

const children = ({ schedulers }: Settings, base: number, group: number): Schedule[] =>
  schedulers.map(([name, args]: [string, Settings]) => ours[name]?.(args, base, group));

const groups = golden.flatMap(({ scheduler, args, bases, lrs }) =>
  bases.map((base, group) => ({
    title: `${scheduler} ${JSON.stringify(args)} at ${base}`,
    base,
    lrs: lrs[group] as readonly number[],
    schedule: (ours[scheduler] as (typeof ours)[string])(args, base, group),
  })),
);

const at = (schedule: Schedule, step: number, stepsPerEpoch?: number): number =>
  schedule({ step, updates: step, stepsPerEpoch });

/** The first step whose rate is further from the golden one than 1e-12 of the base rate, which is the peak; -1 for none. */
const firstOff = (base: number, rates: readonly number[], lrs: readonly number[]): number =>
  lrs.findIndex((lr, step) => !(Math.abs((rates[step] as number) - lr) <= 1e-12 * base));

describe("golden trajectories", () => {
  test("are there, of every scheduler", () => {
    expect(new Set(golden.map(({ scheduler }) => scheduler))).toEqual(new Set(Object.keys(ours)));
    for (const { lrs } of groups) expect(lrs.length).toBeGreaterThanOrEqual(8);
  });

  test.each(groups)("$title", ({ base, lrs, schedule }) => {
    expect(firstOff(base, preview(schedule, lrs.length, { base }).lrs, lrs)).toBe(-1);
  });

  test.each(groups)("once an epoch: $title", ({ base, lrs, schedule }) => {
    const { lrs: rates } = preview(perEpoch(schedule), 3 * lrs.length, { base, stepsPerEpoch: 3 });
    const thrice = lrs.flatMap((lr) => [lr, lr, lr]);
    expect(firstOff(base, rates, thrice)).toBe(-1);
  });

  test.each(groups)("asked backwards: $title", ({ base, lrs, schedule }) => {
    const rates = lrs.map((_, i) => base * at(schedule, lrs.length - 1 - i)).reverse();
    expect(firstOff(base, rates, lrs)).toBe(-1);
  });
});

/** Every schedule that takes a span, by its name. */
const spanned: Readonly<Record<string, (span: Span) => Schedule>> = {
  constantLR,
  linearLR,
  polynomialLR: (span) => polynomialLR({ ...span, power: 2 }),
  exponentialLR: (span) => exponentialLR({ ...span, gamma: 0.5 }),
  stepLR,
  cosineAnnealingLR: (span) => cosineAnnealingLR({ ...span, etaMin: 0.1 }),
  cosineAnnealingWarmRestarts: (span) => cosineAnnealingWarmRestarts({ ...span, tMult: 2 }),
  "cosineAnnealingWarmRestarts of equal length": cosineAnnealingWarmRestarts,
  warmupCosine: (span) => warmupCosine({ ...span, warmup: 3 }),
  warmupLinear: (span) => warmupLinear({ ...span, warmup: 3 }),
  wsd: (span) => wsd({ ...span, warmup: 3 }),
  slantedTriangular,
  oneCycle,
};

describe("a length in epochs", () => {
  test.each(Object.entries(spanned))("of %s is counted by the clock", (_, make) => {
    const byEpochs = preview(make({ epochs: 4 }), 130, { stepsPerEpoch: 10 });
    expect(byEpochs).toEqual(preview(make({ steps: 40 }), 130));
  });

  test.each(Object.entries(spanned))("of %s stands at its start while the epoch's length is not known", (_, make) => {
    const start = at(make({ steps: 1e9 }), 0);
    expect(at(make({ epochs: 4 }), 0, Number.POSITIVE_INFINITY)).toBeCloseTo(start, 12);
    expect(at(perEpoch(make({ steps: 40 })), 0, Number.POSITIVE_INFINITY)).toBeCloseTo(at(make({ steps: 40 }), 0), 12);
  });
});

describe("past the end", () => {
  test.each([
    ["constantLR", constantLR({ steps: 10 }), 1],
    ["linearLR", linearLR({ steps: 10, endFactor: 0.4 }), 0.4],
    ["polynomialLR", polynomialLR({ steps: 10 }), 0],
    ["warmupCosine", warmupCosine({ warmup: 2, steps: 10, floor: 0.2 }), 0.2],
    ["warmupLinear", warmupLinear({ warmup: 2, steps: 10, floor: 0.2 }), 0.2],
    ["wsd", wsd({ warmup: 2, steps: 10, floor: 0.2 }), 0.2],
    ["slantedTriangular", slantedTriangular({ steps: 10, ratio: 4 }), 0.25],
  ])("%s holds its last factor", (_, schedule, last) => {
    for (const step of [10, 11, 1e9]) expect(at(schedule, step)).toBeCloseTo(last, 12);
  });

  test("cosineAnnealingLR swings on, as far as one looks", () => {
    const schedule = cosineAnnealingLR({ steps: 1000 });
    for (const swing of [0, 1, 10, 1000]) expect(at(schedule, 2000 * swing)).toBeCloseTo(1, 12);
    expect(at(schedule, 1000)).toBe(0);
  });
});

test("restarts of equal length are not counted one by one", () => {
  expect(at(cosineAnnealingWarmRestarts({ steps: 4 }), 4e14 + 2)).toBeCloseTo(0.5, 12);
});

describe("where PyTorch divides by zero", () => {
  test("a linear rise from 0 is a rise from 0", () => {
    expect(preview(linearLR({ startFactor: 0, steps: 4 }), 6).lrs).toEqual([0, 0.25, 0.5, 0.75, 1, 1]);
  });

  test("a constant factor of 0 ends", () => {
    expect(preview(constantLR({ factor: 0, steps: 2 }), 4).lrs).toEqual([0, 0, 1, 1]);
  });
});

test("wsd keeps to whole steps, and its fall waits for the warm-up", () => {
  expect(preview(wsd({ warmup: 0, steps: 10, decay: 0.9 }), 2).lrs).toEqual([1, 1]);
  expect(preview(wsd({ warmup: 8, steps: 10, decay: 0.9 }), 12).lrs).toEqual([
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((step) => step / 8),
    1,
    1 - Math.sqrt(1 / 2),
    0,
    0,
  ]);
  expect(preview(wsd({ warmup: 12, steps: 10 }), 14).lrs.slice(11)).toEqual([11 / 12, 1, 0]);
});

test("slantedTriangular rises in one step where its part of the run is shorter", () => {
  const { lrs } = preview(slantedTriangular({ steps: 5, ratio: 2 }), 4);
  expect(lrs[0]).toBe(0.5);
  expect(lrs[1]).toBe(1);
  expect(lrs[2]).toBeLessThan(1);
});

test("warmupInverseSqrt is halved three timescales after its warm-up", () => {
  expect(at(warmupInverseSqrt({ warmup: 100 }), 400)).toBe(0.5);
  expect(at(warmupInverseSqrt({ warmup: 0 }), 30_000)).toBe(0.5);
});

describe("composition", () => {
  const counted: Schedule = ({ step }) => step;

  test("sequence restarts its children, by any order of questions", () => {
    const schedule = sequence([counted, counted, counted], [2, 5]);
    expect(preview(schedule, 8).lrs).toEqual([0, 1, 0, 1, 2, 0, 1, 2]);
    expect([7, 1, 4].map((step) => at(schedule, step))).toEqual([2, 1, 2]);
  });

  test("sequence hands on the length of an epoch", () => {
    const schedule = sequence([constant(), linearLR({ startFactor: 1, endFactor: 0, epochs: 2 })], [3]);
    expect(preview(schedule, 8, { stepsPerEpoch: 2 }).lrs).toEqual([1, 1, 1, 1, 0.75, 0.5, 0.25, 0]);
  });

  test("a sequence in a sequence, a chain in a chain", () => {
    const inner = sequence([counted, counted], [1]);
    expect(preview(sequence([inner, inner], [3]), 6).lrs).toEqual([0, 0, 1, 0, 0, 1]);
    expect(preview(chain([chain([counted, counted]), counted]), 4).lrs).toEqual([0, 1, 8, 27]);
  });

  test("a chain goes on past the zero of a cosine, where PyTorch forgets the other factor", () => {
    const schedule = chain([cosineAnnealingLR({ steps: 4 }), exponentialLR({ gamma: 0.5 })]);
    expect(at(schedule, 8)).toBeCloseTo(0.5 ** 8, 15);
  });

  test("multiplicativeLR asks each step once, for layers that share it", () => {
    const asked: number[] = [];
    const schedule = multiplicativeLR((step) => {
      asked.push(step);
      return 0.5;
    });
    for (const step of [0, 1, 1, 2, 2]) at(schedule, step);
    expect(asked).toEqual([1, 2]);
  });
});

describe("a layer's own clock", () => {
  const step: Schedule = (clock) => clock.step;
  /** What a layer that joins at step 5 and is thawed again at step 9 sees. */
  const seen = (schedule: Schedule, stepsPerEpoch?: number): number[] =>
    [5, 6, 7, 8, 9, 10, 11].map((now) => schedule({ step: now, updates: now < 9 ? now - 5 : now - 9, stepsPerEpoch }));

  test("is what local goes by, and nobody else", () => {
    expect(seen(local(step))).toEqual([0, 1, 2, 3, 0, 1, 2]);
    expect(seen(step)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(seen(local(linearLR({ startFactor: 0, steps: 2 })))).toEqual([0, 0.5, 1, 1, 0, 0.5, 1]);
  });

  test("is the global one where a layer trains from the start", () => {
    const schedule = warmupCosine({ warmup: 4, steps: 20 });
    expect(preview(local(schedule), 25)).toEqual(preview(schedule, 25));
  });

  test("runs a whole sequence by the layer's count", () => {
    expect(seen(local(sequence([step, step], [2])))).toEqual([0, 1, 0, 1, 0, 1, 0]);
  });

  test("is not restarted by a sequence, whose milestones are global", () => {
    expect(seen(sequence([constant(), local(step)], [7]))).toEqual([1, 1, 2, 3, 0, 1, 2]);
    expect(seen(sequence([constant(), step], [7]))).toEqual([1, 1, 0, 1, 2, 3, 4]);
  });

  test("is one factor of a chain", () => {
    expect(seen(chain([local(step), step]))).toEqual([0, 6, 14, 24, 0, 10, 22]);
  });

  test("counts whole epochs of the layer, in perEpoch and around it", () => {
    expect(seen(perEpoch(local(step)), 2)).toEqual([0, 0, 1, 1, 0, 0, 1]);
    expect(seen(local(perEpoch(step)), 2)).toEqual([0, 0, 1, 1, 0, 0, 1]);
  });

  test("is told by the layer table", () => {
    const { layout, depths } = programOf(sequential({ body: dense(2), head: dense(2) }));
    const schedule = local(linearLR({ startFactor: 0, steps: 4 }));
    const table = createCountedTable(layout.tensors, depths, sgd({ lr: 1 }), { schedule });
    const clock = (now: number) => ({ step: now, stepsPerEpoch: undefined });
    const floats = new Float32Array(4 * table.rows.length);
    table.freeze("head");
    for (const now of [0, 1, 2]) table.write(floats, clock(now), () => true);
    table.unfreeze("head");
    expect(table.table(clock(3)).map(({ name, lr }) => [name, lr])).toEqual([
      ["body", 0.75],
      ["head", 0],
    ]);
    expect([...floats].filter((_, i) => i % 4 === 0)).toEqual([0.5, 0.5, 0, 0]);
  });

  test("is the same in a local of a local", () => {
    expect(seen(local(local(step)))).toEqual(seen(local(step)));
  });
});

describe("preview", () => {
  test("is ready for a plot", () => {
    expect(preview(stepLR({ steps: 2, gamma: 0.5 }), 5, { base: 0.5 })).toEqual({
      steps: [0, 1, 2, 3, 4],
      lrs: [0.5, 0.5, 0.25, 0.25, 0.125],
    });
  });

  test("has a base rate of 1", () => {
    expect(preview(constant(), 2)).toEqual({ steps: [0, 1], lrs: [1, 1] });
    expect(preview(constant(), 0)).toEqual({ steps: [], lrs: [] });
  });
});

describe("an option that cannot be is refused, in words", () => {
  const refused = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      return String(error);
    }
    return "accepted";
  };

  test.each(Object.entries(spanned))("a length of %s that is none", (_, make) => {
    for (const span of [{ steps: 0 }, { steps: -1 }, { epochs: Number.NaN }, { steps: 1, epochs: 1 }]) {
      expect(refused(() => make(span))).toMatch(/^OptionError: \w+: steps is .* Give exactly one of them/);
    }
    expect(refused(() => at(make({ epochs: 1 }), 0))).toMatch(/^OptionError: \w+: epochs cannot be counted/);
  });

  test("when the schedule is made", () => {
    const wrong = (value: unknown) => value as never;
    const texts = [
      () => lambdaLR(wrong(0.5)),
      () => multiplicativeLR(wrong(undefined)),
      () => constantLR({ factor: 2 }),
      () => linearLR({ startFactor: -1 }),
      () => linearLR({ endFactor: 1.5 }),
      () => polynomialLR({ power: -1 }),
      () => exponentialLR({ gamma: Number.NaN }),
      () => exponentialLR(wrong({})),
      () => stepLR({}),
      () => stepLR({ steps: 3, gamma: -0.1 }),
      () => multiStepLR(wrong({ milestones: 30 })),
      () => multiStepLR({ milestones: [3, 4.5] }),
      () => multiStepLR({ milestones: [3, wrong("7")] }),
      () => multiStepLR({ milestones: [3], gamma: -1 }),
      () => cosineAnnealingLR({ steps: 10, etaMin: 1.1 }),
      () => cosineAnnealingWarmRestarts({ steps: 10, tMult: 0.5 }),
      () => cosineAnnealingWarmRestarts({ steps: 10, etaMin: -1 }),
      () => cyclicLR({ floor: 2 }),
      () => cyclicLR(wrong({})),
      () => cyclicLR({ floor: 0.1, up: 0 }),
      () => cyclicLR({ floor: 0.1, down: Number.NaN }),
      () => cyclicLR({ floor: 0.1, gamma: -1 }),
      () => cyclicLR({ floor: 0.1, mode: wrong("exp_range") }),
      () => warmupLinear({ warmup: -1, steps: 10 }),
      () => warmupLinear({ warmup: 1, steps: 10, floor: 2 }),
      () => warmupInverseSqrt({ warmup: Number.NaN }),
      () => warmupInverseSqrt({ warmup: 10, timescale: 0 }),
      () => wsd({ warmup: -1, steps: 10 }),
      () => wsd({ warmup: 1, steps: 10, decay: 1 }),
      () => wsd({ warmup: 1, steps: 10, floor: -1 }),
      () => slantedTriangular({ steps: 10, cutFrac: 0 }),
      () => slantedTriangular({ steps: 10, ratio: 0 }),
      () => sequence([], []),
      () => sequence([constant()], [10]),
      () => sequence([constant(), wrong(0.1)], [10]),
      () => sequence([constant(), constant()], [0]),
      () => sequence([constant(), constant(), constant()], [20, 10]),
      () => sequence([constant(), constant(), constant()], [10, 10]),
      () => sequence([constant(), constant()], wrong(10)),
      () => sequence(wrong(constant()), []),
      () => chain([]),
      () => chain([wrong({ steps: 1 })]),
      () => perEpoch(wrong(1)),
      () => local(wrong({ steps: 10 })),
      () => at(perEpoch(constant()), 0),
      () => preview(constant(), -1),
      () => preview(wrong(0.1), 10),
      () => preview(constant(), 10, { base: -1 }),
      () => preview(constant(), 10, { stepsPerEpoch: 0 }),
    ].map(refused);
    expect(texts).toMatchInlineSnapshot(`
      [
        "OptionError: lambdaLR: the factor is 0.5, it must be a function.",
        "OptionError: multiplicativeLR: the factor is undefined, it must be a function.",
        "OptionError: constantLR: factor is 2, it must be from 0 to 1.",
        "OptionError: linearLR: startFactor is -1, it must be from 0 to 1.",
        "OptionError: linearLR: endFactor is 1.5, it must be from 0 to 1.",
        "OptionError: polynomialLR: power is -1, it must be at least 0.",
        "OptionError: exponentialLR: gamma is NaN, it must be at least 0.",
        "OptionError: exponentialLR: gamma is undefined, it must be at least 0.",
        "OptionError: stepLR: steps is undefined and epochs is undefined. Give exactly one of them, greater than 0.",
        "OptionError: stepLR: gamma is -0.1, it must be at least 0.",
        "OptionError: multiStepLR: milestones is 30, it must be a list.",
        "OptionError: multiStepLR: milestones[1] is 4.5, it must be a whole number of at least 0.",
        "OptionError: multiStepLR: milestones[1] is "7", it must be a whole number of at least 0.",
        "OptionError: multiStepLR: gamma is -1, it must be at least 0.",
        "OptionError: cosineAnnealingLR: etaMin is 1.1, it must be from 0 to 1.",
        "OptionError: cosineAnnealingWarmRestarts: tMult is 0.5, it must be a whole number of at least 1.",
        "OptionError: cosineAnnealingWarmRestarts: etaMin is -1, it must be from 0 to 1.",
        "OptionError: cyclicLR: floor is 2, it must be from 0 to 1.",
        "OptionError: cyclicLR: floor is undefined, it must be from 0 to 1.",
        "OptionError: cyclicLR: up is 0, it must be greater than 0.",
        "OptionError: cyclicLR: down is NaN, it must be greater than 0.",
        "OptionError: cyclicLR: gamma is -1, it must be at least 0.",
        "OptionError: cyclicLR: mode is "exp_range", it must be "triangular" or "triangular2" or "expRange". Did you mean "expRange"?",
        "OptionError: warmupLinear: warmup is -1, it must be at least 0.",
        "OptionError: warmupLinear: floor is 2, it must be from 0 to 1.",
        "OptionError: warmupInverseSqrt: warmup is NaN, it must be at least 0.",
        "OptionError: warmupInverseSqrt: timescale is 0, it must be greater than 0.",
        "OptionError: wsd: warmup is -1, it must be at least 0.",
        "OptionError: wsd: decay is 1, it must be between 0 and 1.",
        "OptionError: wsd: floor is -1, it must be from 0 to 1.",
        "OptionError: slantedTriangular: cutFrac is 0, it must be between 0 and 1.",
        "OptionError: slantedTriangular: ratio is 0, it must be greater than 0.",
        "OptionError: sequence: there are 0 schedules. Give at least 1.",
        "OptionError: sequence: 1 schedules have 1 milestones. Give one milestone fewer than schedules.",
        "OptionError: sequence: schedule 1 is 0.1, it must be a function.",
        "OptionError: sequence: milestones[0] is 0, it must be a whole number of at least 1.",
        "OptionError: sequence: milestones[1] is 10 after 20. Give the milestones in rising order.",
        "OptionError: sequence: milestones[1] is 10 after 10. Give the milestones in rising order.",
        "OptionError: sequence: milestones is 10, it must be a list.",
        "OptionError: sequence: the first argument is the function () => ..., it must be a list.",
        "OptionError: chain: there are 0 schedules. Give at least 1.",
        "OptionError: chain: schedule 0 is {"steps":1}, it must be a function.",
        "OptionError: perEpoch: the schedule is 1, it must be a function.",
        "OptionError: local: the schedule is {"steps":10}, it must be a function.",
        "OptionError: perEpoch: epochs cannot be counted, since the data has no known length. Give steps instead.",
        "OptionError: preview: steps is -1, it must be a whole number of at least 0.",
        "OptionError: preview: the schedule is 0.1, it must be a function.",
        "OptionError: preview: base is -1, it must be at least 0.",
        "OptionError: preview: stepsPerEpoch is 0, it must be a whole number of at least 1.",
      ]
    `);
  });
});
