// The models of moves.json, of which PyTorch has made values and gradients.

import {
  concatenate,
  cropping2d,
  depthToSpace,
  embedding,
  functional,
  type Layer,
  ops,
  permute,
  positionEmbedding,
  reshape,
  type Scope,
  sinusoidalPositions,
  spaceToDepth,
  tanh,
  upSampling2d,
  type Value,
  zeroPadding2d,
} from "../../src/index.ts";
import file from "./moves.json";

/** Every op on numbers that move, and six values put together. */
const all: Layer = {
  kind: "all",
  apply(scope, x) {
    const end = Number.NEGATIVE_INFINITY;
    const a = scope.op(ops.slice, { x }, { begin: [0, 1, -1], end: [2, 3, end], stride: [1, 1, -2] }).y;
    const part = scope.op(ops.slice, { x }, { begin: [0, 0, 1], end: [2, 3, 4] }).y;
    const wide = scope.op(ops.pad, { x: part }, { before: [0, 0, 1], after: [0, 1, 2], value: 0.5 }).y;
    const b = scope.op(ops.slice, { x: wide }, { end: [2, 4, 3] }).y;
    const c = scope.op(ops.tile, { x: a }, { repeats: [1, 2, 1] }).y;
    const d = scope.op(ops.tile, { x: tanh().apply(scope, b) }, { repeats: [1, 2, 1], each: true }).y;
    const last = scope.op(ops.slice, { x }, { begin: [0, -1], end: [2, 3, 3] }).y;
    const first = scope.op(ops.slice, { x }, { begin: [0, 0, 2], end: [2, 1] }).y;
    const joined = concatenate(scope, [a, b, c, d, last, first], 1);
    const turned = scope.op(ops.permute, { x: joined }, { axes: [2, 0, 1] }).y;
    return scope.op(ops.permute, { x: turned }, { axes: [1, 0, 2] }).y;
  },
};

/** The table of tokens is the weight of the last product too. */
export const tied = (vocabulary: number, units: number, places: number): Layer =>
  functional((x: Value, { use, scope }) => {
    const h = use(
      "bend",
      tanh(),
      use("places", positionEmbedding(places), use("tokens", embedding(vocabulary, units), x)),
    );
    const table = scope.child("tokens").parameter("weight", [vocabulary, units], "uniform");
    const [batch = 1, length = 1] = h.shape;
    const rows = scope.op(ops.reshape, { x: h }, { shape: [batch * length, units] }).y;
    const logits = scope.op(ops.matmul, { a: rows, b: table }, { transposeB: true }).c;
    return scope.op(ops.reshape, { x: logits }, { shape: [batch, length, vocabulary] }).y;
  });

const layers: Readonly<Record<keyof typeof file.cases, Layer>> = {
  permute: permute([2, 1]),
  "permute image": permute([3, 1, 2]),
  reshape: reshape([3, -1]),
  zeroPadding2d: zeroPadding2d([
    [0, 1],
    [2, 1],
  ]),
  cropping2d: cropping2d([
    [1, 2],
    [1, 0],
  ]),
  nearest: upSampling2d({ size: [2, 3] }),
  bilinear: upSampling2d({ size: [2, 3], interpolation: "bilinear" }),
  "bilinear fours": upSampling2d({ size: [3, 2], interpolation: "bilinear" }),
  "bilinear aligned": upSampling2d({ size: [2, 4], interpolation: "bilinear", alignCorners: true }),
  depthToSpace: depthToSpace(2),
  spaceToDepth: spaceToDepth(2),
  ops: all,
  embedding: embedding(8, 3),
  tied: tied(7, 4, 6),
  sinusoidalPositions: sinusoidalPositions(),
};

/** Adds zeros that are a weight: its gradient is that of the input. */
const by: Layer = {
  kind: "by",
  apply: (scope: Scope, x) => scope.op(ops.add, { x, y: scope.parameter("weight", x.shape, "zeros") }).z,
};

export interface GoldenMove {
  readonly name: string;
  readonly model: Layer;
  readonly batch: number;
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly output: readonly number[];
  /** Where the input is tokens, how many there are. */
  readonly classes?: number;
  readonly x: readonly number[];
  readonly target: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly y: readonly number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

export const goldenMoves: readonly GoldenMove[] = Object.entries(file.cases).map(([name, one]) => {
  const layer = layers[name as keyof typeof layers];
  const weights: Record<string, readonly number[]> = { ...one.weights };
  const rows = Object.values(one.shapes as Record<string, number[]>)[0]?.[0];
  return {
    name,
    model: rows === undefined ? functional((x: Value, { use }) => use("layer", layer, use("by", by, x))) : layer,
    batch: one.input[0] as number,
    shape: one.input.slice(1),
    output: one.output.slice(1),
    ...(rows !== undefined && { classes: 7 }),
    ...{ x: one.x, target: one.target, weights, y: one.y, loss: one.loss },
    gradients: one.gradients as unknown as Record<string, readonly number[]>,
  };
});
