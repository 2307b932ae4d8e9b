// What loadWeights does with names, with what is missing or left over, and with what does not fit.

import { describe, expect, test } from "vitest";
import { dense, flatten, permute, sequential, summary } from "../../src/index.ts";
import { type LoadWeightsOptions, loadWeights } from "../../src/pytorch/index.ts";

const model = sequential({ body: sequential([dense(2), dense(3)]), head: dense(1) });
const target = summary(model, { input: [2] });

const counted = (...shape: number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((all, one) => all * one, 1) }, (_, i) => i),
});
type Source = ReadonlyMap<string, ReturnType<typeof counted>>;
const tensors = (entries: Readonly<Record<string, ReturnType<typeof counted>>>): Source =>
  new Map(Object.entries(entries));

const whole = {
  ...{ "body.0.weight": counted(2, 2), "body.0.bias": counted(2), "body.1.weight": counted(3, 2) },
  ...{ "body.1.bias": counted(3), "head.weight": counted(1, 3), "head.bias": counted(1) },
};
const renamedBy = (change: (name: string) => string): Source =>
  tensors(Object.fromEntries(Object.entries(whole).map(([name, tensor]) => [change(name), tensor])));

test("[out, in] becomes [in, out], and with layout gradus stays what it is", async () => {
  const { weights } = await loadWeights(target, tensors(whole));
  expect([...weights.keys()]).toEqual(Object.keys(whole));
  expect([...weights.get("body.1.weight")!.data]).toEqual([0, 2, 4, 1, 3, 5]);
  const own = tensors({ ...whole, "body.1.weight": counted(2, 3), "head.weight": counted(3, 1) });
  const same = await loadWeights(target, own, { layout: "gradus" });
  expect([...same.weights.get("body.1.weight")!.data]).toEqual([0, 1, 2, 3, 4, 5]);
});

describe("rename", () => {
  const expected = loadWeights(target, tensors(whole));
  const rules: readonly (readonly [
    what: string,
    change: (name: string) => string,
    rename: LoadWeightsOptions["rename"],
  ])[] = [
    ["takes a prefix away", (name) => `module.${name}`, [["module", ""]]],
    [
      "puts one in front",
      (name) => name.replace("body.", ""),
      [
        ["0", "body.0"],
        ["1", "body.1"],
      ],
    ],
    ["keeps what * stands for", (name) => name.replace(/body\.(\d)/, "layers.$1.fc"), [["layers.*.fc", "body.*"]]],
    ["keeps what ** stands for", (name) => `a.b.${name}.end`, [["a.b.**.end", "**."]]],
    ["knows * within a part", (name) => name.replace("weight", "weight_v"), [["**.*_v", "**.*"]]],
    [
      "acts one rule after the other",
      (name) => `x.y.${name}`,
      [
        ["x", ""],
        ["y", ""],
      ],
    ],
    ["may be a function", (name) => `net-${name}`, (name) => name.slice(4)],
  ];
  test.each(rules)("%s", async (_, change, rename) => {
    const { weights } = await loadWeights(target, renamedBy(change), { rename: rename! });
    expect(weights).toEqual((await expected).weights);
  });

  test("cuts a tensor along its first axis", async () => {
    const parts = sequential({ q: dense(2), k: dense(2) });
    const { weights } = await loadWeights(
      summary(parts, { input: [3] }),
      tensors({ "qk.weight": counted(4, 3), "qk.bias": counted(4) }),
      { rename: [["qk", ["q", "k"]]], strict: false },
    ).catch((error: Error) => ({ weights: error }));
    // k takes what q gives: [2, 2] is asked for, and [2, 3] is there.
    expect(String(weights)).toMatch(/ShapeError.*"k.weight" of shape \[2,2\] needs \[2,2\], "qk.weight" has \[2,3\]/);
    const square = await loadWeights(
      summary(parts, { input: [2] }),
      tensors({ "qk.weight": counted(4, 2), "qk.bias": counted(4) }),
      { rename: [["qk", ["q", "k"]]] },
    );
    expect([...square.weights.get("k.weight")!.data]).toEqual([4, 6, 5, 7]);
    expect([...square.weights.get("k.bias")!.data]).toEqual([2, 3]);
    expect(square.report.loaded.at(-1)?.from).toEqual(["qk.bias"]);
  });

  const wrong: readonly (readonly [rename: unknown, message: RegExp])[] = [
    [[["modul", ""]], /NameError: loadWeights: rename: "modul" matches no tensor. They are called "body.0.weight"/],
    [[["body.0", "head"]], /NameError: loadWeights: rename makes "head.(weight|bias)" of/],
    [[["body.*", "*.*"]], /OptionError: loadWeights: rename: "body.\*" has 1 wildcards, "\*.\*" up to 2/],
    [[["body"]], /OptionError: loadWeights: rename: a rule is \[from, to\]/],
    ["body", /OptionError: loadWeights: rename: it must be a list of rules or a function/],
    [() => 3, /OptionError: loadWeights: rename: it gives no name for "body.0.weight"/],
  ];
  test.each(wrong)("refuses %j", async (rename, message) => {
    const options = { rename } as LoadWeightsOptions;
    expect(String(await loadWeights(target, tensors(whole), options).catch((error: unknown) => error))).toMatch(
      message,
    );
  });
});

