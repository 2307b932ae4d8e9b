// Learning rates by layer: which tensors a pattern names, what rules, presets and schedules make of the table, and the
// four numbers of a row against the formulas of torch.optim in f64.

import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  dense,
  functional,
  type Layer,
  layerDecay,
  type Optimizer,
  type Rates,
  relu,
  residual,
  type Schedule,
  sequential,
  sgd,
} from "../../src/index.ts";
import { settled } from "../../src/optim/counts.ts";
import { matching } from "../../src/pattern.ts";
import { type CountedTable, createCountedTable } from "../reference/counted-table.ts";
import { programOf } from "./program.ts";

const three = sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(3) });
const start = { step: 0, updates: 0, stepsPerEpoch: undefined };

interface TableOptions {
  readonly optimizer?: Optimizer;
  readonly rates?: Rates;
  readonly schedule?: Schedule;
}

const { layout, depths } = programOf(three);

const tableOf = ({ optimizer = adamw(), rates, schedule }: TableOptions = {}): CountedTable =>
  createCountedTable(layout.tensors, depths, optimizer, { rates, schedule });

/** What one step would write, as a list for each tensor by name. */
function written(table: CountedTable, step = 0, takesPart: (row: number) => boolean = () => true) {
  const floats = new Float32Array(4 * table.rows.length).fill(Number.NaN);
  table.write(floats, { step, stepsPerEpoch: undefined }, takesPart);
  return new Map(table.rows.map(({ name }, i) => [name, [...floats.subarray(4 * i, 4 * i + 4)]]));
}

const countsOf = (table: CountedTable): number[] => [...settled(table.counts).updates];

const column = (table: CountedTable, key: "lr" | "multiplier" | "weightDecay"): Record<string, number> =>
  Object.fromEntries(table.rows.map((row) => [row.name, row[key]]));

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  return "accepted";
};

describe("a pattern", () => {
  const names = [
    "stem.0.weight",
    "stem.0.bias",
    "blocks.0.fc1.weight",
    "blocks.12.fc1.weight",
    "blocks.12.norm.bias",
    "head.bias",
    "header.bias",
  ];
  const found = (pattern: string): string[] => matching("rates", pattern, names, names);

  test.each([
    ["stem", ["stem.0.weight", "stem.0.bias"]],
    ["stem.0.weight", ["stem.0.weight"]],
    ["head", ["head.bias"]],
    ["blocks.*", ["blocks.0.fc1.weight", "blocks.12.fc1.weight", "blocks.12.norm.bias"]],
    ["blocks.1*", ["blocks.12.fc1.weight", "blocks.12.norm.bias"]],
    ["blocks.*.norm", ["blocks.12.norm.bias"]],
    ["*.bias", ["head.bias", "header.bias"]],
    ["**.bias", ["stem.0.bias", "blocks.12.norm.bias", "head.bias", "header.bias"]],
    ["blocks.**.weight", ["blocks.0.fc1.weight", "blocks.12.fc1.weight"]],
    ["head*", ["head.bias", "header.bias"]],
    ["*", names],
  ])("%s names what it says", (pattern, expected) => {
    expect(found(pattern)).toEqual(expected);
  });

  test("treats a dot as a dot", () => {
    expect(refusal(() => matching("rates", "h.ad", ["head"], ["head"]))).toContain("matches no layer");
  });

  test("that matches nothing is an error with the nearest name and all layers", () => {
    expect(refusal(() => tableOf({ rates: { haed: 1e-3 } }))).toMatchInlineSnapshot(
      `"NameError: rates: "haed" matches no layer. Did you mean "head"? Layers: stem.0, body.0, head."`,
    );
    expect(refusal(() => tableOf().set("stem.0.wieght", 1e-3))).toMatchInlineSnapshot(
      `"NameError: rates.set: "stem.0.wieght" matches no layer. Did you mean "stem.0.weight"? Layers: stem.0, body.0, head."`,
    );
    expect(refusal(() => tableOf().freeze("decoder"))).toMatchInlineSnapshot(
      `"NameError: freeze: "decoder" matches no layer. Layers: stem.0, body.0, head."`,
    );
  });

  test("that is none is an error", () => {
    expect(refusal(() => tableOf({ rates: { "head[0]": 1 } }))).toMatchInlineSnapshot(
      `"OptionError: rates: "head[0]" is no pattern. Use a path such as "head", "blocks.*.norm" or "**.bias"."`,
    );
    expect(refusal(() => tableOf().set("", 1))).toMatchInlineSnapshot(
      `"OptionError: rates.set: "" is no pattern. Use a path such as "head", "blocks.*.norm" or "**.bias"."`,
    );
  });
});

