// Convolutions that see each channel by itself, on images stored [B, H, W, C].

import { conv2d as convolve } from "../op/conv2d.ts";
import { depthwiseConv2d as convolveDepths } from "../op/depthwise-conv2d.ts";
import { applied, type Layer, wholeNumber } from "../op/layer.ts";
import { reshape } from "../op/reshape.ts";
import { spanOf } from "../op/window.ts";
import { conv2d } from "./conv2d.ts";
import { channelsOf, convolution, type WindowOptions } from "./convolution.ts";

/** Options of `depthwiseConv2d`. */
export interface DepthwiseConv2dOptions extends WindowOptions {
  /** Filters of each channel. Default 1. */
  readonly depthMultiplier?: number;
}

/**
 * Depthwise convolution [B, H, W, C] -> [B, OH, OW, C depthMultiplier], each channel under filters of its own: filter [kh, kw, C,
 * depthMultiplier] and bias [C depthMultiplier] as in Keras. Throws as conv2d does.
 *
 * @example depthwiseConv2d({ kernel: 3, padding: "same" })
 */
export function depthwiseConv2d(options: DepthwiseConv2dOptions = {}): Layer {
  const { window: kernel, slide, count: filters, weights } = convolution("depthwiseConv2d", options, "depthMultiplier");
  const { dilation, ...steps } = slide;
  // A filter for each channel has kernels of its own, which leave no taps out.
  const isPlain = filters === 1 && String(dilation) === "1,1";
  return {
    kind: "depthwiseConv2d",
    apply(scope, x) {
      const channels = channelsOf("depthwiseConv2d", scope, x, 1, spanOf(kernel, dilation), slide.padding);
      const b = weights.filter(scope, [...kernel, channels, filters]);
      if (isPlain) return weights.biased(scope, scope.op(convolveDepths, { a: x, b }, { ...steps, kernel }).c);
      const all = scope.op(reshape, { x: b }, { shape: [...kernel, 1, channels * filters] }).y;
      return weights.biased(scope, scope.op(convolve, { a: x, b: all }, { ...slide, groups: channels }).c);
    },
  };
}

/**
 * A depthwise convolution, then one of 1 x 1 over all channels (Sifre 2014): [B, H, W, C] -> [B, OH, OW, filters], with weights
 * `depthwise.weight` [kh, kw, C, depthMultiplier], `pointwise.weight` [1, 1, C depthMultiplier, filters] and `pointwise.bias`.
 * Throws as conv2d does.
 *
 * @example separableConv2d(32, { padding: "same" })
 */
export function separableConv2d(filters: number, options: DepthwiseConv2dOptions = {}): Layer {
  wholeNumber("separableConv2d", "filters", filters);
  convolution("separableConv2d", options, "depthMultiplier");
  const { bias = true, ...rest } = options;
  const depthwise = depthwiseConv2d({ ...rest, bias: false });
  const start = options.initializer === undefined ? {} : { initializer: options.initializer };
  const pointwise = conv2d(filters, { ...start, kernel: 1, bias });
  return {
    kind: "separableConv2d",
    apply: (scope, x) => applied(pointwise, scope.child("pointwise"), applied(depthwise, scope.child("depthwise"), x)),
  };
}
