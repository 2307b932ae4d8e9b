// The ops that a layer may ask for by `scope.op`: those of layers that are nothing but an op are found at these too, as `relu.op`.

import { gelu, relu, sigmoid, tanh } from "./activation.ts";
import { conv2d, conv2dTranspose } from "./conv2d.ts";
import { add } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { maxPool2d } from "./max-pool2d.ts";
import type { Op } from "./op.ts";
import { reshape } from "./reshape.ts";
import { bias } from "./sum.ts";

/** Ops by name, each with the names of its inputs and outputs. */
export interface Ops {
  /** z = x + y, of one shape. */
  readonly add: Op<"x" | "y", "z">;
  /** z = x + b: x is [..., N], b is [N]. */
  readonly bias: Op<"x" | "b", "z">;
  /**
   * c: a [B, H, W, C] under the filter b [kh, kw, C / groups, F] gives [B, OH, OW, F]. Attributes: `stride` and `dilation` [vertical,
   * horizontal], default [1, 1]; `padding` "valid", the default, or "same"; `groups`, default 1.
   */
  readonly conv2d: Op<"a" | "b", "c">;
  /** c: the way back of conv2d: a [B, H, W, C], spread by the filter b [kh, kw, F / groups, C], gives [B, OH, OW, F]. Attributes as for conv2d. */
  readonly conv2dTranspose: Op<"a" | "b", "c">;
  readonly gelu: Op<"x", "z">;
  /** c = a b: [.., M, K] [.., K, N] gives [.., M, N], matrix by matrix under equal leading axes. Attributes: `transposeA`, `transposeB` where an operand is stored transposed. */
  readonly matmul: Op<"a" | "b", "c" | "sum">;
  /** y: the largest of each window `kernel` [height, width] of x [B, H, W, C]. Further attributes as for conv2d. */
  readonly maxPool2d: Op<"x", "y" | "tap">;
  readonly relu: Op<"x", "z">;
  /** y: the numbers of x under another `shape` of the same size. */
  readonly reshape: Op<"x", "y">;
  readonly sigmoid: Op<"x", "z">;
  readonly tanh: Op<"x", "z">;
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
  get gelu() {
    return gelu.op;
  },
  get maxPool2d() {
    return maxPool2d.op;
  },
  get relu() {
    return relu.op;
  },
  get sigmoid() {
    return sigmoid.op;
  },
  get tanh() {
    return tanh.op;
  },
};
