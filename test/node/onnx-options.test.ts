// What a user may ask of the reader: images with channels last, tensors that stay as they are, some of the outputs.

import { expect, test } from "vitest";
import { fromOnnx } from "../../src/onnx/index.ts";
import { floats, info, node, onnxFile } from "../reference/onnx-file.ts";
import { runModel } from "../reference/run-model.ts";

/** Two convolutions with a relu between; the relu is an output too. */
const file = onnxFile({
  node: [
    node("Conv", ["x", "a.weight", "a.bias"], ["h"]),
    node("Relu", ["h"], ["r"]),
    node("Conv", ["r", "b.weight"], ["y"]),
  ],
  initializer: [floats([4, 3, 3, 3], "a.weight"), floats([4], "a.bias"), floats([2, 4, 1, 1], "b.weight")],
  input: [info("x", [3, 5, 5])],
  output: [info("y", [2, 3, 3]), info("r", [4, 3, 3])],
});

const BATCH = 2;
const image = (channel: number, pixel: number, sample: number): number => Math.sin(channel + 5 * pixel + 11 * sample);

/** Images in both orders. */
const ordered = (last: boolean): Float64Array =>
  Float64Array.from({ length: BATCH * 75 }, (_, i) => {
    const [sample, at] = [Math.floor(i / 75), i % 75];
    return last ? image(at % 3, Math.floor(at / 3), sample) : image(Math.floor(at / 25), at % 25, sample);
  });

test("images with channels last need no permutation and give the same numbers", async () => {
  const [first, last] = [await fromOnnx(file), await fromOnnx(file, { channelsLast: true })];
  expect([first.input, last.input]).toEqual([
    [3, 5, 5],
    [5, 5, 3],
  ]);
  expect(last.report.parts.map(({ kind }) => kind)).toEqual(["conv2d", "relu", "conv2d"]);
  const [a, b] = [first, last].map(({ model, input, weights }, i) =>
    runModel(model, new Map([["x", { shape: input as number[], data: ordered(i === 1) }]]), weights, BATCH).outputs.get(
      "y",
    ),
  );
  expect([a?.shape, b?.shape]).toEqual([
    [BATCH, 2, 3, 3],
    [BATCH, 3, 3, 2],
  ]);
  for (let i = 0; i < BATCH * 18; i++) {
    const [sample, channel, pixel] = [Math.floor(i / 18), Math.floor((i % 18) / 9), i % 9];
    expect(a?.data[i]).toBeCloseTo(b?.data[sample * 18 + pixel * 2 + channel] as number, 12);
  }
});

test("tensors that are fixed are states, all others train", async () => {
  const { report } = await fromOnnx(file, { fixed: ["a.*"] });
  expect(report.tensors.map(({ source, name, trains }) => [source, name, trains])).toEqual([
    ["a.weight", "a.weight", false],
    ["a.bias", "a.bias", false],
    ["b.weight", "b.weight", true],
  ]);
  expect(String(report)).toMatch(/a\.weight +\[3,3,3,4\] +state +a\.weight/);
});

test("of several outputs some can be asked for, and what only others need is left out", async () => {
  const { model, report, weights } = await fromOnnx(file, { outputs: ["r"] });
  expect(report.leftOut).toEqual(["b.weight"]);
  expect([...weights.keys()]).toEqual(["a.weight", "a.bias"]);
  const data = ordered(false);
  expect([...runModel(model, new Map([["x", { shape: [3, 5, 5], data }]]), weights, BATCH).outputs.keys()]).toEqual([
    "",
  ]);
});
