// Models of named parts: what they compute, what is left of them when they are cut, and what is refused.

import { describe, expect, test } from "vitest";
import {
  cut,
  dense,
  dropout,
  functional,
  graph,
  layerNorm,
  type Model,
  relu,
  replaceHead,
  residual,
  sequential,
  softmax,
  tanh,
  type Value,
} from "../../src/index.ts";
import { programOf } from "./program.ts";

const sum = functional(({ a, b }: Record<"a" | "b", Value>, { add }) => add(a, b));
const forked = (): Model =>
  graph([
    ["stem.0.fc", dense(4), "x"],
    ["left", dense(3), "stem.0.fc"],
    ["right", dense(3), "stem.0.fc"],
    ["sum", sum, { a: "left", b: "right" }],
    ["aside", dense(7), "left"],
    ["head", dense(2), "sum"],
  ]);

const told = (model: Model) => {
  const { outputs, parameters } = programOf(model, { mode: "predict", batch: 5 });
  return [outputs.map(({ name, shape }) => `${name}[${shape}]`).join(), parameters.map(({ name }) => name).join(" ")];
};

const refusal = (make: () => unknown): string => {
  try {
    make();
    return "accepted";
  } catch (error) {
    return String(error);
  }
};

describe("a graph", () => {
  test("has its parts' names, with dots as groups", () => {
    const weights = ["stem.0.fc", "left", "right", "aside", "head"].map((name) => `${name}.weight ${name}.bias`);
    expect(told(forked())).toEqual(["[5,2]", weights.join(" ")]);
  });

  test("is what functional makes of the same layers", () => {
    const written = functional((x, { use, add }) => {
      const stem = use("stem", dense(4), x);
      const [left, right] = [use("left", dense(3), stem), use("right", dense(3), stem)];
      return use("head", dense(2), add(left, right));
    });
    const parts = graph([
      ["stem", dense(4), "x"],
      ["left", dense(3), "stem"],
      ["right", dense(3), "stem"],
      ["sum", sum, { a: "left", b: "right" }],
      ["head", dense(2), "sum"],
    ]);
    expect(programOf(parts).recording).toEqual(programOf(written).recording);
  });

  test("gives several outputs, and takes several inputs, by name", () => {
    const model = graph(
      [
        ["both", sum, { a: "one", b: "two" }],
        ["head", dense(2), "both"],
      ],
      { raw: "both", kind: "head" },
    );
    const inputs = ["one", "two"].map((name) => ({ name, shape: [6], integer: false }));
    const { outputs } = programOf(model, { inputs: inputs as never, mode: "predict", batch: 5 });
    expect(outputs.map(({ name, shape }) => `${name} ${shape}`)).toEqual(["raw 5,6", "kind 5,2"]);
  });

  test("uses a layer again, with the same weights", () => {
    const twice = graph([
      ["tower.fc", dense(4), "x"],
      ["act", relu(), "tower.fc"],
      ["other", dense(6), "act"],
      ["tower.fc#2", dense(4), "other"],
      ["sum", sum, { a: "tower.fc", b: "tower.fc#2" }],
    ]);
    expect(told(twice)).toEqual(["[5,4]", "tower.fc.weight tower.fc.bias other.weight other.bias"]);
    expect(told(cut(twice, "tower.fc#2"))[0]).toBe("[5,4]");
  });

  test("takes one of several results of a part as part:name", () => {
    const two = functional((x, { use }) => ({ small: use("s", dense(2), x), large: use("l", dense(9), x) }));
    const model = graph([
      ["two", two, "x"],
      ["head", relu(), "two:large"],
    ]);
    expect(told(model)[0]).toBe("[5,9]");
    expect(told(cut(model, "head"))[0]).toBe("[5,9]");
  });
});

describe("cut", () => {
  test("keeps what leads to the part, with its names", () => {
    expect(told(cut(forked(), "right"))).toEqual(["[5,3]", "stem.0.fc.weight stem.0.fc.bias right.weight right.bias"]);
    expect(told(cut(forked(), "sum"))[0]).toBe("[5,3]");
  });

  test("goes into parts of parts", () => {
    const model = sequential({ stem: [dense(4), relu(), dense(3)], head: dense(2) });
    expect(told(cut(model, "stem.1"))).toEqual(["[5,4]", "stem.0.weight stem.0.bias"]);
    expect(told(cut(cut(model, "stem"), "stem.0"))).toEqual(["[5,4]", "stem.0.weight stem.0.bias"]);
  });
});

describe("replaceHead", () => {
  test("takes the last layer with a product and what follows it", () => {
    const old = sequential([dense(4), relu(), dense(3), softmax()]);
    expect(told(replaceHead(old, [dropout(0.1), dense(7)]))).toEqual([
      "[5,7]",
      "0.weight 0.bias head.1.weight head.1.bias",
    ]);
    expect(told(replaceHead(forked(), [dense(9)], { name: "mine" }))[0]).toBe("[5,9]");
  });

  test("stands behind the part that is named, and a group is a head as a whole", () => {
    const vgg = sequential({ features: [dense(4)], classifier: [dense(3), relu(), dense(2)] });
    expect(told(replaceHead(vgg, [tanh()]))).toEqual(["[5,4]", "features.0.weight features.0.bias"]);
    const inner = replaceHead(vgg, [dense(8)], { after: "classifier.1" });
    expect(told(inner)).toEqual([
      "[5,8]",
      "features.0.weight features.0.bias classifier.0.weight classifier.0.bias head.0.weight head.0.bias",
    ]);
  });
});

test("what does not fit together is refused by name", () => {
  const opaque = residual([dense(6)]);
  const cases: Readonly<Record<string, () => unknown>> = {
    "no list": () => graph({} as never),
    "no parts": () => graph([]),
    "a part without a name": () => graph([[dense(2), "x"]] as never),
    "a name twice": () =>
      graph([
        ["a", dense(2), "x"],
        ["a", dense(2), "x"],
      ]),
    "no layer": () => graph([["a", 3 as never, "x"]]),
    "no source": () => graph([["a", dense(2)]] as never),
    "a list of sources": () => graph([["a", sum, ["x", "x"] as never]]),
    "an unknown source": () => programOf(graph([["a", dense(2), "stem"]])),
    "a later source": () =>
      programOf(
        graph([
          ["a", dense(2), "b"],
          ["b", dense(2), "x"],
        ]),
      ),
    "a name of an input": () => programOf(graph([["x", dense(2), "x"]])),
    "a name with a space": () => programOf(graph([["a b", dense(2), "x"]])),
    "an unknown output": () => programOf(graph([["a", dense(2), "x"]], "b")),
    "cut of no part": () => cut(forked(), "hed"),
    "cut within an opaque part": () => cut(sequential({ body: opaque }), "body.0"),
    "cut of a model without parts": () => cut(opaque, "0"),
    "cut of no model": () => cut(undefined as never, "0"),
    "cut at no name": () => cut(forked(), 3 as never),
    "a head of an old name": () => replaceHead(forked(), [dense(3)]),
    "no head": () => replaceHead(sequential({ norm: layerNorm(), act: relu() }), [dense(3)]),
    "a head that is all": () => replaceHead(sequential({ only: dense(3) }), [dense(3)]),
    "behind no part": () => replaceHead(forked(), [dense(3)], { after: "sun", name: "new" }),
    "no layers": () => replaceHead(forked(), [], { name: "new" }),
    "an unknown option": () => replaceHead(forked(), [dense(3)], { behind: "sum" } as never),
  };
  expect(Object.fromEntries(Object.entries(cases).map(([name, make]) => [name, refusal(make)]))).toMatchSnapshot();
});
