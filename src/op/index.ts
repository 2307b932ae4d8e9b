// The ops that a layer may ask for by `scope.op`: those of layers that are nothing but an op are found at these too, as `relu.op`.

import { gelu, relu, sigmoid, tanh } from "./activation.ts";
import { divide, maximum, minimum, multiply, subtract } from "./arithmetic.ts";
import { attention } from "./attention.ts";
import { bias } from "./bias.ts";
import { equal, greater, less, where } from "./compare.ts";
import { concat } from "./concat.ts";
import { conv2d, conv2dTranspose } from "./conv2d.ts";
import { add } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { maxPool2d } from "./max-pool2d.ts";
import type { Op } from "./op.ts";
import { permute } from "./permute.ts";
import { max, mean, min, sum } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { rotate } from "./rotary.ts";
import { pad, slice } from "./slice.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { tile } from "./tile.ts";
import { abs, clip, exp, log, neg, pow, reciprocal, sin, sqrt, square } from "./unary.ts";

/** Ops by name, each with the names of its inputs and outputs. */
export interface Ops {
  /** z = |x|. */
  readonly abs: Op<"x", "z">;
  /** z = x + y. Operands of two are repeated to one shape as in NumPy: they end together, and 1 goes with any length. */
  readonly add: Op<"x" | "y", "z">;
  /**
   * y: softmax(scale q k^T) v of each head: q [B, T, heads D], k and v [B, S, keyHeads D], and mask [B, S] as a
   * fourth where some keys are hidden: those where it is 0. A query that sees none gives 0. Attributes: `heads`, default 1; `keyHeads`,
   * default `heads`, which it divides; `causal`; `scale`, default 1 / sqrt(D).
   */
  readonly attention: Op<"q" | "k" | "v", "y">;
  /** z = x + b: x is [..., N], b is [N]. */
  readonly bias: Op<"x" | "b", "z">;
  /** z = x, but `min` where it is below, and `max` where it is above; either may be left out. */
  readonly clip: Op<"x", "z">;
  /** y: a, then b, along `axis`, by default the last. `concatenate` takes more than two. */
  readonly concat: Op<"a" | "b", "y">;
  /**
   * c: a [B, H, W, C] under the filter b [kh, kw, C / groups, F] gives [B, OH, OW, F]. Attributes: `stride` and `dilation` [vertical,
   * horizontal], default [1, 1]; `padding` "valid", the default, or "same"; `groups`, default 1.
   */
  readonly conv2d: Op<"a" | "b", "c">;
  /** c: the way back of conv2d: a [B, H, W, C], spread by the filter b [kh, kw, F / groups, C], gives [B, OH, OW, F]. Attributes as for conv2d. */
  readonly conv2dTranspose: Op<"a" | "b", "c">;
  /** z = x / y. */
  readonly divide: Op<"x" | "y", "z">;
  /** z: 1 where x == y, else 0. No gradient goes through it. */
  readonly equal: Op<"x" | "y", "z">;
  /** z = e^x. */
  readonly exp: Op<"x", "z">;
  /** x Phi(x), Phi the normal distribution; by tanh where its attribute is `approximate`. */
  readonly gelu: Op<"x", "z">;
  /** z: 1 where x > y, else 0. No gradient goes through it. */
  readonly greater: Op<"x" | "y", "z">;
  /** z: 1 where x < y, else 0. No gradient goes through it. */
  readonly less: Op<"x" | "y", "z">;
  /** z: the natural logarithm of x. */
  readonly log: Op<"x", "z">;
  /** y: the logarithm of softmax along the last axis. */
  readonly logSoftmax: Op<"x", "y">;
  /** c = a b: [.., M, K] [.., K, N] gives [.., M, N], matrix by matrix under equal leading axes. Attributes: `transposeA`, `transposeB` where an operand is stored transposed. */
  readonly matmul: Op<"a" | "b", "c" | "sum">;
  /** y: the largest of x over `axes`, and the gradient to the first of equal ones; attributes as for sum. */
  readonly max: Op<"x", "y">;
  /** y: the largest of each window `kernel` [height, width] of x [B, H, W, C]. Further attributes as for conv2d. */
  readonly maxPool2d: Op<"x", "y" | "tap">;
  /** z: the larger of x and y. Where they are equal each gets half of the gradient. */
  readonly maximum: Op<"x" | "y", "z">;
  /** y: the mean of x over `axes`; attributes as for sum. */
  readonly mean: Op<"x", "y">;
  /** y: the smallest of x over `axes`; as max. */
  readonly min: Op<"x", "y">;
  /** z: the smaller of x and y. Where they are equal each gets half of the gradient. */
  readonly minimum: Op<"x" | "y", "z">;
  /** z = x y, number by number. */
  readonly multiply: Op<"x" | "y", "z">;
  /** z = -x. */
  readonly neg: Op<"x", "z">;
  /** z: x to the power `exponent`, a number; NaN where x is below 0 and that is not whole. */
  readonly pow: Op<"x", "z">;
  /** y: x with `value`, by default 0, around it: `before` and `after` say how often along each axis. */
  readonly pad: Op<"x", "y">;
  /** y: the axes of x in the order of `axes`, each of them once; -1 is the last. Axis 0, the batch, may move too. */
  readonly permute: Op<"x", "y">;
  /** z = 1 / x. */
  readonly reciprocal: Op<"x", "z">;
  /** max(x, 0). */
  readonly relu: Op<"x", "z">;
  /** y: the numbers of x under another `shape` of the same size. */
  readonly reshape: Op<"x", "y">;
  /** y: x [B, T, .., D] turned by its place on axis 1. Attributes: `base`, default 10000; `interleaved`. */
  readonly rotary: Op<"x", "y">;
  /** 1 / (1 + exp(-x)). */
  readonly sigmoid: Op<"x", "z">;
  /** z = sin(x), to 1e-7 for x up to 1e4. */
  readonly sin: Op<"x", "z">;
  /** y: e^x over the sum of e^x along the last axis. */
  readonly softmax: Op<"x", "y">;
  /**
   * y: along each axis from `begin` to before `end` with `stride`, as in NumPy: places below 0 count from the end, a stride below 0 goes
   * back, what lies outside ends at the border. Lists are for the first axes, and what is left out is the whole: `{ end: [Infinity, 3] }`.
   */
  readonly slice: Op<"x", "y">;
  /** z: the square root of x. */
  readonly sqrt: Op<"x", "z">;
  /** z = x x, number by number. */
  readonly square: Op<"x", "z">;
  /** z = x - y. */
  readonly subtract: Op<"x" | "y", "z">;
  /**
   * y: the sum of x over `axes`, of which -1 is the last; `keepDims` leaves length 1 in their place. Over axis 0 `batch` has to say
   * whether that counts samples: then those beyond a short batch are left out.
   */
  readonly sum: Op<"x", "y">;
  /** tanh(x). */
  readonly tanh: Op<"x", "z">;
  /** z: x where `condition` is not 0, else y. */
  readonly where: Op<"condition" | "x" | "y", "z">;
  /** y: x repeated along each axis, `repeats` times; with `each` every number by itself, as NumPy's repeat. */
  readonly tile: Op<"x", "y">;
}

