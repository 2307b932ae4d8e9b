// Random custom layers, built from every op that a layer may ask for: parameters that are shared, added, seen under another
// shape and multiplied with each other, products in all four forms of transposition, values that are used again.

import { type Layer, meanSquaredError, type Scope, type Value } from "../../src/index.ts";
import { stream, word } from "../../src/random.ts";
import { apply } from "./ops.ts";
import type { ModelCase } from "./traced-model.ts";

const BATCH = 3;
const activations = ["relu", "gelu", "tanh", "sigmoid", "abs", "neg", "square"] as const;
const joins = ["add", "subtract", "multiply"] as const;

export const randomLayer = (seed: number): ModelCase => ({
  model: { kind: "random", apply: (scope, x) => build(scope, x, seed) } satisfies Layer,
  input: seed % 2 === 0 ? [4, 3, 2] : [6],
  batch: BATCH,
  loss: meanSquaredError(),
});

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function build(scope: Scope, x: Value, seed: number): Value {
  let drawn = 0;
  const numbers = stream(seed, "layer");
  const below = (end: number): number => word(numbers, drawn++) % end;
  const pick = <T>(all: readonly T[]): T => all[below(all.length)] as T;
  const isOdd = (): boolean => below(2) === 1;
  const reshape = (value: Value, shape: readonly number[]) => apply(scope, "reshape", [value], { shape });

  const own = (shape: readonly number[]): Value => {
    const name = `p${below(3)}-${shape.join("x")}`;
    return scope.parameter(name, shape, (_, { normal }) =>
      Float64Array.from({ length: size(shape) }, () => normal() / 2),
    );
  };
  /** Numbers of a shape that come from parameters: one itself, a view, a sum or, for a matrix, a product. */
  const weights = (shape: readonly number[]): Value => {
    const choice = below(shape.length === 2 ? 5 : 4);
    if (choice === 0) return own(shape);
    if (choice === 1) return reshape(own([size(shape)]), shape);
    if (choice === 2) return apply(scope, "add", [weights(shape), own(shape)]);
    if (choice === 3) return reshape(own([1, ...shape]), shape);
    const [rows, columns] = shape as [number, number];
    return product(own, rows, 2, columns);
  };
  /** [M, N] of two operands that `made` gives, each stored as it is or transposed. */
  const product = (made: (shape: readonly number[]) => Value, M: number, K: number, N: number): Value => {
    const [transposeA, transposeB] = [isOdd(), isOdd()];
    const a = made(transposeA ? [K, M] : [M, K]);
    return apply(scope, "matmul", [a, made(transposeB ? [N, K] : [K, N])], { transposeA, transposeB });
  };
  const times = (value: Value, columns: number): Value => {
    const [, features] = value.shape as [number, number];
    const transposeB = isOdd();
    return apply(scope, "matmul", [value, weights(transposeB ? [columns, features] : [features, columns])], {
      transposeB,
    });
  };

  // Numbers of its own, so that layers without attention are what they were.
  const looks = stream(seed, "looks");
  let looked = 0;
  const oneOf = (end: number): boolean => word(looks, looked++) % end === 0;
  const grown = (from: Value): Value => {
    if (oneOf(12)) {
      // A share of each row, of which the largest or smallest number is what it was.
      const parts = apply(scope, oneOf(2) ? "softmax" : "logSoftmax", [from]);
      const ends = apply(scope, oneOf(2) ? "max" : "min", [from], { axes: [-1], keepDims: true });
      return apply(scope, "add", [parts, ends]);
    }
    if (oneOf(12)) {
      // The last axis in places, each of which sees those up to it, in pairs that turn where they can.
      const features = from.shape.at(-1) as number;
      const places = size(from.shape) / BATCH / features;
      const rows = reshape(from, places > 1 ? [BATCH, places, features] : [BATCH, features, 1]);
      const other = apply(scope, "tanh", [rows]);
      const seen = apply(scope, "attention", [other, other, oneOf(2) ? rows : other], { causal: oneOf(2) });
      const pairs = size(from.shape) / BATCH / 2;
      const turned = Number.isInteger(pairs) ? apply(scope, "rotary", [reshape(seen, [BATCH, pairs, 2])]) : seen;
      return reshape(turned, from.shape);
    }
    const choice = below(13);
    if (choice === 8) {
      // A weight that is repeated along some axes, on either side.
      const shape = from.shape
        .map((length, axis) => (axis > 0 && isOdd() ? length : 1))
        .slice(below(from.shape.length));
      const joined = apply(scope, pick(joins), isOdd() ? [from, own(shape)] : [own(shape), from]);
      return isOdd() ? joined : apply(scope, pick(["minimum", "maximum"] as const), [from, joined]);
    }
    if (choice === 9) {
      // Where they are defined: on positive numbers.
      const positive = apply(scope, "exp", [apply(scope, "tanh", [from])]);
      const root = apply(scope, pick(["sqrt", "log", "reciprocal"] as const), [positive]);
      return apply(scope, "divide", [from, apply(scope, "exp", [apply(scope, "tanh", [root])])]);
    }
    if (choice === 10) {
      const axes = [...from.shape.keys()].filter((axis) => axis > 0 && isOdd());
      const options = { axes: axes.length > 0 ? axes : [-1], keepDims: true };
      return apply(scope, "multiply", [from, apply(scope, pick(["sum", "mean"] as const), [from], options)]);
    }
    if (choice === 11) {
      // Chosen where both are 0 and go up alike, so that no step is crossed.
      const [wave, bent] = [apply(scope, "sin", [from]), apply(scope, "tanh", [from])];
      const condition = apply(scope, pick(["greater", "less", "equal"] as const), [from, wave]);
      const chosen = apply(scope, "where", [condition, wave, bent]);
      return isOdd() ? apply(scope, "pow", [chosen], { exponent: 2 }) : apply(scope, "clip", [chosen], { max: 0.7 });
    }
    if (choice === 12) {
      // The axes of a sample in reverse, more along the last, and part of that.
      const order = [0, ...[...from.shape.keys()].slice(1).reverse()];
      const turned = apply(scope, "permute", [from], { axes: order });
      const last = turned.shape.length - 1;
      const each = (value: number) => order.map((_, axis) => (axis === last ? value : 0));
      const repeats = each(1).map((one) => one + 1);
      const twice = isOdd()
        ? apply(scope, "tile", [turned], { repeats, each: isOdd() })
        : apply(scope, "concat", [turned, apply(scope, "tanh", [turned])], { axis: last });
      const wide = apply(scope, "pad", [twice], { before: each(1), after: each(1), value: 0.5 });
      const stride = each(1 + below(2)).map((one) => Math.max(one, 1));
      return apply(scope, "slice", [wide], { begin: each(1), end: [], stride });
    }
    if (choice === 0) return apply(scope, pick(activations), [from]);
    if (choice === 1) return apply(scope, "bias", [from, weights([from.shape.at(-1) as number])]);
    if (choice === 2) return apply(scope, "add", isOdd() ? [from, weights(from.shape)] : [weights(from.shape), from]);
    if (choice === 3) return apply(scope, "add", [from, apply(scope, "tanh", [from])]);
    const [, height, width, channels] = from.shape as [number, number, number, number];
    const window = { stride: [1 + below(2), 1], padding: "same" };
    if (from.shape.length === 4) {
      if (choice === 4) return apply(scope, "maxPool2d", [from], { kernel: [2, 2], ...window });
      if (choice === 5) return apply(scope, "conv2d", [from, weights([2, 2, channels, 2])], window);
      if (choice === 6) return apply(scope, "conv2dTranspose", [from, weights([2, 2, 2, channels])], window);
      return reshape(from, [BATCH, height * width * channels]);
    }
    if (choice === 4) return times(from, 2 + below(4));
    if (choice === 5) {
      // The products of all features with each other, over the batch, are the weights of what follows.
      const squares = apply(scope, "tanh", [apply(scope, "matmul", [from, from], { transposeA: true })]);
      return apply(scope, "matmul", [from, squares], { transposeB: isOdd() });
    }
    return reshape(from, [BATCH, 1, from.shape[1] as number, 1]);
  };

  const values = [x];
  for (let i = 4 + below(5); i > 0; i--) values.push(grown(pick(values)));
  const ends = values.slice(-3).map((value) => {
    const rows = value.shape.length === 2 ? value : reshape(value, [BATCH, size(value.shape) / BATCH]);
    return times(apply(scope, "tanh", [rows]), 2);
  });
  return ends.reduce((sum, end) => apply(scope, "add", [sum, end]));
}
