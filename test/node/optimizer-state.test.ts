// What an optimizer kept elsewhere, before a device: which states fit the rules of a trainer's tensors, how files of PyTorch are read,
// and what is refused by name.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  dense,
  type HostTensor,
  lstm,
  type OptimizerState,
  relu,
  sequential,
  sgd,
  summary,
} from "../../src/index.ts";
import { fromPyTorch, type LoadOptimizerOptions, loadOptimizer } from "../../src/pytorch/index.ts";
import { checkedState } from "../../src/trainer/state.ts";
import { input, resumedCases, resumedModel } from "../golden/resume.ts";
import { createCountedTable } from "../reference/counted-table.ts";
import { programOf } from "./program.ts";

const { layout, depths } = programOf(sequential({ stem: [dense(2), relu()], head: dense(2) }));
const names = layout.tensors.map(({ name }) => name);
const table = createCountedTable(layout.tensors, depths, adam(), { rates: { head: { optimizer: sgd() } } });
const lengths = new Map(layout.tensors.map(({ name, length }) => [name, length]));
const numbers = (name: string, value = 1): number[] => new Array(lengths.get(name)!).fill(value);
const of = (name: string) => ({ step: 4, moment1: numbers(name), moment2: numbers(name) });

const refusal = async (use: () => unknown): Promise<string> => {
  try {
    await use();
    return "accepted";
  } catch (error) {
    return String(error);
  }
};
const check = (state: unknown, { base = [] as string[], partial = false } = {}) =>
  checkedState("setState", { rows: table.rows, base }, layout.tensors, state as OptimizerState, partial);

test("a state that fits tells rows, moments and steps", () => {
  const found = check({ tensors: { "stem.0.weight": of("stem.0.weight"), "head.weight": { step: 7 } } });
  expect(found.step).toBe(undefined);
  expect([...found.counts]).toEqual([
    [names.indexOf("stem.0.weight"), 4],
    [names.indexOf("head.weight"), 7],
  ]);
  expect(found.moments.map(({ role, placed }) => `${role} ${placed.name}`)).toEqual([
    "moment1 stem.0.weight",
    "moment2 stem.0.weight",
  ]);
  expect(check({ step: 9, tensors: new Map([["head.bias", { step: 2 }]]), optimizer: "Adam" }).step).toBe(9);
  expect(check({ tensors: { old: of("stem.0.bias"), "head.bias": { step: 2 } } }, { partial: true }).counts.size).toBe(
    1,
  );
});

describe("of a state is refused", () => {
  const weight = "stem.0.weight";
  const cases: readonly (readonly [what: string, state: unknown, message: string])[] = [
    ["nothing", undefined, "OptionError: setState: it is undefined, it must be { step, tensors: "],
    ["a list of tensors", { tensors: [] }, "OptionError: setState: it is"],
    [
      "an unknown tensor",
      { tensors: { "stem.0.wait": of(weight) } },
      'NameError: setState: there is no tensor "stem.0.wait". Did you mean "stem.0.weight"?',
    ],
    ["no record", { tensors: { [weight]: 3 } }, `OptionError: setState: step of "${weight}" is undefined`],
    [
      "a missing moment",
      { tensors: { [weight]: { step: 1, moment1: numbers(weight) } } },
      `NameError: setState: "${weight}" is trained by adam, which keeps moment1, moment2; moment2 is missing.`,
    ],
    [
      "a moment that the rule has not",
      { tensors: { "head.bias": { step: 1, moment1: [1] } } },
      'NameError: setState: "head.bias" is trained by sgd, which keeps nothing; moment1 is given.',
    ],
    [
      "a wrong length",
      { tensors: { [weight]: { ...of(weight), moment2: [1] } } },
      `ShapeError: setState: moment2: "${weight}" of shape [6,2] has 12 numbers, 1 were given.`,
    ],
    [
      "a wrong shape",
      { tensors: { [weight]: { ...of(weight), moment1: { shape: [2, 6], data: numbers(weight) } } } },
      `ShapeError: setState: moment1: "${weight}" has shape [6,2], numbers of shape [2,6]`,
    ],
    [
      "a number that is none",
      { tensors: { [weight]: { ...of(weight), moment1: numbers(weight, Number.NaN) } } },
      "DataError: setState: moment1",
    ],
    [
      "a negative square",
      { tensors: { [weight]: { ...of(weight), moment2: numbers(weight, -1) } } },
      `OptionError: setState: moment2 of "${weight}" is -1 at 0, it must be at least 0: adam takes its root.`,
    ],
    [
      "half a step",
      { tensors: { [weight]: { ...of(weight), step: 1.5 } } },
      `OptionError: setState: step of "${weight}" is 1.5`,
    ],
    ["no step", { tensors: { "head.bias": {} } }, 'OptionError: setState: step of "head.bias" is undefined'],
    ["steps below 0", { step: -1, tensors: { "head.bias": { step: 1 } } }, "OptionError: setState: step is -1"],
  ];
  test.each(cases)("%s", async (_, state, message) => {
    expect(await refusal(() => check(state))).toContain(message);
  });
  test("a tensor of the base", async () => {
    const state = { tensors: { "old.weight": { step: 1 } } };
    const message = 'NameError: setState: "old.weight" is of the base and never trains';
    expect(await refusal(() => check(state, { base: ["old.weight"] }))).toContain(message);
  });
  test("tensors of which the model has none", async () => {
    expect(await refusal(() => check({ tensors: { a: { step: 1 } } }, { partial: true }))).toContain(
      "NameError: setState: none of them is of this model. They are called a; the model has ",
    );
  });
});

