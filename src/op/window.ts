// What ops with a sliding window share, convolution and pooling, on images [B, H, W, C].

import { OptionError } from "../errors.ts";
import { shown } from "../option.ts";
import { wholeNumber } from "./layer.ts";
import type { Attributes } from "./op.ts";
import { checkPair } from "./request.ts";

/** "same" keeps ceil(size / stride) positions by zero padding; "valid" uses whole windows only. As in TensorFlow. */
export type Padding = "same" | "valid";

export const paddings = ["valid", ["same", "valid"]] as const;

/** How a window slides; kernel and stride are [vertical, horizontal]. */
export type Slide = {
  readonly kernel?: readonly number[];
  readonly stride: readonly number[];
  /** "same" gives ceil(size / stride) positions and puts the odd zero at the end, as TensorFlow does. */
  readonly padding: string;
  /** From one tap of the window to the next; default [1, 1]. */
  readonly dilation?: readonly number[];
};

/** The attributes that a layer may give beside an op's own. */
export const slideAttributes = /* @__NO_SIDE_EFFECTS__ */ <const Own extends object>(own: Own) =>
  ({ stride: [[1, 1], checkPair], padding: paddings, ...own }) as const;

/** Geometry of a window op; positions are counted from the top left, padding included. */
export interface Window {
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

function axis(size: number, span: number, stride: number, padding: string): [out: number, before: number] {
  if (padding === "valid") return [Math.floor((size - span) / stride) + 1, 0];
  const out = Math.ceil(size / stride);
  return [out, Math.floor(Math.max(0, (out - 1) * stride + span - size) / 2)];
}

/** How many pixels a window spans, from its first tap to its last. */
export const spanOf = (kernel: readonly number[], dilation: readonly number[] = [1, 1]): [number, number] => [
  (kernel[0]! - 1) * dilation[0]! + 1,
  (kernel[1]! - 1) * dilation[1]! + 1,
];

/** Of images [B, H, W, C]; `kernel` are the lengths of the window. */
export function windowOf(
  image: readonly number[],
  { stride, padding, dilation, ...slide }: Slide,
  kernel = slide.kernel,
): Window {
  const [, height, width] = image as [number, number, number];
  const [kernelHeight, kernelWidth] = kernel as [number, number];
  const [strideHeight, strideWidth] = stride as [number, number];
  const [spanHeight, spanWidth] = spanOf([kernelHeight, kernelWidth], dilation);
  const [outHeight, padTop] = axis(height, spanHeight, strideHeight, padding);
  const [outWidth, padLeft] = axis(width, spanWidth, strideWidth, padding);
  const sizes = { height, width, outHeight, outWidth, kernelHeight, kernelWidth };
  return { ...sizes, strideHeight, strideWidth, padTop, padLeft };
}

/** Why a window does not fit onto a value of shape `x`, and what to do; undefined where it does. */
export function windowRefusal(x: readonly number[], kernel: readonly number[], padding: string): string | undefined {
  if (x.length !== 4) {
    return `input has shape [${x}], it must be an image [batch, height, width, channels]. Give compile an input of three lengths, or use dense().`;
  }
  if (padding === "same" || (kernel[0]! <= x[1]! && kernel[1]! <= x[2]!)) return undefined;
  return `input is ${x[1]} x ${x[2]}, the window ${kernel[0]} x ${kernel[1]}. Use a smaller window or padding "same".`;
}

/** What a kernel takes as `override` constants, by the names of shaders/parts/window.wgsl: outHeight is OUT_HEIGHT. */
export const windowConstants = (window: Window): Record<string, number> =>
  Object.fromEntries(
    Object.entries(window).map(([name, value]) => [name.replace(/[A-Z]/g, "_$&").toUpperCase(), value]),
  );

export const windowNote = (window: Window): string =>
  `${window.kernelHeight}x${window.kernelWidth}` +
  (window.strideHeight * window.strideWidth === 1 ? "" : ` stride ${window.strideHeight}x${window.strideWidth}`);

/** Attributes as those of a slide. */
export const slideOf = (attributes: Attributes): Slide => attributes as Slide;

/** What a user gave as one number or as two, as two. */
export function pair(
  place: string,
  what: string,
  given: number | readonly [number, number],
): readonly [number, number] {
  const both: readonly number[] = Array.isArray(given) ? given : [given as number, given as number];
  const [height, width] = both;
  if (both.length !== 2 || height === undefined || width === undefined) {
    throw new OptionError(`${place}: ${what} is ${shown(given)}, it must be a number or [height, width].`);
  }
  return [wholeNumber(place, what, height), wholeNumber(place, what, width)];
}
