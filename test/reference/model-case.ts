// Small models that together use every layer, each activation, both losses, and the shapes of graph that matter to the
// backward pass and to fusion: bypasses, shared weights, values with several readers, one gradient under two shapes.

import {
  averagePool2d,
  concatenate,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  crossEntropy,
  dense,
  depthToSpace,
  depthwiseConv2d,
  dropout,
  elu,
  flatten,
  functional,
  gelu,
  glu,
  gru,
  hardSwish,
  type Layer,
  leakyRelu,
  lstm,
  maxPool2d,
  meanSquaredError,
  mish,
  ops,
  permute,
  prelu,
  relu,
  residual,
  type Scope,
  separableConv2d,
  sequential,
  sigmoid,
  softplus,
  spatialDropout,
  stochasticDepth,
  swiglu,
  tanh,
  upSampling2d,
  type Value,
} from "../../src/index.ts";
import type { Attributes } from "../../src/op/op.ts";
import type { ModelCase } from "./traced-model.ts";

const vectors = (model: Layer, features = 5): ModelCase => ({
  model,
  input: [features],
  batch: 4,
  loss: crossEntropy(),
});
const images = (model: Layer, input: readonly number[] = [6, 5, 2]): ModelCase => ({
  model,
  input,
  batch: 3,
  loss: crossEntropy(),
});

const layer = (apply: Layer["apply"]): Layer => ({ kind: "custom", apply });

/** A learned number for each place of a sample. */
export const positions = layer(
  (scope, x) => scope.op(ops.add, { x: scope.parameter("place", x.shape.slice(1), "glorotNormal"), y: x }).z,
);

/** Less the mean, by the deviation, then learned factors and shifts. */
export const normed = (axes: Attributes): Layer =>
  layer((scope, x) => {
    const last = x.shape.slice(-1);
    const mean = (x: Value) => scope.op(ops.mean, { x }, axes).y;
    const centered = scope.op(ops.subtract, { x, y: mean(x) }).z;
    const variance = mean(scope.op(ops.square, { x: centered }).z);
    const deviation = scope.op(ops.sqrt, { x: scope.op(ops.add, { x: variance, y: constant(scope, 1) }).z }).z;
    const scaled = scope.op(ops.divide, { x: centered, y: deviation }).z;
    const factored = scope.op(ops.multiply, { x: scope.parameter("factor", last, "glorotNormal"), y: scaled }).z;
    return scope.op(ops.bias, { x: factored, b: scope.parameter("shift", last, "zeros") }).z;
  });

/** A number as a weight: there is nothing else that a layer may bring. */
const constant = (scope: Scope, value: number): Value => scope.parameter("constant", [1], () => Float32Array.of(value));

