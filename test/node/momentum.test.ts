// Momentum schedules against the momentum that PyTorch's OneCycleLR and CyclicLR cycle (test/golden/momentum.json), past
// their ends, and as mirror images of the rates beside them.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  cyclicLR,
  cyclicMomentum,
  local,
  type MomentumSchedule,
  oneCycle,
  oneCycleMomentum,
  perEpoch,
  preview,
  type Schedule,
  sequence,
} from "../../src/index.ts";

interface Case {
  readonly scheduler: "OneCycleLR" | "CyclicLR";
  readonly optimizers: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: each scheduler has settings of its own, and JSON has no types.
  readonly args: any;
  readonly momentums: readonly (readonly number[])[];
}

const golden = (JSON.parse(readFileSync("test/golden/momentum.json", "utf8")) as { momentums: Case[] }).momentums;

/** An option only where PyTorch's setting is given, so that the defaults are held against PyTorch's as well. */
const given = (options: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

function ours({ scheduler, args: a }: Case, group: number): MomentumSchedule {
  const range = { baseMomentum: a.base_momentum?.[group], maxMomentum: a.max_momentum?.[group] };
  if (scheduler === "OneCycleLR") {
    const shape = { pctStart: a.pct_start, anneal: a.anneal_strategy, threePhase: a.three_phase };
    return oneCycleMomentum({ steps: a.total_steps, ...given({ ...range, ...shape }) });
  }
  const shape = { up: a.step_size_up, down: a.step_size_down, gamma: a.gamma };
  return cyclicMomentum(given({ ...range, ...shape, mode: a.mode?.replace("exp_range", "expRange") }));
}

const groups = golden.flatMap((one) =>
  one.momentums.map((momentums, group) => ({
    title: `${one.scheduler} ${JSON.stringify(one.args)}, group ${group}`,
    cycle: one.scheduler === "OneCycleLR",
    schedule: ours(one, group),
    momentums,
  })),
);

const values = (schedule: Schedule, steps: number, stepsPerEpoch?: number): number[] =>
  preview(schedule, steps, stepsPerEpoch === undefined ? {} : { stepsPerEpoch }).lrs;

/** The first step whose momentum is further from PyTorch's than 1e-12; -1 where none is. */
const firstOff = (found: readonly number[], momentums: readonly number[]): number =>
  momentums.findIndex((momentum, step) => !(Math.abs((found[step] as number) - momentum) <= 1e-12));

describe("golden momentums", () => {
  test("are there, of two groups, for momentum and for betas", () => {
    expect(golden.map(({ scheduler }) => scheduler).filter((name) => name === "OneCycleLR").length).toBe(17);
    expect(golden.length).toBe(21);
    expect(groups.length).toBe(42);
    for (const { momentums } of groups) expect(momentums.length).toBeGreaterThanOrEqual(20);
    expect(golden[0]?.optimizers).toEqual(["SGD", "RMSprop", "Adam"]);
  });

  test.each(groups)("$title", ({ schedule, momentums }) => {
    expect(firstOff(values(schedule, momentums.length), momentums)).toBe(-1);
  });

  test.each(groups.filter(({ cycle }) => cycle))("past the end the last holds: $title", ({ schedule, momentums }) => {
    const last = momentums.at(-1) as number;
    for (const beyond of [0, 1, 1e9]) {
      const step = momentums.length + beyond;
      expect(Math.abs(schedule({ step, updates: step, stepsPerEpoch: undefined }) - last)).toBeLessThanOrEqual(1e-12);
    }
  });
});

describe("a momentum mirrors its rate", () => {
  const lowest = (list: readonly number[]): number => list.indexOf(Math.min(...list));
  const highest = (list: readonly number[]): number => list.indexOf(Math.max(...list));

  test("of one cycle", () => {
    const shape = { epochs: 4, pctStart: 0.4, anneal: "linear" } as const;
    const rates = values(oneCycle(shape), 40, 10);
    const momentums = values(oneCycleMomentum(shape), 40, 10);
    expect(lowest(momentums)).toBe(highest(rates));
    expect([momentums[0], momentums[15], momentums[39]]).toEqual([0.95, 0.85, 0.95]);
  });

  test("of a cyclic rate", () => {
    const shape = { up: 4, down: 6, mode: "triangular2" } as const;
    const rates = values(cyclicLR({ ...shape, floor: 0.1 }), 30);
    const momentums = values(cyclicMomentum({ ...shape, baseMomentum: 0, maxMomentum: 0.9 }), 30);
    for (const [i, rate] of rates.entries())
      expect((0.9 - (momentums[i] as number)) / 0.9).toBeCloseTo((rate - 0.1) / 0.9, 12);
  });

  test("in wrappers too", () => {
    const schedule: MomentumSchedule = sequence([oneCycleMomentum({ steps: 4 }), cyclicMomentum({ up: 2 })], [6]);
    expect(values(schedule, 9).slice(4)).toEqual([0.95, 0.95, 0.9, expect.closeTo(0.85, 12), 0.8]);
    const epochs = perEpoch(oneCycleMomentum({ steps: 4, anneal: "linear" }));
    expect(values(epochs, 8, 2)[2]).toBe(values(epochs, 8, 2)[3]);
    expect(local(oneCycleMomentum({ steps: 10 }))({ step: 99, updates: 2, stepsPerEpoch: undefined })).toBe(0.85);
  });
});

test("an option that cannot be is refused, in words", () => {
  const wrong = (value: unknown) => value as never;
  const texts = [
    () => oneCycleMomentum(wrong({})),
    () => oneCycleMomentum({ steps: 10, epochs: 1 }),
    () => oneCycleMomentum({ steps: 10, maxMomentum: 1 }),
    () => oneCycleMomentum({ steps: 10, baseMomentum: -0.1 }),
    () => oneCycleMomentum({ steps: 10, pctStart: 0 }),
    () => oneCycleMomentum({ steps: 10, anneal: wrong("lin") }),
    () => cyclicMomentum({ maxMomentum: Number.NaN }),
    () => cyclicMomentum({ baseMomentum: wrong("0.8") }),
    () => cyclicMomentum({ up: 0 }),
    () => cyclicMomentum({ gamma: -1 }),
    () => cyclicMomentum({ mode: wrong("triangle") }),
  ].map((make) => {
    try {
      return make();
    } catch (error) {
      return String(error);
    }
  });
  expect(texts).toMatchInlineSnapshot(`
    [
      "OptionError: oneCycleMomentum: steps is undefined and epochs is undefined. Give exactly one of them, greater than 0.",
      "OptionError: oneCycleMomentum: steps is 10 and epochs is 1. Give exactly one of them, greater than 0.",
      "OptionError: oneCycleMomentum: maxMomentum is 1, it must be at least 0 and below 1.",
      "OptionError: oneCycleMomentum: baseMomentum is -0.1, it must be at least 0 and below 1.",
      "OptionError: oneCycleMomentum: pctStart is 0, it must be between 0 and 1.",
      "OptionError: oneCycleMomentum: anneal is "lin", it must be "cos" or "linear".",
      "OptionError: cyclicMomentum: maxMomentum is NaN, it must be at least 0 and below 1.",
      "OptionError: cyclicMomentum: baseMomentum is "0.8", it must be at least 0 and below 1.",
      "OptionError: cyclicMomentum: up is 0, it must be greater than 0.",
      "OptionError: cyclicMomentum: gamma is -1, it must be at least 0.",
      "OptionError: cyclicMomentum: mode is "triangle", it must be "triangular" or "triangular2" or "expRange". Did you mean "triangular"?",
    ]
  `);
});
