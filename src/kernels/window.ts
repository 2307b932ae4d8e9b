// The numbers that every kernel with a sliding window takes as `override` constants.

import { type Window, windowOf } from "../graph/window.ts";
import type { Attributes } from "../model/layer.ts";

export function windowConstants(window: Window): Record<string, number> {
  return {
    HEIGHT: window.height,
    WIDTH: window.width,
    OUT_HEIGHT: window.outHeight,
    OUT_WIDTH: window.outWidth,
    KERNEL_HEIGHT: window.kernelHeight,
    KERNEL_WIDTH: window.kernelWidth,
    STRIDE_HEIGHT: window.strideHeight,
    STRIDE_WIDTH: window.strideWidth,
    PAD_TOP: window.padTop,
    PAD_LEFT: window.padLeft,
  };
}

/** The window of a backward op, which carries the sizes that it has no tensor for as attributes. */
export function windowFrom(attributes: Attributes, height: number, width: number, kernel: readonly number[]): Window {
  return windowOf([1, height, width], kernel, attributes);
}

export const windowNote = (window: Window): string =>
  `${window.kernelHeight}x${window.kernelWidth}` +
  (window.strideHeight * window.strideWidth === 1 ? "" : ` stride ${window.strideHeight}x${window.strideWidth}`);
