// When layers train: from and until, three states that stay distinct, clocks of their own, rests and updates taken back,
// tensors handed to other layers, rates scaled, optimizers mixed, and all of it in a checkpoint.

import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  cosineAnnealingLR,
  type Edit,
  type Optimizer,
  type RateRule,
  type RateSpec,
  type Rates,
  type Schedule,
  sgd,
} from "../../src/index.ts";
import { settled } from "../../src/optim/counts.ts";
import type { RateTableOptions } from "../../src/optim/rates.ts";
import { type CountedTable, createCountedTable } from "../reference/counted-table.ts";

const tensors = ["stem.weight", "stem.bias", "body.weight", "body.bias", "head.weight", "head.bias"].map((name) => ({
  name,
  shape: name.endsWith("bias") ? [3] : [3, 3],
  layer: name.slice(0, 4),
  offset: 0,
  length: name.endsWith("bias") ? 3 : 9,
}));
const depths = new Map([
  ["stem", 1],
  ["body", 2],
  ["head", 3],
]);

const tableOf = (options: RateTableOptions = {}, optimizer: Optimizer = sgd({ lr: 1 })): CountedTable =>
  createCountedTable(tensors, depths, optimizer, options);

const clockAt = (step: number, stepsPerEpoch: number | undefined = 10) => ({ step, stepsPerEpoch });

/** The rates that one step would write, by tensor; undefined for rows of zeros. */
function write(table: CountedTable, step: number, takesPart: (row: number) => boolean = () => true) {
  const floats = new Float32Array(4 * table.rows.length).fill(Number.NaN);
  table.advance(clockAt(step));
  table.write(floats, clockAt(step), takesPart);
  return Object.fromEntries(
    table.rows.map(({ name }, i) => {
      const row = [...floats.subarray(4 * i, 4 * i + 4)];
      if (row[3] === 0) expect(row).toEqual([0, 0, 0, 0]);
      return [name, row[3] === 0 ? undefined : row[0]];
    }),
  );
}

const updatesOf = (table: CountedTable): number[] => [...settled(table.counts).updates];
const trainedOf = (table: CountedTable): number[] => [...settled(table.counts).trained];
const statesOf = (table: CountedTable, step: number): string[] => table.table(clockAt(step)).map(({ state }) => state);

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  return "accepted";
};

describe("from and until", () => {
  test("freeze a layer before the one step and from the other on", () => {
    const table = tableOf({ rates: { stem: { from: 2, until: 4 } } });
    const rates = [0, 1, 2, 3, 4, 5].map((step) => write(table, step)["stem.weight"]);
    expect(rates).toEqual([undefined, undefined, 1, 1, undefined, undefined]);
    expect(updatesOf(table)).toEqual([2, 2, 6, 6, 6, 6]);
  });

  test("count epochs by the length of the data, whole or not", () => {
    const table = tableOf({ rates: { stem: { from: { epochs: 1 } }, body: { until: { epochs: 1.25 } } } });
    expect(table.frozenAt(clockAt(9))).toEqual(["stem.weight", "stem.bias"]);
    expect(table.frozenAt(clockAt(10))).toEqual([]);
    expect(table.frozenAt(clockAt(12))).toEqual([]);
    expect(table.frozenAt(clockAt(13))).toEqual(["body.weight", "body.bias"]);
    expect([0, 10, 13].map((step) => table.nextChange(clockAt(step)))).toEqual([10, 13, Number.POSITIVE_INFINITY]);
  });

  test("in epochs need data of known length, unless it is the beginning", () => {
    const table = tableOf({ rates: { stem: { from: { epochs: 0.5 } }, head: { from: { epochs: 0 } } } });
    expect(refusal(() => table.frozenAt({ step: 0, stepsPerEpoch: undefined }))).toMatchInlineSnapshot(
      `"OptionError: rates: "stem.weight" from or until 0.5 epochs: epochs cannot be counted, since the data has no known length. Give steps instead."`,
    );
    const shown = table.table({ step: 5, stepsPerEpoch: Number.POSITIVE_INFINITY });
    expect(shown.map(({ state }) => state)).toEqual(["waiting", "active", "active"]);
  });

  test("say when the set of frozen tensors changes next, and only then", () => {
    const table = tableOf({ rates: { stem: { from: 3 }, body: { from: 3, until: 9 }, head: { until: 20 } } });
    expect([0, 2, 3, 8, 9, 20].map((step) => table.nextChange(clockAt(step)))).toEqual([
      3,
      3,
      9,
      9,
      20,
      Number.POSITIVE_INFINITY,
    ]);
    table.freeze("body");
    expect(table.nextChange(clockAt(3))).toBe(20);
  });

  test("end with unfreeze", () => {
    const table = tableOf({ rates: { stem: { from: 3, until: 5, frozen: true } } });
    table.unfreeze("stem");
    expect([0, 4, 6].map((step) => table.frozenAt(clockAt(step)))).toEqual([[], [], []]);
  });
});

