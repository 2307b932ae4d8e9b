// Rules by pattern as objects, Maps and lists of pairs: all in the order in which they were written, or refused.

import { describe, expect, test } from "vitest";
import {
  constant,
  dense,
  layerDecay,
  muP,
  OptionError,
  oneCycle,
  type Rates,
  reduceLROnPlateau,
  relu,
  sequential,
  sgd,
} from "../../src/index.ts";
import { createCountedTable } from "../reference/counted-table.ts";
import { programOf } from "./program.ts";

const { layout, depths } = programOf(sequential([dense(4), relu(), dense(2)]));
const tableOf = (rates: unknown, schedule?: unknown) =>
  createCountedTable(layout.tensors, depths, sgd({ lr: 1 }), { rates: rates as Rates, schedule: schedule as never });
const ratesOf = (rates: unknown): number[] => {
  const { rows } = tableOf(rates);
  return ["0.weight", "0.bias", "2.weight", "2.bias"].map((name) => {
    const { lr, multiplier } = rows.find((row) => row.name === name) as (typeof rows)[0];
    return lr * multiplier;
  });
};

describe("rules by pattern", () => {
  const pairs: Rates = [
    ["**", 0.1],
    ["2", 0.01],
  ];

  test.each<[what: string, rates: unknown, expected: number[]]>([
    ["a list of pairs", pairs, [0.1, 0.1, 0.01, 0.01]],
    ["pairs the other way round", [...pairs].reverse(), [0.1, 0.1, 0.1, 0.1]],
    ["a Map", new Map(pairs as [string, number][]), [0.1, 0.1, 0.01, 0.01]],
    ["pairs among lists of rules", [{ "**": 3 }, ["2", 0.01], layerDecay(0.5)], [1.5, 1.5, 0.01, 0.01]],
    ["a list of pairs among others", [{ "**": 3 }, pairs], [0.1, 0.1, 0.01, 0.01]],
    ["a list of Maps", [new Map([["2", 5]]), new Map([["2.bias", 6]])], [1, 1, 5, 6]],
    ["keys with a dot in them", { "**": 0.1, "2.bias": 0.01, "0.weight": 0.2 }, [0.2, 0.1, 0.1, 0.01]],
    ["no rules", [], [1, 1, 1, 1]],
    ["an empty object", {}, [1, 1, 1, 1]],
  ])("%s", (_, rates, expected) => expect(ratesOf(rates)).toEqual(expected));

  test.each<[what: string, rates: unknown]>([
    ["a key that is a whole number", { "**": 0.1, "2": 0.01 }],
    ["0 as a key", { "0": 0.01 }],
    ["such a key deep in a list", [[{ "**": 1 }, [{ "2": 1 }]]]],
    ["a pair of three", [["2", 0.01, 0.1]]],
    ["a pair of one", [["2"]]],
    ["a pair alone", ["2", 0.01]],
    ["a Set", new Set(["2"])],
    ["a Map of Maps", new Map([["2", new Map([["lr", 1]])]])],
    ["a promise of a rule", { "**": Promise.resolve(1) }],
    ["a predicate of promises", async () => 0.1],
    ["a predicate in the place of a rule", { "**": () => 0.1 }],
    ["a list in the place of a rule", { "**": [] }],
    ["a rate beyond f32", { "**": 1e39 }],
    ["a decay beyond f32", { "**": { weightDecay: 1e39 } }],
    ["a multiplier beyond f32", { "**": { multiplier: 1e39 } }],
    ["a schedule that is a number", { "**": { schedule: 0.5 } }],
    ["a schedule that is text", { "**": { schedule: "oneCycle" } }],
    ["an optimizer that is none", { "**": { optimizer: { rule: {} } } }],
    ["an optimizer that was not made", { "**": { optimizer: sgd } }],
    ["null", null],
  ])("%s is refused", (_, rates) => {
    expect(() => tableOf(rates)).toThrow(OptionError);
    expect(() => tableOf(rates)).toThrowErrorMatchingSnapshot();
  });
});

test.each<[what: string, schedule: unknown]>([
  ["0.5", 0.5],
  ["null", null],
  ["a name", "oneCycle"],
  ["a spec", { name: "constant", options: {} }],
])("a schedule for all that is %s is refused", (_, schedule) => {
  expect(() => tableOf(undefined, schedule)).toThrow(/^compile: schedule is .*, it must be a function\.$/);
});

test("lowest rates take pairs and Maps, and refuse a key that is a whole number", () => {
  const calls: [string, number][] = [];
  const target = { scale: (pattern: string, factor: number) => void calls.push([pattern, factor]) };
  const use = (minLr: unknown): string[] => {
    calls.length = 0;
    reduceLROnPlateau(target, { minLr: minLr as number });
    return calls.map(([pattern]) => pattern);
  };
  expect(use([["2", 1e-5]])).toEqual(["2"]);
  expect(
    use(
      new Map([
        ["2", 1e-5],
        ["0", 1e-6],
      ]),
    ),
  ).toEqual(["2", "0"]);
  expect(use({ "2.bias": 1e-5, head: 1e-6 })).toEqual(["2.bias", "head"]);
  expect(() => use({ "2": 1e-5 })).toThrow(/whole number/);
  expect(() => use(new Map())).toThrow(OptionError);
});

test("shapes of muP may come as a Map", () => {
  const base = new Map(layout.tensors.map(({ name, shape }) => [name, shape.map(() => 1)]));
  expect(ratesOf(muP({ base }))).not.toEqual([1, 1, 1, 1]);
  expect(ratesOf(muP({ base }))).toEqual(ratesOf(muP({ base: Object.fromEntries(base) })));
});

test("a rate that becomes more than f32 holds is refused when its step comes", () => {
  const write = (table: ReturnType<typeof tableOf>, step: number) =>
    table.write(new Float32Array(4 * table.rows.length), { step, stepsPerEpoch: undefined }, () => true);
  const rising = tableOf({ "**": { lr: 1e30, multiplier: 1e5, schedule: ({ step }: { step: number }) => 10 ** step } });
  for (let step = 0; step < 4; step++) write(rising, step);
  expect(() => write(rising, 4)).toThrowErrorMatchingInlineSnapshot(
    `[OptionError: schedule: at step 5 the rate of "0.weight" is 1e+39, it must be a finite number of at least 0 in f32. Look at what its schedule returns for lr 1e+30 and multiplier 100000.]`,
  );
  expect(() => write(tableOf({ "**": { lr: 3e38, multiplier: 2 } }), 0)).toThrow(OptionError);
});

test("schedules and constants are still what they were", () => {
  expect(() => tableOf({ "**": { schedule: oneCycle({ steps: 10 }) } }, constant())).not.toThrow();
});