describe("what does not fit", () => {
  const { "head.bias": _, ...short } = whole;
  const more = { ...whole, "tail.weight": counted(1) };

  test("missing and left over tensors are listed, and let pass where strict is false", async () => {
    const both = tensors({ ...short, "tail.weight": counted(1) });
    await expect(loadWeights(target, both)).rejects.toThrow(
      'loadWeights: 1 tensors are missing: "head.bias"; 1 are left over: "tail.weight". Names are brought together by rename',
    );
    const { report, weights } = await loadWeights(target, both, { strict: false });
    expect(report).toMatchObject({ missing: ["head.bias"], unexpected: ["tail.weight"], ignored: [] });
    expect(weights.size).toBe(5);
    expect(String(report).split("\n")).toEqual([
      "body.0.weight  [2, 2]  body.0.weight",
      "body.0.bias    [2]     body.0.bias",
      "body.1.weight  [2, 3]  body.1.weight",
      "body.1.bias    [3]     body.1.bias",
      "head.weight    [3, 1]  head.weight",
      "missing: head.bias",
      "left over: tail.weight",
    ]);
    await expect(loadWeights(target, tensors(more))).rejects.toThrow('loadWeights: 1 are left over: "tail.weight".');
    await expect(loadWeights(target, tensors(short))).rejects.toThrow(
      'loadWeights: 1 tensors are missing: "head.bias".',
    );
    const other = tensors({ "tail.weight": counted(1) });
    await expect(loadWeights(target, other, { strict: false })).rejects.toThrow("6 tensors are missing");
  });

  test("counts of batches are no weights", async () => {
    const { report } = await loadWeights(target, tensors({ ...whole, "body.num_batches_tracked": counted() }));
    expect(report.ignored).toEqual(["body.num_batches_tracked"]);
  });

  test("another shape is told with both", async () => {
    const wide = tensors({ ...whole, "head.weight": counted(1, 4) });
    await expect(loadWeights(target, wide)).rejects.toThrow(
      'loadWeights: "head.weight" of shape [3,1] needs [1,3], "head.weight" has [1,4].',
    );
  });

  test("options and targets that do not exist are refused by name", async () => {
    const options = { strickt: true } as LoadWeightsOptions;
    await expect(loadWeights(target, tensors(whole), options)).rejects.toThrow('there is no option "strickt"');
    await expect(loadWeights({} as typeof target, tensors(whole))).rejects.toThrow(
      "its target is no model with weights",
    );
    const layout = "keras" as "pytorch";
    await expect(loadWeights(target, tensors(whole), { layout })).rejects.toThrow('layout is "keras"');
    const flattened = { tail: false as const };
    await expect(loadWeights(target, tensors(whole), { flattened })).rejects.toThrow('there is no layer "tail"');
  });
});

test("behind a flatten a dense layer's inputs are put in order, if nobody says that they are", async () => {
  const images = sequential({ flat: flatten(), head: dense(1) });
  const layers = summary(images, { input: [1, 2, 3] });
  const file = tensors({ "head.weight": counted(1, 6), "head.bias": counted(1) });
  const numbers = async (flattened?: LoadWeightsOptions["flattened"]) => [
    ...(await loadWeights(layers, file, flattened && { flattened })).weights.get("head.weight")!.data,
  ];
  // Nothing before the flatten says that its input is an image.
  expect(await numbers()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await numbers({ head: [3, 1, 2] })).toEqual([0, 2, 4, 1, 3, 5]);
  const seen = summary(sequential({ move: permute([1, 2, 3]), flat: flatten(), head: dense(1) }), { input: [1, 2, 3] });
  expect([...(await loadWeights(seen, file)).weights.get("head.weight")!.data]).toEqual([0, 2, 4, 1, 3, 5]);
  expect([...(await loadWeights(seen, file, { flattened: { head: false } })).weights.get("head.weight")!.data]).toEqual(
    [0, 1, 2, 3, 4, 5],
  );
});

test("a network or a trainer as target is set", async () => {
  const set: unknown[] = [];
  const network = { summary: () => target, setWeights: (weights: unknown) => void set.push(weights) };
  const { weights } = await loadWeights(network, tensors(whole));
  await loadWeights({ network, setWeights: network.setWeights }, tensors(whole));
  expect(set).toEqual([weights, weights]);
});
