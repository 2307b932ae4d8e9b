// What a summary says of a model: each layer once, numbers counted by hand, and a table with aligned columns.

import { expect, test } from "vitest";
import {
  conv2d,
  dense,
  flatten,
  functional,
  type Layer,
  maxPool2d,
  relu,
  residual,
  sequential,
  summary,
} from "../../src/index.ts";
import { programOf } from "./program.ts";

const cnn = sequential({
  stem: [conv2d(16, { padding: "same" }), relu(), maxPool2d(2)],
  body: residual([conv2d(16, { padding: "same", bias: false })]),
  end: flatten(),
  head: dense(10),
});

test("tells path, kind, shape, parameters and multiply-adds of every layer, and the sums", () => {
  expect(String(summary(cnn, { input: [28, 28, 1] })).split("\n")).toEqual([
    "layer   kind       output        parameters  states  multiply-adds",
    "stem.0  conv2d     [28, 28, 16]         160       0        112,896",
    "stem.1  relu       [28, 28, 16]           0       0              0",
    "stem.2  maxPool2d  [14, 14, 16]           0       0              0",
    "body.0  conv2d     [14, 14, 16]       2,304       0        451,584",
    "body    residual   [14, 14, 16]           0       0              0",
    "end     flatten    [3136]                 0       0              0",
    "head    dense      [10]              31,370       0         31,360",
    "total                                33,834       0        595,840",
  ]);
});

test("tells the tensors and the depth of layers with weights", () => {
  const { layers, parameterCount } = summary(cnn, { input: [28, 28, 1] });
  expect(layers.filter(({ depth }) => depth !== undefined).map(({ name, depth }) => [name, depth])).toEqual([
    ["stem.0", 1],
    ["body.0", 2],
    ["head", 3],
  ]);
  expect(layers.find(({ name }) => name === "head")?.shapes).toEqual({ weight: [3136, 10], bias: [10] });
  expect(parameterCount).toBe(33_834);
});

test("counts a layer that is used twice once, and its products twice", () => {
  const shared = dense(6);
  const model = functional((x, { use }) => use("head", dense(2), use("a", shared, use("a", shared, x))));
  const { layers } = summary(model, { input: [6] });
  expect(layers.map(({ name, parameterCount, multiplyAdds }) => [name, parameterCount, multiplyAdds])).toEqual([
    ["a", 42, 72],
    ["head", 14, 12],
  ]);
});

test("calls a bare layer by its kind, and is that of a program of any batch", () => {
  expect(summary(dense(3), { input: [4] }).layers).toMatchObject([{ name: "", kind: "dense", parameterCount: 15 }]);
  const { summary: ofProgram } = programOf(cnn, { input: [28, 28, 1], batch: 32 });
  expect(String(ofProgram)).toBe(String(summary(cnn, { input: [28, 28, 1] })));
});

test("refuses what is no model and what does not fit", () => {
  expect(() => summary(dense as unknown as Layer, { input: [4] })).toThrow("summary: the first argument is");
  expect(() => summary(dense(3), {} as never)).toThrow("summary: input is undefined");
  expect(() => summary(dense(3, { inputs: 5 }), { input: [4, 4] })).toThrow("dense: input has 4 features");
});