const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`test/golden/resume-${name}.pt`));
const model = summary(resumedModel(), { input });

describe("an optimizer of PyTorch", () => {
  test("is read by groups, rates, rules, steps and moments in the layout of the weights", async () => {
    const { state, rates, groups } = await loadOptimizer(model, file("adamw"), resumedCases.adamw);
    expect(state.step).toBe(12);
    expect(groups.map(({ names, lr, weightDecay }) => ({ names, lr, weightDecay }))).toEqual([
      { names: ["head.weight", "head.bias"], lr: 5e-3, weightDecay: 0.1 },
      { names: ["stem.weight", "stem.bias"], lr: 1e-3, weightDecay: 0.02 },
    ]);
    const rules = new Map(rates);
    expect(rules.get("stem.weight")).toMatchObject({ lr: 1e-3, weightDecay: 0.02 });
    expect(rules.get("stem.weight")!.optimizer!.spec).toEqual(adamw({ amsgrad: true }).spec);
    const shapes = [...state.tensors].map(([name, { moment3 }]) => [name, Object(moment3).shape] as const);
    expect(new Map(shapes)).toEqual(
      new Map([
        ["stem.weight", [3, 3, 2, 3]],
        ["stem.bias", [3]],
        ["head.weight", [48, 3]],
        ["head.bias", [3]],
      ]),
    );
    const plain = await loadOptimizer(model, file("sgd"), { order: ["head", "stem"] });
    expect(plain.state.step).toBe(1);
    expect(Object.keys(plain.state.tensors.get("head.bias")!)).toEqual(["step", "moment1"]);
    expect(new Map(plain.rates).get("stem.bias")).toEqual({ lr: 0.01, weightDecay: 1e-3 });
  });
  test("of an LSTM has one bias for two: the moments of either, twice the rate and half the decay", async () => {
    const { state, rates } = await loadOptimizer(
      summary(sequential({ read: lstm(2, { returnSequences: true }) }), { input: [4, 3] }),
      file("lstm"),
    );
    const { tensors } = await fromPyTorch(file("lstm"));
    const bias = state.tensors.get("read.bias")!;
    expect([bias.step, state.step]).toEqual([2, 2]);
    // PyTorch numbers the weights of inputs and of units 0 and 1, their biases 2 and 3.
    for (const [moment, key] of [["moment1", "exp_avg"] as const, ["moment2", "exp_avg_sq"] as const])
      for (const at of [2, 3]) {
        const there = tensors.get(`optimizer.state.${at}.${key}`)!.data;
        // Equal but for the last bit, in which PyTorch's own two part.
        for (const [i, value] of (bias[moment] as HostTensor).data.entries())
          expect(Math.abs(value / there[i]! - 1)).toBeLessThan(1e-6);
      }
    expect(Object.fromEntries(rates)).toEqual({
      "read.weight": { lr: 1e-3, weightDecay: 0.02 },
      "read.recurrentWeight": { lr: 1e-3, weightDecay: 0.02 },
      "read.bias": { lr: 2e-3, weightDecay: 0.01 },
    });
  });

  const cases: readonly (readonly [what: string, options: object, message: string])[] = [
    ["an unknown option", { parts: "optimizer" }, 'OptionError: loadOptimizer: there is no option "parts"'],
    ["half a step", { step: 0.5 }, "OptionError: loadOptimizer: step is 0.5"],
    [
      "another part",
      { part: "model" },
      'CheckpointError: loadOptimizer: it has no optimizer "model"; those there are lie at "optimizer"',
    ],
    [
      "too few names",
      { names: ["head.weight"] },
      "CheckpointError: loadOptimizer: its groups have 4 parameters, and 1 names are known",
    ],
    [
      "an order without names",
      { order: ["tail"] },
      'loadOptimizer: order has "tail", and no parameter is called so; there are "stem.weight"',
    ],
    [
      "another order",
      {},
      'ShapeError: loadWeights: "stem.weight" of shape [3,3,2,3] needs [3,2,3,3], "stem.weight" has [3,48]',
    ],
    [
      "names that the model has not",
      { order: ["head", "stem"], rename: [["head", "tail"]] },
      'the model has no place for the parameters "tail.weight (head.weight)"',
    ],
    ["another rule", { order: ["head", "stem"], optimizer: sgd }, "OptionError: sgd"],
  ];
  test.each(cases)("%s is refused", async (_, options, message) => {
    expect(await refusal(() => loadOptimizer(model, file("adamw"), options as LoadOptimizerOptions))).toContain(
      message,
    );
  });
  test.each([
    ["a checkpoint of Gradus", "test/golden/handover.safetensors", {}, 'it keeps "'],
    ["weights alone", "test/golden/resume-sgd.pt", { part: "model" }, 'it has no optimizer "model"'],
  ])("%s is refused", async (_, path, options, message) => {
    expect(await refusal(() => loadOptimizer(model, new Uint8Array(readFileSync(path)), options))).toContain(message);
  });
});