describe("the states of a layer", () => {
  test("are active, at rate 0 too, resting, waiting and frozen", () => {
    const table = tableOf({ rates: { stem: { from: 3 }, body: 0 } });
    table.rest("head", 1, 2);
    expect(statesOf(table, 0)).toEqual(["waiting", "active", "active"]);
    expect(statesOf(table, 1)).toEqual(["waiting", "active", "resting"]);
    table.freeze("body");
    expect(statesOf(table, 3)).toEqual(["active", "frozen", "active"]);
  });

  test("are those of the tensor that is most awake", () => {
    const table = tableOf({ rates: { "stem.bias": { from: 3 }, "body.weight": { frozen: true } } });
    table.freeze("stem.weight");
    expect(statesOf(table, 0)).toEqual(["waiting", "active", "active"]);
    expect(statesOf(table, 3)).toEqual(["active", "active", "active"]);
  });

  test("frozen counts nothing, rate 0 does", () => {
    const table = tableOf({ rates: { stem: 0, body: { frozen: true } } });
    expect(write(table, 0)).toEqual({ "stem.weight": 0, "stem.bias": 0, "head.weight": 1, "head.bias": 1 });
    expect(updatesOf(table)).toEqual([1, 1, 0, 0, 1, 1]);
  });
});

describe("a schedule on the layer's own clock", () => {
  const falling: Schedule = ({ updates }) => 1 / (1 + (updates as number));

  test("begins when the layer does, and anew when it was frozen", () => {
    const table = tableOf({ schedule: falling, rates: { stem: { from: 2 } } });
    const rates = [0, 1, 2, 3].map((step) => write(table, step)["stem.weight"]);
    expect(rates).toEqual([undefined, undefined, 1, 0.5]);
    table.freeze("stem");
    write(table, 4);
    table.unfreeze("stem");
    expect(table.table(clockAt(5))[0]?.lr).toBe(1);
    expect([5, 6].map((step) => write(table, step)["stem.weight"])).toEqual([1, 0.5]);
    expect(trainedOf(table)).toEqual([2, 2, 7, 7, 7, 7]);
    expect(updatesOf(table)).toEqual([4, 4, 7, 7, 7, 7]);
  });

  test("goes on where a freeze ended before any step", () => {
    const table = tableOf({ schedule: falling });
    write(table, 0);
    table.freeze("stem");
    table.unfreeze("stem");
    expect(write(table, 1)["stem.weight"]).toBe(0.5);
  });

  test("goes back with steps that did not happen, over a freeze in their midst", () => {
    const table = tableOf({ schedule: falling, rates: { stem: { until: 3 } } });
    for (const step of [0, 1]) write(table, step);
    for (const step of [2, 3, 4]) write(table, step);
    table.backTo(2);
    expect(write(table, 2)["stem.weight"]).toBe(Math.fround(1 / 3));
  });
});

