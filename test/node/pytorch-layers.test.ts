// Each kind of layer with the weights that PyTorch saves gives what PyTorch gives.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  batchNorm,
  bidirectional,
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  dropout,
  embedding,
  flatten,
  groupNorm,
  gru,
  layerNorm,
  lstm,
  type Model,
  multiHeadAttention,
  positionEmbedding,
  prelu,
  relu,
  sequential,
  summary,
} from "../../src/index.ts";
import { type LoadWeightsOptions, loadWeights } from "../../src/pytorch/index.ts";
import { relativeError } from "../reference/golden-data.ts";
import { runModel } from "../reference/run-model.ts";

interface Numbers {
  readonly shape: readonly number[];
  readonly numbers: readonly number[];
}

const golden = JSON.parse(readFileSync("test/golden/pytorch-layers.json", "utf8")) as Readonly<
  Record<string, { readonly file: string; readonly x: Numbers; readonly y: Numbers }>
>;
const fileOf = (name: string): Uint8Array => Buffer.from(golden[name]!.file, "base64");

const returnSequences = true;
const models: Readonly<Record<string, readonly [model: Model, options?: LoadWeightsOptions]>> = {
  conv2d: [conv2d(6, { kernel: [3, 2], stride: 2, padding: 1 })],
  "conv2d in groups": [conv2d(6, { groups: 2 })],
  conv1d: [conv1d(3, { padding: 1 })],
  conv2dTranspose: [conv2dTranspose(6, { stride: 2 })],
  "conv2dTranspose in groups": [conv2dTranspose(6, { groups: 2 })],
  depthwiseConv2d: [depthwiseConv2d({ depthMultiplier: 2 })],
  batchNorm: [batchNorm()],
  layerNorm: [layerNorm()],
  groupNorm: [groupNorm(2)],
  prelu: [prelu()],
  "linear of a sequence": [dense(3)],
  "flatten of images": [sequential([conv2d(3), relu(), flatten(), dropout(0.5), dense(5)])],
  lstm: [sequential({ rnn: lstm(4, { returnSequences }) })],
  "lstm both ways": [sequential({ rnn: bidirectional((reverse) => lstm(4, { reverse, returnSequences })) })],
  "lstm of two": [
    sequential({ rnn0: lstm(4, { returnSequences }), rnn1: lstm(4, { returnSequences }) }),
    {
      rename: [
        ["rnn.*_l0", "rnn0.*_l0"],
        ["rnn.*_l1", "rnn1.*_l0"],
      ],
    },
  ],
  gru: [sequential({ rnn: gru(4, { returnSequences }) })],
  attention: [sequential({ attention: multiHeadAttention({ heads: 2 }) })],
  words: [sequential({ words: embedding(7, 4), places: positionEmbedding(5) })],
};

/** Classes where the model takes whole numbers. */
const inputOf = (name: string, shape: readonly number[]) =>
  name === "words" ? { shape: shape.slice(1), classes: 7 } : shape.slice(1);

test("every file has a model", () => {
  expect(Object.keys(models)).toEqual(Object.keys(golden));
});

test.each(Object.entries(models))("%s", async (name, [model, options]) => {
  const { x, y } = golden[name]!;
  const { weights, report } = await loadWeights(
    summary(model, { input: inputOf(name, x.shape) }),
    fileOf(name),
    options,
  );
  const given = { shape: x.shape.slice(1), data: x.numbers, ...(name === "words" && { classes: 7 }) };
  const made = runModel(model, new Map([["", given]]), weights);
  expect(made.outputs.get("")?.shape).toEqual(y.shape);
  expect(relativeError(made.outputs.get("")!.data, y.numbers)).toBeLessThan(1e-6);
  expect(report.loaded.map(({ name }) => name)).toEqual([...weights.keys()]);
});
