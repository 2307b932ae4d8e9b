// Two-dimensional convolution, on images stored [B, H, W, C].

import { ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "../initializer.ts";
import { conv2d as convolve } from "../op/conv2d.ts";
import { checkNoActivation, type Layer, where, wholeNumber } from "../op/layer.ts";
import { bias as addBias } from "../op/sum.ts";
import { type Padding, paddings, pair, windowRefusal } from "../op/window.ts";
import { anything, resolved } from "../option.ts";

export interface Conv2dOptions {
  /** Window height and width, or [height, width]. Default 3. */
  readonly kernel?: number | readonly [number, number];
  /** Step of the window, or [vertical, horizontal]. Default 1. */
  readonly stride?: number | readonly [number, number];
  /** Default "valid". */
  readonly padding?: Padding;
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** Start of the filter [kh, kw, in, filters]. Default "glorotUniform". */
  readonly initializer?: InitializerName | Initializer;
}

/**
 * Convolution [B, H, W, C] -> [B, OH, OW, filters], filter [kh, kw, C, filters] and bias [filters] as in Keras.
 * Throws OptionError for options that do not exist, ShapeError where the input is no image, or smaller than a "valid" window.
 *
 * @example conv2d(16, { kernel: 3, padding: "same" })
 */
export function conv2d(filters: number, options: Conv2dOptions = {}): Layer {
  wholeNumber("conv2d", "filters", filters);
  checkNoActivation("conv2d", options);
  const table = {
    kernel: [3, anything],
    stride: [1, anything],
    padding: paddings,
    bias: [true],
    initializer: ["glorotUniform"],
  } as const;
  const { kernel, stride, padding, bias, ...start } = resolved("conv2d", options, table, "conv2d(16, { kernel: 3 })");
  const window = pair("conv2d", "kernel", kernel);
  const steps = pair("conv2d", "stride", stride);
  const initialize = initializer("conv2d", start.initializer);
  const zeros = initializer("conv2d", "zeros");
  return {
    kind: "conv2d",
    apply(scope, x) {
      const refusal = windowRefusal(x.shape, window, padding);
      if (refusal !== undefined) throw new ShapeError(`${where("conv2d", scope)}: ${refusal}`);
      const channels = x.shape[3] as number;
      const filter = scope.parameter("weight", [...window, channels, filters], initialize);
      const y = scope.op(convolve, { a: x, b: filter }, { stride: steps, padding }).c;
      if (!bias) return y;
      return scope.op(addBias, { x: y, b: scope.parameter("bias", [filters], zeros) }).z;
    },
  };
}