export const modelCases: Readonly<Record<string, ModelCase>> = {
  "dense relu": vectors(sequential([dense(6), relu(), dense(3)])),
  "dense gelu": vectors(sequential([dense(6), gelu(), dense(3)])),
  "dense tanh": vectors(sequential([dense(6), tanh(), dense(3)])),
  "dense sigmoid, squared error": {
    ...vectors(sequential([dense(6), sigmoid(), dense(2), tanh()])),
    loss: meanSquaredError(),
  },
  "dense without bias, two activations": vectors(sequential([dense(4, { bias: false }), tanh(), gelu(), dense(3)])),
  "conv stride 2 same": images(sequential([conv2d(3, { stride: 2, padding: "same" }), relu(), flatten(), dense(3)])),
  "conv stride 2 valid": images(sequential([conv2d(3, { stride: 2 }), gelu(), flatten(), dense(3)])),
  "conv conv pool": images(
    sequential([
      conv2d(2, { kernel: [3, 2] }),
      tanh(),
      conv2d(3, { kernel: 2, padding: "same" }),
      maxPool2d(2),
      flatten(),
      dense(2),
    ]),
  ),
  "conv in groups, dilated and transposed": images(
    sequential([
      conv2d(4, { groups: 2, dilation: [2, 1], padding: "same" }),
      tanh(),
      conv2dTranspose(4, { kernel: [2, 3], stride: [1, 2], groups: 2 }),
      gelu(),
      flatten(),
      dense(2),
    ]),
  ),
  "depthwise and separable, with padding that is told": images(
    sequential([
      depthwiseConv2d({
        kernel: [3, 2],
        stride: [1, 2],
        padding: [
          [1, 0],
          [0, 2],
        ],
      }),
      tanh(),
      separableConv2d(3, { depthMultiplier: 2, padding: 1 }),
      gelu(),
      averagePool2d(2, { padding: 1, countPadding: true }),
      flatten(),
      dense(2),
    ]),
  ),
  conv1d: {
    ...vectors(
      sequential([conv1d(4, { kernel: 2, groups: 2 }), tanh(), conv1d(2, { dilation: 2, stride: 2, padding: "same" })]),
    ),
    input: [5, 2],
    loss: meanSquaredError(),
  },
  "conv pool overlapping, squared error": {
    ...images(sequential([conv2d(2, { padding: "same" }), maxPool2d(3, { stride: 2, padding: "same" }), relu()])),
    loss: meanSquaredError(),
  },
  "dense on rows of rows": {
    ...vectors(sequential([dense(4), gelu(), residual([dense(4), tanh()]), flatten(), dense(3)])),
    input: [3, 5],
  },
  "normed over the last axis, with learned positions": {
    ...vectors(sequential([dense(4), positions, normed({ axes: [-1], keepDims: true }), flatten(), dense(3)])),
    input: [3, 5],
  },
  "normed over the batch": vectors(
    sequential([dense(4, { bias: false }), normed({ axes: [0], keepDims: true, batch: true }), gelu(), dense(3)]),
  ),
  "normed over the batch and what lies in it": {
    ...vectors(
      sequential([
        dense(4, { bias: false }),
        normed({ axes: [0, 1], keepDims: true, batch: true }),
        flatten(),
        dense(3),
      ]),
    ),
    input: [3, 5],
  },
  "halves that gate each other": {
    ...vectors(sequential([dense(6), glu(), dense(4), tanh(), glu(), flatten(), dense(3)])),
    input: [3, 5],
  },
  "activations with options": vectors(
    sequential([
      dense(6),
      leakyRelu({ slope: 0.3 }),
      dense(6, { bias: false }),
      leakyRelu({ slope: 0.125 }),
      elu({ alpha: 0.7 }),
      dense(5),
      gelu({ approximate: true }),
      softplus(),
      dense(4),
      mish(),
      hardSwish(),
      prelu(),
      dense(3),
    ]),
  ),
  "gates, slopes and what is dropped": {
    ...vectors(
      sequential([
        swiglu(6),
        dropout(0.3),
        stochasticDepth([prelu(), swiglu(), spatialDropout(0.4)], { rate: 0.5 }),
        flatten(),
        dense(3),
      ]),
    ),
    input: [3, 5],
  },
  "numbers that move": {
    ...vectors(
      sequential([
        dense(4),
        permute([2, 1]),
        tanh(),
        layer((scope, x) => {
          const turned = scope.op(ops.slice, { x }, { stride: [1, 1, -1] }).y;
          const wide = scope.op(ops.pad, { x: turned }, { before: [0, 0, 1], after: [0, 0, 0], value: 0.5 }).y;
          const twice = scope.op(ops.tile, { x: wide }, { repeats: [1, 2, 1] }).y;
          return concatenate(scope, [
            twice,
            scope.op(ops.tile, { x: wide }, { repeats: [1, 2, 1], each: true }).y,
            twice,
          ]);
        }),
        gelu(),
        flatten(),
        dense(3),
      ]),
    ),
    input: [3, 5],
  },
  "images made larger": images(
    sequential([
      conv2d(4, { kernel: 2 }),
      depthToSpace(2),
      tanh(),
      upSampling2d({ size: [1, 2] }),
      upSampling2d({ interpolation: "bilinear" }),
      gelu(),
      cropping2d(1),
      flatten(),
      dense(2),
    ]),
    [3, 4, 2],
  ),
  residual: vectors(
    sequential([dense(4), residual([dense(4), gelu(), dense(4)]), relu(), residual([tanh(), dense(4)]), dense(3)]),
  ),
  "residual conv": images(
    sequential([
      conv2d(3, { padding: "same" }),
      residual([relu(), conv2d(3, { padding: "same" })]),
      flatten(),
      dense(2),
    ]),
  ),
  "shared weights": vectors(
    functional((x, { use }) => {
      const layer = dense(5);
      return use("head", dense(3), use("twice", layer, use("between", tanh(), use("twice", layer, x))));
    }),
  ),
  "shared filter": images(
    functional((x, { use, add }) => {
      const layer = conv2d(2, { padding: "same" });
      const once = use("filter", layer, x);
      const twice = use("filter", layer, use("relu", relu(), once));
      return use("head", sequential([flatten(), dense(2)]), add(once, twice));
    }),
  ),
  "one value, many readers": vectors(
    functional((x, { use, add }) => {
      const h = use("stem", dense(4), x);
      const both = add(use("left", tanh(), h), use("right", sigmoid(), h));
      return use("head", dense(3), add(add(both, h), add(h, h)));
    }),
  ),
  "a sum of many": vectors(
    functional((x, { use, add }) => {
      const parts = [1, 2, 3, 4].map((i) => use(`part${i}`, dense(4), x));
      return use("head", dense(3), parts.reduce(add, add(x, x)));
    }),
    4,
  ),
  "sequences there and back": images(
    sequential([lstm(3, { returnSequences: true }), gru(2, { reverse: true }), dense(2)]),
    [4, 2],
  ),
  "a sequence so long that sums are cut": images(sequential([gru(1), dense(2)]), [100, 1]),
  "a sequence with the reset gate before the product": images(
    functional((x, { use, add }) => {
      const first = use("first", gru(2, { resetAfter: false, returnSequences: true, returnState: true }), x);
      const second = use("second", gru(2, { resetAfter: false, reverse: true }), { x: first.y, h: first.h });
      return use("head", dense(3), add(second, first.h));
    }),
    [3, 2],
  ),
  "a reader and writers that begin with what it holds": images(
    functional((x, { use, add }) => {
      const { h, c } = use("read", lstm(2, { returnState: true }), x);
      const first = use("first", lstm(2, { returnSequences: true, returnState: true, reverse: true }), { x, h, c });
      const second = use("second", gru(2, { returnSequences: true, returnState: true }), { x: first.y, h: first.h });
      const last = add(add(second.h, first.c), use("third", gru(2), { x: first.y, h }));
      return use("head", dense(3), add(last, use("tail", sequential([flatten(), dense(2)]), second.y)));
    }),
    [3, 2],
  ),
  "one gradient as image and as row": images(
    functional((x, { use, add }) => {
      const image = use("flat", flatten(), use("conv", conv2d(2, { padding: "same" }), x));
      const row = use("dense", dense(12, { bias: false }), use("flat", flatten(), x));
      return use("head", dense(2), add(image, row));
    }),
    [3, 2, 1],
  ),
};