/** Ops for layers of your own: `scope.op(ops.matmul, { a: x, b: weight }).c`. */
export const ops: Ops = {
  add,
  bias,
  conv2d,
  conv2dTranspose,
  matmul,
  reshape,
  // Getters, since a bundler keeps whatever reads a property while it is made, and all that it names.
  get abs() {
    return abs;
  },
  get clip() {
    return clip;
  },
  get concat() {
    return concat;
  },
  get attention() {
    return attention as Op as Ops["attention"];
  },
  get divide() {
    return divide;
  },
  get equal() {
    return equal;
  },
  get exp() {
    return exp;
  },
  get gelu() {
    return gelu.op;
  },
  get greater() {
    return greater;
  },
  get less() {
    return less;
  },
  get log() {
    return log;
  },
  get logSoftmax() {
    return logSoftmax.op;
  },
  get max() {
    return max;
  },
  get maxPool2d() {
    return maxPool2d.op;
  },
  get maximum() {
    return maximum;
  },
  get mean() {
    return mean;
  },
  get min() {
    return min;
  },
  get minimum() {
    return minimum;
  },
  get multiply() {
    return multiply;
  },
  get neg() {
    return neg;
  },
  get pow() {
    return pow;
  },
  get pad() {
    return pad;
  },
  get permute() {
    return permute;
  },
  get reciprocal() {
    return reciprocal;
  },
  get relu() {
    return relu.op;
  },
  get rotary() {
    return rotate as Ops["rotary"];
  },
  get sigmoid() {
    return sigmoid.op;
  },
  get sin() {
    return sin;
  },
  get softmax() {
    return softmax.op;
  },
  get slice() {
    return slice;
  },
  get sqrt() {
    return sqrt;
  },
  get square() {
    return square;
  },
  get subtract() {
    return subtract;
  },
  get sum() {
    return sum;
  },
  get tanh() {
    return tanh.op;
  },
  get where() {
    return where;
  },
  get tile() {
    return tile;
  },
};
