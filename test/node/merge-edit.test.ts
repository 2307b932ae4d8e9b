// The log of a slider: many changes at one step are one line where the rows come out the same, and a replay gives the same bits.

import { describe, expect, test } from "vitest";
import { constant, dense, type Edit, relu, type Schedule, sequential, sgd } from "../../src/index.ts";
import { createRateTable, type RateTable } from "../../src/optim/rates.ts";
import { randomEdit, randomness } from "../reference/random-edit.ts";
import { NaiveTable, NaiveTensor } from "../reference/rate-table.ts";
import { programOf } from "./program.ts";

const { layout, depths } = programOf(
  sequential({ stem: [dense(4), relu()], body: [dense(4), relu()], head: dense(2) }),
);
const layers = ["stem.0", "body.0", "head"];

const tableAt = (now: () => number): RateTable =>
  createRateTable(layout.tensors, depths, sgd({ lr: 1, weightDecay: 0.5 }), { now });

const settings = (table: RateTable): unknown[] =>
  table.rows.map(({ name, lr, multiplier, weightDecay, averaging, frozen, from, until, layer }) => [
    ...[name, lr, multiplier, weightDecay, averaging, frozen, from, until, layer],
  ]);

/** What the log makes of a fresh table. */
function replayed(edits: readonly Edit[], schedules: readonly Schedule[] = []): RateTable {
  let step = 0;
  const table = tableAt(() => step);
  table.replay(JSON.parse(JSON.stringify(edits)), { schedules });
  for (; step < 20; step++) table.advance({ step, stepsPerEpoch: 10 });
  return table;
}

describe("changes at one step", () => {
  test("of a slider are one line", () => {
    const table = tableAt(() => 3);
    for (let i = 1; i <= 500; i++) table.set("head", i / 1000);
    expect(table.edits()).toEqual([{ step: 3, kind: "set", pattern: "head", change: { lr: 0.5 } }]);
  });

  test("of three sliders in turn are three", () => {
    const table = tableAt(() => 3);
    for (let i = 1; i <= 50; i++) for (const name of layers) table.set(name, { multiplier: i / 100 });
    expect(table.edits()).toHaveLength(3);
    expect(settings(replayed(table.edits()))).toEqual(settings(table));
  });

  test("are merged part by part, and a rate drops the multiplier before it, not the one beside or after it", () => {
    const table = tableAt(() => 0);
    table.set("head", { multiplier: 2, weightDecay: 0.25 });
    table.set("head", { lr: 0.5 });
    expect(table.edits()[0]?.change).toEqual({ lr: 0.5, weightDecay: 0.25 });
    table.set("head", { multiplier: 3 });
    expect(table.edits()[0]?.change).toEqual({ lr: 0.5, weightDecay: 0.25, multiplier: 3 });
    table.set("head", { averaging: 0.5 });
    expect(table.edits()).toHaveLength(1);
    expect(table.edits()[0]?.change).toEqual({ lr: 0.5, weightDecay: 0.25, multiplier: 3, averaging: 0.5 });
    expect(settings(replayed(table.edits()))).toEqual(settings(table));
  });

  test("stay apart at other steps, of other kinds and patterns, and across what hit the same tensors", () => {
    let step = 0;
    const table = tableAt(() => step);
    table.set("head", 1);
    table.set("**", 2);
    table.set("head", 3);
    table.set("head.bias", 4);
    step = 1;
    table.set("head.bias", 5);
    expect(table.edits().map(({ change }) => change.lr)).toEqual([1, 2, 3, 4, 5]);
  });

  test("scale and assign stand alone", () => {
    const table = tableAt(() => 0);
    for (let i = 0; i < 3; i++) table.scale("head", 0.7);
    table.assign("stem.0.bias", "head");
    table.assign("head.stem.0.bias", "body.0");
    table.set("head", 1);
    table.assign("body.0.stem.0.bias", "stem.0");
    table.set("head", 2);
    expect(table.edits().map(({ kind }) => kind)).toEqual([
      ...["scale", "scale", "scale", "assign", "assign", "set", "assign", "set"],
    ]);
    expect(settings(replayed(table.edits()))).toEqual(settings(table));
  });

  test("freezing twice is freezing once; what freezes does not move to where it would freeze all", () => {
    const table = tableAt(() => 0);
    for (let i = 0; i < 9; i++) table.freeze("stem.0");
    expect(table.edits()).toHaveLength(1);
    table.freeze("head");
    table.set("body.0", { multiplier: 0.5 });
    table.unfreeze("stem.0");
    table.set("body.0", { frozen: true });
    expect(table.edits()).toHaveLength(5);
    expect(settings(replayed(table.edits()))).toEqual(settings(table));
  });

  test("of steps that did not happen are merged when they are dated back", () => {
    let step = 5;
    const table = tableAt(() => step);
    table.set("head", 1);
    step = 6;
    table.set("head", 2);
    step = 5;
    expect(table.edits()).toEqual([{ step: 5, kind: "set", pattern: "head", change: { lr: 2 } }]);
  });

  test("keep a schedule's place until another one takes it", () => {
    const table = tableAt(() => 0);
    const own: Schedule = () => 0.5;
    table.set("head", { schedule: constant() });
    table.set("head", { schedule: own });
    table.set("head", { lr: 3 });
    expect(table.edits()).toHaveLength(1);
    expect(table.edits()[0]?.change).toEqual({ lr: 3, schedule: { name: "custom", options: {} } });
    expect(replayed(table.edits(), [own]).rows.at(-1)?.schedule).toBe(own);
  });
});

test.each([1, 2, 3, 4, 5, 6])(
  "thirty random changes at each of five steps, seed %i: the log is shorter, its replay the same",
  (seed) => {
    const random = randomness(seed);
    const patterns = [...layers, ...layers, "head.bias", "**", "**.bias", "stem", "stem.0.weight"];
    const naive = new NaiveTable(
      layout.tensors.map(({ name, layer }) => new NaiveTensor(name, layer, "sgd", 1, 0.5)),
      10,
    );
    let step = 0;
    const table = tableAt(() => step);
    const scope = { layers, patterns, factors: [0.1, 0.5, 3], epochs: false };
    let made = 0;
    for (; step < 5; step++) {
      for (let i = 0; i < 30; i++) {
        const { taken, expected } = randomEdit(random, scope, table, naive, step);
        expect(taken).toBe(expected);
        if (taken) made++;
      }
    }
    // Schedules are not among the settings that are compared: any will do.
    const customs = table.edits().filter(({ change }) => Object(change.schedule).name === "custom");
    const other = replayed(
      table.edits(),
      customs.map(() => () => 1),
    );
    expect(table.edits().length).toBeLessThan(made);
    expect(settings(other)).toEqual(settings(table));
    expect(other.edits()).toEqual(table.edits());
  },
);
