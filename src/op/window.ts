// What ops with a sliding window share, convolution and pooling, on images [B, H, W, C].

import { OptionError } from "../errors.ts";
import { checkName, shown } from "../option.ts";
import { wholeNumber } from "./layer.ts";
import type { Attributes } from "./op.ts";
import { checkPair } from "./request.ts";

/**
 * "same" keeps ceil(size / stride) positions by zero padding; "valid" uses whole windows only: as in TensorFlow. Or how many zeros stand
 * on every side, as in PyTorch, or on each: [[top, bottom], [left, right]].
 */
export type Padding = "same" | "valid" | number | readonly [readonly [number, number], readonly [number, number]];

/** Padding as an attribute: numbers are [top, bottom, left, right]. */
export type Pads = string | readonly number[];

const words = ["same", "valid"];
const areCounts = (list: readonly unknown[], length: number): boolean =>
  list.length === length && list.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);

/** As a layer gives it to an op. */
export function checkPads(place: string, name: string, value: unknown): void {
  if (!Array.isArray(value)) checkName(place, name, value, words);
  else if (!areCounts(value, 4))
    throw new OptionError(
      `${place}: ${name} is ${shown(value)}, it must be "same", "valid" or [top, bottom, left, right], whole numbers of at least 0.`,
    );
}

/** What a user gave as padding, as an attribute; along one axis a pair is enough. */
export function padsOf(place: string, given: unknown, isLine = false): Pads {
  if (typeof given === "string") {
    checkName(place, "padding", given, words);
    return given;
  }
  const sides = isLine ? [[0, 0], typeof given === "number" ? [given, given] : given] : given;
  const all =
    typeof sides === "number"
      ? [
          [sides, sides],
          [sides, sides],
        ]
      : sides;
  if (Array.isArray(all) && all.length === 2 && all.every((side) => Array.isArray(side) && areCounts(side, 2)))
    return all.flat();
  throw new OptionError(
    `${place}: padding is ${shown(given)}, it must be "same", "valid", a whole number of at least 0, or ${isLine ? "[before, after]" : "[[top, bottom], [left, right]]"} of such.`,
  );
}

/** How a window slides; kernel and stride are [vertical, horizontal]. */
export type Slide = {
  readonly kernel?: readonly number[];
  readonly stride: readonly number[];
  /** "same" gives ceil(size / stride) positions and puts the odd zero at the end, as TensorFlow does. */
  readonly padding: Pads;
  /** From one tap of the window to the next; default [1, 1]. */
  readonly dilation?: readonly number[];
};

/** The attributes that a layer may give beside an op's own. */
export const slideAttributes = /* @__NO_SIDE_EFFECTS__ */ <const Own extends object>(own: Own) =>
  ({ stride: [[1, 1], checkPair], padding: ["valid", checkPads], ...own }) as const;

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

/** Zeros before and behind an axis, 0 the vertical one, where they are told. */
const toldPads = (padding: Pads, axis: number): readonly [number, number] =>
  typeof padding === "string" ? [0, 0] : [padding[2 * axis] as number, padding[2 * axis + 1] as number];

function axis(size: number, span: number, stride: number, padding: Pads, place: number): [out: number, before: number] {
  if (padding !== "same") {
    const [before, after] = toldPads(padding, place);
    return [Math.floor((size + before + after - span) / stride) + 1, before];
  }
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
  const [outHeight, padTop] = axis(height, spanHeight, strideHeight, padding, 0);
  const [outWidth, padLeft] = axis(width, spanWidth, strideWidth, padding, 1);
  const sizes = { height, width, outHeight, outWidth, kernelHeight, kernelWidth };
  return { ...sizes, strideHeight, strideWidth, padTop, padLeft };
}

/** Why a window does not fit onto a value of shape `x`, and what to do; undefined where it does. */
export function windowRefusal(x: readonly number[], kernel: readonly number[], padding: Pads): string | undefined {
  if (x.length !== 4) {
    return `input has shape [${x}], it must be an image [batch, height, width, channels]. Give compile an input of three lengths, or use dense().`;
  }
  const [height, width] = [0, 1].map((axis) => x[axis + 1]! + toldPads(padding, axis)[0] + toldPads(padding, axis)[1]);
  if (padding === "same" || (kernel[0]! <= height! && kernel[1]! <= width!)) return undefined;
  const padded = typeof padding === "string" ? "" : `, with its padding ${height} x ${width}`;
  return `input is ${x[1]} x ${x[2]}${padded}, the window ${kernel[0]} x ${kernel[1]}. Use a smaller window or padding "same".`;
}

/** What a kernel takes as `override` constants, by the names of shaders/parts/window.wgsl: outHeight is OUT_HEIGHT. */
export const windowConstants = (window: Window): Record<string, number> =>
  Object.fromEntries(
    Object.entries(window).map(([name, value]) => [name.replace(/[A-Z]/g, "_$&").toUpperCase(), value]),
  );

export const windowNote = (window: Window): string =>
  `${window.kernelHeight}x${window.kernelWidth}` +
  (window.strideHeight * window.strideWidth === 1 ? "" : ` stride ${window.strideHeight}x${window.strideWidth}`);

/** How long an axis is that a window of a span made so many positions of: what conv2d does backwards. */
export function spreadLength(count: number, span: number, stride: number, padding: Pads, axis: number): number {
  if (padding === "same") return count * stride;
  if (padding === "valid") return count * stride + Math.max(0, span - stride);
  const [before, after] = toldPads(padding, axis);
  return (count - 1) * stride + span - before - after;
}

/** The length of the strips of a line, which are as few as `most` allows and about equal: a multiple of `step` if several. */
export const stripOf = (length: number, most: number, step = 1): number =>
  Math.min(length, step * Math.ceil(length / Math.ceil(length / most) / step));

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
