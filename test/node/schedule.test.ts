// Schedules against PyTorch's own numbers (test/golden/schedule.json, whose header names the versions), past their ends,
// and with options that cannot be.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { constant, type OneCycleOptions, oneCycle, type Schedule, warmupCosine } from "../../src/index.ts";

interface OneCycleCase {
  readonly max_lr: number;
  readonly total_steps: number;
  readonly anneal_strategy: "cos" | "linear";
  readonly three_phase: boolean;
  readonly pct_start: number;
  readonly div_factor: number;
  readonly final_div_factor: number;
  readonly lrs: readonly number[];
}

interface WarmupCase {
  readonly lr: number;
  readonly warmup: number;
  readonly total: number;
  readonly lrs: readonly number[];
}

const golden = JSON.parse(readFileSync("test/golden/schedule.json", "utf8")) as {
  readonly one_cycle: readonly OneCycleCase[];
  readonly warmup_cosine: readonly WarmupCase[];
};

const at = (schedule: Schedule, step: number, stepsPerEpoch?: number): number =>
  schedule({ step, updates: step, stepsPerEpoch });

/** The first step whose rate is further from PyTorch's than 1e-12 of the largest rate; -1 where none is. */
const firstOff = (base: number, schedule: Schedule, lrs: readonly number[]): number =>
  lrs.findIndex((lr, step) => !(Math.abs(base * at(schedule, step) - lr) <= 1e-12 * base));

const optionsOf = (one: OneCycleCase): Omit<OneCycleOptions, "steps" | "epochs"> => ({
  pctStart: one.pct_start,
  divFactor: one.div_factor,
  finalDivFactor: one.final_div_factor,
  anneal: one.anneal_strategy,
  threePhase: one.three_phase,
});

describe("oneCycle", () => {
  const cases = golden.one_cycle.map((one) => ({ ...one, title: JSON.stringify({ ...one, lrs: undefined }) }));

  test("has golden numbers to be held against", () => {
    expect(cases.length).toBe(40);
    for (const { lrs, total_steps } of cases) expect(lrs.length).toBe(total_steps);
  });

  test.each(cases)("is PyTorch's with $title", (one) => {
    const schedule = oneCycle({ ...optionsOf(one), steps: one.total_steps });
    expect(firstOff(one.max_lr, schedule, one.lrs)).toBe(-1);
  });

  test.each(cases)("holds its last rate past the end with $title", (one) => {
    const schedule = oneCycle({ ...optionsOf(one), steps: one.total_steps });
    const last = one.lrs.at(-1) as number;
    for (const beyond of [0, 1, 1000]) {
      expect(Math.abs(one.max_lr * at(schedule, one.total_steps + beyond) - last)).toBeLessThanOrEqual(
        1e-12 * one.max_lr,
      );
    }
  });

  test("counts epochs by the clock", () => {
    const [one] = golden.one_cycle as [OneCycleCase];
    const byEpochs = oneCycle({ ...optionsOf(one), epochs: 4 });
    const bySteps = oneCycle({ ...optionsOf(one), steps: 100 });
    for (let step = 0; step < 110; step++) expect(at(byEpochs, step, 25)).toBe(at(bySteps, step));
  });

  test("begins at the peak where its rise has no length, where PyTorch divides by zero", () => {
    expect(at(oneCycle({ steps: 10, pctStart: 0.1 }), 0)).toBe(1);
  });
});

describe("warmupCosine", () => {
  test.each(golden.warmup_cosine)("is the reference with warmup $warmup of $total", ({ lr, warmup, total, lrs }) => {
    expect(lrs.length).toBeGreaterThan(total);
    expect(firstOff(lr, warmupCosine({ warmup, steps: total }), lrs)).toBe(-1);
  });

  test("ends at its floor and holds it", () => {
    const schedule = warmupCosine({ warmup: 5, epochs: 2, floor: 0.1 });
    expect(at(schedule, 5, 10)).toBe(1);
    expect(at(schedule, 20, 10)).toBeCloseTo(0.1, 15);
    expect(at(schedule, 2000, 10)).toBeCloseTo(0.1, 15);
  });
});

test("constant is 1 throughout", () => {
  for (const step of [0, 1, 1e9]) expect(at(constant(), step)).toBe(1);
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

  test("when the schedule is made", () => {
    const texts = [
      () => oneCycle({}),
      () => oneCycle({ steps: 10, epochs: 1 }),
      () => oneCycle({ steps: 0 }),
      () => oneCycle({ epochs: Number.NaN }),
      () => oneCycle({ steps: 10, pctStart: 1 }),
      () => oneCycle({ steps: 10, divFactor: 0 }),
      () => oneCycle({ steps: 10, finalDivFactor: Number.NaN }),
      () => oneCycle({ steps: 10, anneal: "cosine" as "cos" }),
      () => warmupCosine({ warmup: -1, steps: 10 }),
      () => warmupCosine({ warmup: 1, steps: 10, floor: -0.1 }),
      () => warmupCosine({ warmup: 1 }),
    ].map(refused);
    expect(texts).toMatchInlineSnapshot(`
      [
        "OptionError: oneCycle: steps is undefined and epochs is undefined. Give exactly one of them, greater than 0.",
        "OptionError: oneCycle: steps is 10 and epochs is 1. Give exactly one of them, greater than 0.",
        "OptionError: oneCycle: steps is 0 and epochs is undefined. Give exactly one of them, greater than 0.",
        "OptionError: oneCycle: steps is undefined and epochs is NaN. Give exactly one of them, greater than 0.",
        "OptionError: oneCycle: pctStart is 1, it must be between 0 and 1.",
        "OptionError: oneCycle: divFactor is 0, it must be greater than 0.",
        "OptionError: oneCycle: finalDivFactor is NaN, it must be greater than 0.",
        "OptionError: oneCycle: anneal is "cosine", it must be "cos" or "linear".",
        "OptionError: warmupCosine: warmup is -1, it must be at least 0.",
        "OptionError: warmupCosine: floor is -0.1, it must be from 0 to 1.",
        "OptionError: warmupCosine: steps is undefined and epochs is undefined. Give exactly one of them, greater than 0.",
      ]
    `);
  });

  test("when epochs cannot be counted", () => {
    expect(refused(() => at(oneCycle({ epochs: 3 }), 0))).toMatchInlineSnapshot(
      `"OptionError: oneCycle: epochs cannot be counted, since the data has no known length. Give steps instead."`,
    );
  });
});