describe("rules", () => {
  test("a number is a base rate; later rules win, also over what they name in part", () => {
    const table = tableOf({
      rates: [{ "**": 1, body: 2 }, { "body.*.bias": 3 }, ({ name }) => (name === "head" ? 4 : undefined)],
    });
    expect(column(table, "lr")).toEqual({
      "stem.0.weight": 1,
      "stem.0.bias": 1,
      "body.0.weight": 2,
      "body.0.bias": 3,
      "head.weight": 4,
      "head.bias": 4,
    });
  });

  test("a base rate drops the multiplier that was set before, and keeps one that comes with it", () => {
    const table = tableOf({ rates: [layerDecay(0.5), { stem: 1, body: { lr: 1, multiplier: 0.1 } }] });
    expect(column(table, "multiplier")).toMatchObject({ "stem.0.weight": 1, "body.0.weight": 0.1, "head.weight": 1 });
  });

  test("change only what they name", () => {
    const table = tableOf({ optimizer: adamw({ lr: 7, weightDecay: 0.5 }), rates: { body: { weightDecay: 0.25 } } });
    expect(column(table, "lr")["body.0.weight"]).toBe(7);
    expect(column(table, "weightDecay")).toMatchObject({ "body.0.weight": 0.25, "head.weight": 0.5 });
  });

  test("see name, depth and size of a layer in a predicate", () => {
    const seen: unknown[] = [];
    tableOf({ rates: (tensor) => void seen.push(tensor) as undefined });
    const stem = { name: "stem.0", depth: 1, maxDepth: 3, parameterCount: 56, multiplier: 1 };
    const head = { name: "head", depth: 3, maxDepth: 3, parameterCount: 27, multiplier: 1 };
    expect(seen).toHaveLength(6);
    expect(seen.slice(0, 2)).toEqual([
      { ...stem, tensor: "stem.0.weight", shape: [6, 8], weightDecay: 0.01 },
      { ...stem, tensor: "stem.0.bias", shape: [8], weightDecay: 0 },
    ]);
    expect(seen.slice(4)).toEqual([
      { ...head, tensor: "head.weight", shape: [8, 3], weightDecay: 0.01 },
      { ...head, tensor: "head.bias", shape: [3], weightDecay: 0 },
    ]);
  });

  test("with impossible numbers are errors that name the place", () => {
    expect(refusal(() => tableOf({ rates: { head: -1 } }))).toMatchInlineSnapshot(
      `"OptionError: rates "head": lr is -1, it must be a finite number of at least 0."`,
    );
    expect(refusal(() => tableOf({ rates: () => ({ multiplier: Number.NaN }) }))).toMatchInlineSnapshot(
      `"OptionError: rates for "stem.0.weight": multiplier is NaN, it must be a finite number of at least 0."`,
    );
    expect(refusal(() => tableOf().set("head", { weightDecay: Number.POSITIVE_INFINITY }))).toMatchInlineSnapshot(
      `"OptionError: rates.set "head": weightDecay is Infinity, it must be a finite number of at least 0."`,
    );
    expect(refusal(() => layerDecay(1.5))).toMatchInlineSnapshot(
      `"OptionError: layerDecay: decay is 1.5, it must be above 0 and at most 1."`,
    );
  });
});

describe("the depth of a layer", () => {
  const depthsOf = (model: Layer): Record<string, number> => Object.fromEntries(programOf(model).depths);

  test("counts layers with weights from the input", () => {
    expect(depthsOf(three)).toEqual({ "stem.0": 1, "body.0": 2, head: 3 });
  });

  test("is shared by parallel branches, and the longest path counts after them", () => {
    const model = functional((x, { use, add }) => {
      const long = use("b2", dense(6), use("b1", dense(6), x));
      return use("head", dense(3), add(use("a", dense(6), x), long));
    });
    expect(depthsOf(model)).toEqual({ a: 1, b1: 1, b2: 2, head: 3 });
  });

  test("counts a residual block's layers in their place", () => {
    const model = sequential({ stem: dense(6), block: residual([dense(6), relu(), dense(6)]), head: dense(3) });
    expect(depthsOf(model)).toEqual({ stem: 1, "block.0": 2, "block.2": 3, head: 4 });
  });

  test("is the larger one where weights are used twice", () => {
    const shared = dense(6);
    const model = functional((x, { use }) => {
      const once = use("shared", shared, x);
      return use("head", dense(3), use("shared", shared, use("between", dense(6), once)));
    });
    expect(depthsOf(model)).toEqual({ shared: 3, between: 2, head: 4 });
  });
});

