// What people see of the table: a row for each layer, one for each tensor, and the names that a change hit.

import { describe, expect, test } from "vitest";
import { adamw, dense, type Rates, relu, sequential, sgd } from "../../src/index.ts";
import { createCountedTable } from "../reference/counted-table.ts";
import { programOf } from "./program.ts";

const { layout, depths } = programOf(sequential({ stem: [dense(8), relu()], head: dense(3) }));
const tableOf = (rates?: Rates) => createCountedTable(layout.tensors, depths, adamw({ lr: 0.01 }), { rates });
const clock = { step: 0, stepsPerEpoch: undefined };

function trained(table: ReturnType<typeof tableOf>, steps: number) {
  const floats = new Float32Array(4 * table.rows.length);
  for (let step = 0; step < steps; step++) table.write(floats, { ...clock, step }, () => true);
  return { ...clock, step: steps };
}

describe("the row of a layer", () => {
  test("whose bias alone trains is that of its bias", () => {
    const table = tableOf({ "head.bias": { lr: 0.5 } });
    table.freeze("**.weight");
    const now = trained(table, 10);
    expect(table.table(now).at(-1)).toEqual({
      ...{ name: "head", parameterCount: 27, state: "active", optimizer: "adamw", base: 0.5, multiplier: 1, lr: 0.5 },
      ...{ weightDecay: 0, averaging: 0, updates: 10, assigned: 0 },
    });
  });

  test("whose weight waits is that of its weight, once nothing is more awake", () => {
    const table = tableOf({ "head.weight": { lr: 3, from: 20 } });
    table.freeze("head.bias");
    expect(table.table(clock).at(-1)).toMatchObject({ state: "waiting", base: 3, lr: 0 });
    table.freeze("head");
    expect(table.table(clock).at(-1)).toMatchObject({ state: "frozen", base: 3, lr: 0 });
  });

  test("all of whose tensors train is that of the first, which is the weight", () => {
    const table = tableOf({ "head.bias": 0.5 });
    expect(table.table(clock).at(-1)).toMatchObject({ base: 0.01, weightDecay: 0.01, lr: 0.01 });
  });
});

test("a row for each tensor shows what only one of them has", () => {
  const table = tableOf({ "head.bias": { lr: 0.5, multiplier: 0.5, averaging: 0.9, optimizer: sgd() } });
  table.freeze("stem.0.weight");
  table.assign("stem.0.bias", "head");
  const now = trained(table, 3);
  expect(table.tensorTable(now)).toEqual([
    {
      ...{ name: "stem.0.weight", layer: "stem.0", parameterCount: 48, state: "frozen", optimizer: "adamw" },
      ...{ base: 0.01, multiplier: 1, lr: 0, weightDecay: 0.01, averaging: 0, updates: 0 },
    },
    {
      ...{ name: "stem.0.bias", layer: "head", parameterCount: 8, state: "active", optimizer: "adamw" },
      ...{ base: 0.5, multiplier: 0.5, lr: 0.25, weightDecay: 0, averaging: 0.9, updates: 3 },
    },
    {
      ...{ name: "head.weight", layer: "head", parameterCount: 24, state: "active", optimizer: "adamw" },
      ...{ base: 0.01, multiplier: 1, lr: 0.01, weightDecay: 0.01, averaging: 0, updates: 3 },
    },
    {
      ...{ name: "head.bias", layer: "head", parameterCount: 3, state: "active", optimizer: "sgd" },
      ...{ base: 0.5, multiplier: 0.5, lr: 0.25, weightDecay: 0, averaging: 0.9, updates: 3 },
    },
  ]);
  expect(table.table(now).map(({ name, parameterCount, assigned }) => [name, parameterCount, assigned])).toEqual([
    ["stem.0", 48, 0],
    ["head", 35, 1],
  ]);
});

test("each change gives the names of the tensors that it hit", () => {
  const table = tableOf();
  expect(table.set("head", 1)).toEqual(["head.weight", "head.bias"]);
  expect(table.freeze("**.bias")).toEqual(["stem.0.bias", "head.bias"]);
  expect(table.unfreeze("stem")).toEqual(["stem.0.weight", "stem.0.bias"]);
  expect(table.assign("stem.0.bias", "head")).toEqual(["stem.0.bias"]);
  expect(table.scale("head", 0.5)).toEqual(["stem.0.bias", "head.weight", "head.bias"]);
  expect(table.scale("head.stem", 1)).toEqual(["stem.0.bias"]);
});

test("a bare layer, whose tensors have no layer's name before them", () => {
  const bare = programOf(dense(2));
  const table = createCountedTable(bare.layout.tensors, bare.depths, sgd({ lr: 1 }), {
    rates: { "**.bias": { weightDecay: 0.5 }, "**.weight": 3 },
  });
  expect(table.rows.map(({ name, lr, weightDecay }) => [name, lr, weightDecay])).toEqual([
    ["weight", 3, 0],
    ["bias", 1, 0.5],
  ]);
  expect(table.set("*", 2)).toEqual(["weight", "bias"]);
  expect(table.set("bias", 2)).toEqual(["bias"]);
  expect(table.assign("bias", "")).toEqual(["bias"]);
  expect(table.table(clock)).toMatchObject([{ name: "", state: "active", lr: 2 }]);
});

test.each<[what: string, use: (table: ReturnType<typeof tableOf>) => unknown]>([
  ["a pattern that is none", (table) => table.set(5 as never, 1)],
  ["no rule", (table) => table.set("head", undefined as never)],
  ["a schedule that is a number", (table) => table.set("head", { schedule: 0.5 as never })],
  ["a rate beyond f32", (table) => table.set("head", 1e39)],
  ["a decay beyond f32", (table) => table.set("head", { weightDecay: 1e39 })],
  ["a rate as text", (table) => table.set("head", "0.1" as never)],
  ["a misspelt part", (table) => table.set("head", { learningRate: 0.1 } as never)],
  ["frozen as text", (table) => table.set("head", { frozen: "no" as never })],
  ["a Map as a rule", (table) => table.set("head", new Map([["lr", 1]]) as never)],
  ["a layer that is no name", (table) => table.assign("head", 5 as never)],
  ["a factor as text", (table) => table.scale("head", "0.5" as never)],
  ["bare options of scale", (table) => table.scale("head", 0.5, 1e-5 as never)],
  ["a misspelt option of scale", (table) => table.scale("head", 1, { floer: 1 } as never)],
  ["a log that is none", (table) => table.replay({} as never)],
  ["schedules of a log as one", (table) => table.replay([], { schedules: (() => 1) as never })],
  ["a misspelt option of replay", (table) => table.replay([], { schedule: [] } as never)],
])("%s is refused, and nothing changes", (_, use) => {
  const table = tableOf();
  expect(() => use(table)).toThrowErrorMatchingSnapshot();
  expect(table.edits()).toEqual([]);
  expect(table.table(clock)).toEqual(tableOf().table(clock));
});

test("what a row's numbers come to must be in f32 as well", () => {
  const table = tableOf({ head: { lr: 1e38 } });
  expect(() => trained(table, 1)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: rates: at step 1 the update of "head.weight" with lr 1e+38 and weightDecay 0.01 is beyond f32. Give smaller ones.]`,
  );
});