describe("a guard", () => {
  test("gives rows the counts that they had before a step, around a freeze too", () => {
    const table = tableOf({ rates: { stem: { from: 2 } } });
    for (let step = 0; step < 100; step++) write(table, step, (row) => row !== 3 || step < 40);
    table.backTo(97, [0, 2, 3]);
    expect([...settled(table.counts).updates]).toEqual([95, 98, 97, 40, 100, 100]);
    expect([...settled(table.counts).trained]).toEqual([95, 98, 97, 40, 100, 100]);
    table.freeze("stem");
    write(table, 97);
    table.unfreeze("stem");
    write(table, 98);
    table.backTo(97, [0]);
    expect([updatesOf(table)[0], trainedOf(table)[0]]).toEqual([95, 95]);
  });

  test("leaves the counts of before as they were", () => {
    const table = tableOf();
    const { counts } = table;
    write(table, 0);
    table.rest("stem", 1, 3);
    expect([...settled(counts).updates, ...counts.trained, counts.rests.size]).toEqual(Array(13).fill(0));
  });

  test("lets rows rest without a change of the program", () => {
    const table = tableOf();
    table.rest("stem", 1, 3);
    const rates = [0, 1, 2, 3].map((step) => write(table, step)["stem.bias"]);
    expect(rates).toEqual([1, undefined, undefined, 1]);
    expect(updatesOf(table)).toEqual([2, 2, 4, 4, 4, 4]);
    expect(trainedOf(table)[0]).toBe(2);
    expect(table.frozenAt(clockAt(1))).toEqual([]);
    expect(table.nextChange(clockAt(0))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("optimizers by layer", () => {
  const head = adamw({ lr: 0.25, weightDecay: 0.5 });
  const other = sgd({ lr: 2, weightDecay: 0.125 });

  test("bring their base rate and decay, spare what they spare, and give way to the rule's own", () => {
    const table = tableOf({
      rates: [{ "**": { multiplier: 0.5 } }, { head: { optimizer: head }, body: { optimizer: other, lr: 7 } }],
    });
    const row = ({ lr, multiplier, weightDecay }: (typeof table.rows)[0]) => [lr, multiplier, weightDecay];
    expect(table.rows.map(row)).toEqual([
      [1, 0.5, 0],
      [1, 0.5, 0],
      [7, 1, 0.125],
      [7, 1, 0.125],
      [0.25, 0.5, 0.5],
      [0.25, 0.5, 0],
    ]);
    expect(table.table(clockAt(0)).map(({ optimizer }) => optimizer)).toEqual(["sgd", "sgd", "adamw"]);
  });

  test("are listed once each, the default first, those in use only", () => {
    const first = sgd({ lr: 1 });
    const third = sgd({ lr: 2, momentum: 0.5 });
    const mixed = tableOf({ rates: { stem: { optimizer: head }, body: { optimizer: third } } }, first);
    expect(mixed.optimizers).toEqual([first, head, third]);
    expect(mixed.rows.map((_, i) => mixed.ruleOf(i))).toEqual([1, 1, 2, 2, 0, 0]);
    expect(tableOf({ rates: { "**": { optimizer: head } } }, first).optimizers).toEqual([head]);
    expect(tableOf({ rates: { stem: { optimizer: first } } }, first).optimizers).toEqual([first]);
  });

  test("write their own rows", () => {
    const table = tableOf({ rates: { head: { optimizer: head } } });
    const floats = new Float32Array(24);
    table.write(floats, clockAt(0), () => true);
    expect([...floats.subarray(0, 4)]).toEqual([1, 0, 1, 1]);
    expect([...floats.subarray(16, 20)]).toEqual([
      0.25,
      0.125,
      2.5,
      Math.fround(1 / Math.sqrt(-Math.expm1(Math.log(0.999)))),
    ]);
  });

  test("stay with the tensor when it is assigned", () => {
    const table = tableOf({ rates: { head: { optimizer: head } } });
    table.assign("head.weight", "body");
    expect(table.ruleOf(4)).toBe(1);
    expect(table.rows[4]?.lr).toBe(1);
  });
});

describe("assign", () => {
  test("hands tensors to a layer: its settings, its address, its line in the table", () => {
    const table = tableOf({ rates: { head: { lr: 5, multiplier: 0.5, weightDecay: 0.25, from: 1, averaging: 0.9 } } });
    write(table, 0);
    table.assign("body", "head");
    const { lr, multiplier, weightDecay, from, averaging } = table.rows[2] as CountedTable["rows"][0];
    expect(updatesOf(table)[2]).toBe(1);
    expect({ lr, multiplier, weightDecay, from, averaging }).toEqual({
      lr: 5,
      multiplier: 0.5,
      weightDecay: 0.25,
      from: 1,
      averaging: 0.9,
    });
    expect(
      table.table(clockAt(1)).map(({ name, parameterCount, assigned }) => [name, parameterCount, assigned]),
    ).toEqual([
      ["stem", 12, 0],
      ["head", 24, 2],
    ]);
    table.set("head", 3);
    expect(table.rows.map((row) => row.lr)).toEqual([1, 1, 3, 3, 3, 3]);
    expect(refusal(() => table.set("body", 4))).toMatchInlineSnapshot(
      `"NameError: rates.set: "body" matches no layer. Layers: stem, head."`,
    );
    table.set("head.body.weight", 4);
    table.assign("head.body", "body");
    table.set("body.bias", 6);
    expect(table.rows.map((row) => row.lr)).toEqual([1, 1, 4, 6, 3, 3]);
  });

  test("gives a bias the settings of a bias", () => {
    const table = tableOf({}, adamw());
    table.assign("stem", "head");
    expect(table.rows.slice(0, 2).map((row) => row.weightDecay)).toEqual([0.01, 0]);
  });
});

describe("scale", () => {
  test("acts on base rates, down to a floor, and not for less than eps", () => {
    const table = tableOf({ rates: { stem: { lr: 1, multiplier: 0.5 }, body: 0.01, head: 1e-3 } });
    table.scale("**", 0.1, { floor: 2e-3, eps: 1e-4 });
    expect(table.rows.map(({ lr, multiplier }) => lr * multiplier)).toEqual([0.05, 0.05, 2e-3, 2e-3, 1e-3, 1e-3]);
    expect(table.rows[0]?.multiplier).toBe(0.5);
    table.scale("body", 0.1, { floor: 1.95e-3, eps: 1e-4 });
    expect(table.rows[2]?.lr).toBe(2e-3);
  });
});

describe("averaging", () => {
  test("is a part of a rule, with a default for all", () => {
    const table = tableOf({ averaging: 0.99, rates: { head: { averaging: 0 } } });
    table.set("stem", { averaging: 0.5 });
    expect(table.table(clockAt(0)).map(({ averaging }) => averaging)).toEqual([0.5, 0.99, 0]);
  });
});

describe("the log", () => {
  test("has every change as JSON, with the step on which it acts first", () => {
    let step = 0;
    const table = tableOf({ now: () => step });
    table.set("head", 0.5);
    step = 7;
    table.set("**", { multiplier: 0.5, schedule: () => 1, until: { epochs: 3 } });
    table.freeze("stem");
    table.unfreeze("stem");
    table.assign("stem.bias", "head");
    table.scale("body", 0.5, { floor: 0.125 });
    expect(refusal(() => table.set("haed", 1))).not.toBe("accepted");
    expect(table.edits()).toEqual([
      { step: 0, kind: "set", pattern: "head", change: { lr: 0.5 } },
      {
        step: 7,
        kind: "set",
        pattern: "**",
        change: { multiplier: 0.5, schedule: { name: "custom", options: {} }, until: { epochs: 3 } },
      },
      { step: 7, kind: "freeze", pattern: "stem", change: {} },
      { step: 7, kind: "unfreeze", pattern: "stem", change: {} },
      { step: 7, kind: "assign", pattern: "stem.bias", change: { layer: "head" } },
      { step: 7, kind: "scale", pattern: "body", change: { factor: 0.5, floor: 0.125, eps: 0 } },
    ]);
    expect(JSON.parse(JSON.stringify(table.edits()))).toEqual(table.edits());
  });

  test("dates changes back that were made on steps which did not happen", () => {
    const table = tableOf();
    for (const step of [0, 1, 2]) write(table, step);
    table.set("stem", 0.5);
    write(table, 1);
    write(table, 2);
    table.set("head", 0.5);
    expect(table.edits().map(({ step }) => step)).toEqual([1, 3]);
  });

  test("waits in a replay for its steps, which are told beforehand", () => {
    const table = tableOf();
    const log: Edit[] = [
      { step: 2, kind: "set", pattern: "stem", change: { lr: 0.5 } },
      { step: 2, kind: "freeze", pattern: "body", change: {} },
      { step: 5, kind: "set", pattern: "**", change: { lr: 0.25 } },
    ];
    table.replay(log);
    expect([0, 2].map((step) => table.nextChange(clockAt(step)))).toEqual([2, 5]);
    expect([0, 1, 2].map((step) => write(table, step)["stem.weight"])).toEqual([1, 1, 0.5]);
    expect(table.frozenAt(clockAt(2))).toEqual(["body.weight", "body.bias"]);
    expect(table.edits()).toEqual(log.slice(0, 2));
  });

  test("stands still while the finder is at work, and goes back with a checkpoint", () => {
    const table = tableOf();
    table.replay([{ step: 2, kind: "set", pattern: "stem", change: { lr: 0.5 } }]);
    const before = table.state();
    table.sweep("**");
    expect(table.nextChange(clockAt(0))).toBe(Number.POSITIVE_INFINITY);
    expect(write(table, 2)["stem.weight"]).toBe(1);
    table.sweep(undefined);
    expect(write(table, 3)["stem.weight"]).toBe(0.5);
    table.restore(before, 0);
    expect([1, 2].map((step) => write(table, step)["stem.weight"])).toEqual([1, 0.5]);
    expect(table.edits()).toHaveLength(1);
    table.restore(before, 2);
    expect(write(table, 2)["stem.weight"]).toBe(0.5);
  });

  test.each<[what: string, line: unknown]>([
    ["a layer that is not there", { step: 3, kind: "set", pattern: "haed", change: { lr: 1 } }],
    ["a rate below 0", { step: 3, kind: "set", pattern: "head", change: { lr: -1 } }],
    ["a key that is none", { step: 3, kind: "set", pattern: "head", change: { rate: 1 } }],
    ["a kind that is none", { step: 3, kind: "thaw", pattern: "head", change: {} }],
    ["half a step", { step: 0.5, kind: "freeze", pattern: "head", change: {} }],
    [
      "a layer to assign to that is not there",
      { step: 3, kind: "assign", pattern: "head", change: { layer: "steem" } },
    ],
    ["a freeze of all", { step: 3, kind: "freeze", pattern: "**", change: {} }],
    ["a step that is past", { step: 1, kind: "freeze", pattern: "head", change: {} }],
    ["no factor", { step: 3, kind: "scale", pattern: "head", change: { floor: 0, eps: 0 } }],
    [
      "a schedule of your own",
      { step: 3, kind: "set", pattern: "head", change: { schedule: { name: "custom", options: {} } } },
    ],
    ["a schedule that is none", { step: 3, kind: "set", pattern: "head", change: { schedule: 3 } }],
    ["an address from before an assignment", { step: 9, kind: "freeze", pattern: "body.weight", change: {} }],
    ["nothing", null],
  ])("is refused as a whole before training for %s", (_, line) => {
    const table = tableOf({ now: () => 2 });
    const assigned = { step: 2, kind: "assign", pattern: "body.weight", change: { layer: "head" } };
    expect(refusal(() => table.replay([assigned, line] as Edit[]))).toMatchSnapshot();
    table.advance(clockAt(20));
    expect(table.edits()).toEqual([]);
    expect(table.rows[2]?.layer).toBe("body");
  });
});

describe("state for a checkpoint", () => {
  const schedule = cosineAnnealingLR({ steps: 50 });
  const rates: Rates = { head: { schedule: ({ step }) => 1 / (step + 1), optimizer: adam() }, body: { until: 40 } };

  test("brings back all settings, counters, rests and the log", () => {
    const options = { rates };
    const table = tableOf(options);
    for (let step = 0; step < 5; step++) write(table, step);
    table.set("stem", { lr: 3, weightDecay: 0.25, averaging: 0.5, from: 3, until: { epochs: 4 } });
    table.freeze("head.bias");
    table.assign("body.weight", "head");
    table.rest("head", 6, 8);
    write(table, 5);
    const other = tableOf(options);
    other.set("body", { lr: 9, until: 30 });
    other.freeze("stem");
    other.rest("stem", 0, 100);
    other.restore(JSON.parse(JSON.stringify(table.state())), 6);
    expect(other.state()).toEqual(table.state());
    expect(other.edits()).toEqual(table.edits());
    for (let step = 6; step < 60; step++) {
      expect(other.frozenAt(clockAt(step))).toEqual(table.frozenAt(clockAt(step)));
      expect(write(other, step)).toEqual(write(table, step));
    }
    expect(other.table(clockAt(60))).toEqual(table.table(clockAt(60)));
  });

  test("takes back a schedule that was changed after it was made", () => {
    const table = tableOf();
    const state = table.state();
    table.set("**", { schedule: () => 0.5 });
    table.restore(state, 0);
    expect(write(table, 0)["stem.weight"]).toBe(1);
  });

  test("leaves a function of the user's in place, which no file can hold", () => {
    const table = tableOf();
    table.set("stem", { schedule: () => 0.5 });
    const state = JSON.parse(JSON.stringify(table.state()));
    table.restore(state, 0);
    expect(write(table, 0)["stem.weight"]).toBe(0.5);
  });

  test("holds a schedule that has a description", () => {
    const table = tableOf();
    table.set("stem", { schedule });
    const other = tableOf();
    const { name } = table.state().rows["stem.weight"]?.schedule ?? {};
    if (name !== "custom") other.restore(JSON.parse(JSON.stringify(table.state())), 0);
    expect(write(other, 25)["stem.weight"]).toBe(name === "custom" ? 1 : 0.5);
  });
});

describe("what cannot be meant is refused", () => {
  const live = (spec: unknown) => () => tableOf().set("head", spec as RateSpec);

  test.each<[what: string, act: () => unknown]>([
    ["a rate below 0", live(-1)],
    ["a misspelt key", live({ form: 3 } as RateRule)],
    ["an averaging above 1", live({ averaging: 1.5 })],
    ["a frozen that is a word", live({ frozen: "yes" })],
    ["a schedule that is a number", live({ schedule: 0.5 })],
    ["half a step", live({ from: 0.5 })],
    ["epochs below 0", live({ until: { epochs: -1 } })],
    ["minutes", live({ until: { minutes: 1 } })],
    ["an end before the beginning", live({ from: 5, until: 3 })],
    ["an end at the beginning, in epochs", live({ from: { epochs: 3 }, until: { epochs: 3 } })],
    ["an optimizer while training", live({ optimizer: adam() })],
    ["an optimizer that is none", () => tableOf({ rates: { head: { optimizer: {} as Optimizer } } })],
    ["an unknown layer to assign to", () => tableOf().assign("head", "setm")],
    ["a factor below 0", () => tableOf().scale("head", -1)],
    [
      "a factor beyond all numbers",
      () => tableOf().scale("head", 1e308) ?? tableOf({ rates: { head: 10 } }).scale("head", 1e308),
    ],
    ["a freeze of everything", () => tableOf().freeze("**")],
    ["an end of everything", () => tableOf().set("**", { until: 0 })],
    ["rules that freeze everything", () => tableOf({ rates: { "**": { frozen: true } } })],
    ["a default averaging below 0", () => tableOf({ averaging: -1 })],
  ])("%s", (_, act) => {
    expect(refusal(act)).toMatchSnapshot();
  });

  test("but everything may be frozen for a while", () => {
    const table = tableOf({ rates: { head: { from: 5 } } });
    table.freeze("stem");
    table.freeze("body");
    expect(table.frozenAt(clockAt(0))).toHaveLength(6);
    expect(refusal(() => table.freeze("head"))).not.toBe("accepted");
    expect(table.frozenAt(clockAt(5))).toHaveLength(4);
  });

  test("and nothing has changed then", () => {
    const table = tableOf();
    const before = table.state();
    for (const act of [() => table.set("**", { lr: 3, from: 5, until: 3 }), () => table.freeze("**")]) {
      expect(refusal(act)).not.toBe("accepted");
    }
    expect(table.state()).toEqual(before);
  });
});