describe("layerDecay", () => {
  test("multiplies by the decay for each layer below the head", () => {
    const table = tableOf({ rates: layerDecay(0.5) });
    expect(table.table(start).map(({ name, multiplier }) => [name, multiplier])).toEqual([
      ["stem.0", 0.25],
      ["body.0", 0.5],
      ["head", 1],
    ]);
  });

  test("never falls below its floor", () => {
    const table = tableOf({ rates: layerDecay(0.1, { floor: 0.05 }) });
    expect(table.table(start).map(({ multiplier }) => multiplier)).toEqual([0.05, 0.1, 1]);
  });
});

describe("the rate of a step", () => {
  test("is base * multiplier * schedule", () => {
    const table = tableOf({
      optimizer: sgd({ lr: 0.5 }),
      rates: { stem: { multiplier: 0.5 }, head: { lr: 3, schedule: ({ step }) => step } },
      schedule: ({ step }) => 1 / (step + 1),
    });
    for (const step of [0, 1, 7]) {
      const rows = written(table, step);
      expect(rows.get("stem.0.weight")?.[0]).toBe(Math.fround((0.5 * 0.5) / (step + 1)));
      expect(rows.get("body.0.weight")?.[0]).toBe(Math.fround(0.5 / (step + 1)));
      expect(rows.get("head.weight")?.[0]).toBe(3 * step);
    }
  });

  test("follows a change at the next step", () => {
    const table = tableOf({ optimizer: sgd() });
    table.set("head", 0.25);
    expect(written(table).get("head.bias")?.[0]).toBe(0.25);
  });

  test("that is no rate is an error, and nothing is counted", () => {
    const table = tableOf({ rates: { head: { schedule: ({ step }) => (step === 1 ? Number.NaN : 1) } } });
    written(table);
    expect(refusal(() => written(table, 1))).toMatchInlineSnapshot(
      `"OptionError: schedule: at step 2 the rate of "head.weight" is NaN, it must be a finite number of at least 0 in f32. Look at what its schedule returns for lr 0.001 and multiplier 1."`,
    );
    expect(countsOf(table)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test("stands in the table for people", () => {
    const table = tableOf({
      optimizer: adamw({ lr: 1, weightDecay: 0.5 }),
      rates: layerDecay(0.5),
      schedule: () => 0.1,
    });
    table.freeze("body");
    written(table);
    const shared = { optimizer: "adamw", base: 1, weightDecay: 0.5, averaging: 0, assigned: 0 };
    expect(table.table(start)).toEqual([
      { ...shared, name: "stem.0", parameterCount: 56, state: "active", multiplier: 0.25, lr: 0.025, updates: 1 },
      { ...shared, name: "body.0", parameterCount: 72, state: "frozen", multiplier: 0.5, lr: 0, updates: 0 },
      { ...shared, name: "head", parameterCount: 27, state: "active", multiplier: 1, lr: 0.1, updates: 1 },
    ]);
  });
});

describe("weight decay", () => {
  const decays = (optimizer: Optimizer, rates?: Rates) =>
    column(tableOf({ optimizer, ...(rates === undefined ? {} : { rates }) }), "weightDecay");

  test("of adamw leaves out vectors unless a rule names them", () => {
    expect(decays(adamw())).toMatchObject({ "head.weight": 0.01, "head.bias": 0 });
    expect(decays(adamw(), { head: { weightDecay: 0.5 } })).toMatchObject({ "head.weight": 0.5, "head.bias": 0.5 });
  });

  test("of adam and sgd is for all tensors, as in PyTorch", () => {
    expect(decays(adam({ weightDecay: 0.1 }))).toMatchObject({ "head.weight": 0.1, "head.bias": 0.1 });
    expect(decays(sgd({ weightDecay: 0.1 }))).toMatchObject({ "head.weight": 0.1, "head.bias": 0.1 });
    expect(decays(adam())).toMatchObject({ "head.weight": 0, "head.bias": 0 });
  });
});

describe("freezing", () => {
  test("writes zeros and counts nothing; at rate 0 the layer still counts", () => {
    const table = tableOf({ rates: { stem: 0 } });
    table.freeze("body");
    const rows = written(table);
    expect(rows.get("body.0.weight")).toEqual([0, 0, 0, 0]);
    expect(rows.get("stem.0.weight")?.[0]).toBe(0);
    expect(rows.get("stem.0.weight")?.[3]).not.toBe(0);
    expect(countsOf(table)).toEqual([1, 1, 0, 0, 1, 1]);
  });

  test("of one tensor leaves the layer active", () => {
    const table = tableOf();
    table.freeze("head.bias");
    expect(table.table(start).at(-1)?.state).toBe("active");
    expect(written(table).get("head.bias")).toEqual([0, 0, 0, 0]);
  });

  test("a row that takes no part in the step is zero, too", () => {
    const table = tableOf();
    const rows = written(table, 0, (row) => row !== 0);
    expect(rows.get("stem.0.weight")).toEqual([0, 0, 0, 0]);
    expect(countsOf(table)).toEqual([0, 1, 1, 1, 1, 1]);
  });

  test("a layer thawed late starts at t = 1, and goes on where it was when frozen for a while", () => {
    const table = tableOf({ optimizer: adam({ lr: 1 }) });
    table.freeze("stem");
    for (let step = 0; step < 10; step++) written(table, step);
    table.freeze("head");
    table.unfreeze("stem");
    const late = written(table, 10);
    expect(late.get("stem.0.weight")?.[2]).toBeCloseTo(1 / (1 - 0.9), 5);
    expect(late.get("body.0.weight")?.[2]).toBeCloseTo(1 / (1 - 0.9 ** 11), 6);
    table.unfreeze("head");
    expect(written(table, 11).get("head.weight")?.[2]).toBeCloseTo(1 / (1 - 0.9 ** 11), 6);
  });

  test("counts can be given back when steps did not happen", () => {
    const table = tableOf();
    written(table);
    const second = written(table, 1);
    table.backTo(1);
    expect(written(table, 1)).toEqual(second);
  });
});

describe("the row of a step", () => {
  const rowOf = (optimizer: Optimizer, lr: number, decay: number, t: number): number[] => {
    const row = new Float32Array(6).fill(9);
    optimizer.writeRow(row, 1, lr, decay, t);
    expect([row[0], row[5]]).toEqual([9, 9]);
    return [...row.subarray(1, 5)];
  };
  /** Half of the last place of an f32, relatively: what storing a number may lose. */
  const rounding = 2 ** -24;
  const expectClose = (found: readonly number[], exact: readonly number[]): void => {
    for (const [i, value] of exact.entries()) {
      expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(Math.abs(value) * rounding * 1.0001);
    }
  };

  test.each([1, 2, 10, 1000, 100_000])("of adam at t = %d is that of the formulas", (t) => {
    for (const [beta1, beta2] of [
      [0.9, 0.999],
      [0.5, 0.9999],
      [0, 0.99],
    ] as const) {
      const exact = [0.003, 0.02, 0.003 / (1 - beta1 ** t), 1 / Math.sqrt(1 - beta2 ** t)];
      expectClose(rowOf(adam({ betas: [beta1, beta2] }), 0.003, 0.02, t), exact);
      const decoupled = exact.with(1, 0.003 * 0.02);
      expectClose(rowOf(adamw({ betas: [beta1, beta2] }), 0.003, 0.02, t), decoupled);
    }
  });

  test("of adam keeps its digits where 1 - beta^t is almost nothing", () => {
    const [, , , correction] = rowOf(adam({ betas: [0.9, 1 - 2 ** -40] }), 1, 0, 1);
    expect(correction).toBe(2 ** 20);
  });

  test("of sgd has 1 in place of 1 - dampening at the first step of a layer", () => {
    const optimizer = sgd({ momentum: 0.9, dampening: 0.25 });
    expect(rowOf(optimizer, 0.5, 0.125, 1)).toEqual([0.5, 0.125, 1, 1]);
    expect(rowOf(optimizer, 0.5, 0.125, 2)).toEqual([0.5, 0.125, 0.75, 1]);
  });

  test("never ends in 0, which would mean frozen", () => {
    for (const optimizer of [sgd(), sgd({ momentum: 0.9 }), adam(), adam({ betas: [0, 0] })]) {
      for (const t of [1, 2, 1e6, 1e9]) expect(rowOf(optimizer, 0, 0, t)[3]).toBeGreaterThan(0);
    }
  });
});

describe("an optimizer with an option that cannot be", () => {
  test.each<[what: string, make: () => unknown]>([
    ["a rate below 0", () => adamw({ lr: -1 })],
    ["a beta of 1", () => adam({ betas: [0.9, 1] })],
    ["one beta", () => adam({ betas: [0.9] as unknown as [number, number] })],
    ["an eps that is no number", () => adam({ eps: Number.NaN })],
    ["a dampening that is no number", () => sgd({ momentum: 0.9, dampening: Number.NaN })],
    ["nesterov without momentum", () => sgd({ nesterov: true })],
  ])("is refused: %s", (_, make) => {
    expect(refusal(make)).toMatch(/^OptionError: (sgd|adamw?): /);
  });
});
