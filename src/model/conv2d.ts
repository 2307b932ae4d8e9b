// Convolutions, on images stored [B, H, W, C].

import { OptionError, ShapeError } from "../errors.ts";
import { conv2d as convolve, conv2dTranspose as spread } from "../op/conv2d.ts";
import { type Layer, where, wholeNumber } from "../op/layer.ts";
import { reshape } from "../op/reshape.ts";
import { spanOf } from "../op/window.ts";
import { channelsOf, convolution, type WindowOptions } from "./convolution.ts";

/** Options of `conv2d` and `conv2dTranspose`. */
export interface Conv2dOptions extends WindowOptions {
  /** Into how many groups channels and filters are divided, each seeing its own alone. Default 1. */
  readonly groups?: number;
}

/** As those of conv2d, along one axis. */
export interface Conv1dOptions extends Omit<Conv2dOptions, "kernel" | "stride" | "padding" | "dilation"> {
  /** Length of the window. Default 3. */
  readonly kernel?: number;
  /** Step of the window. Default 1. */
  readonly stride?: number;
  /** As for conv2d; of each side [before, after]. Default "valid". */
  readonly padding?: "same" | "valid" | number | readonly [number, number];
  /** From one tap of the window to the next. Default 1. */
  readonly dilation?: number;
}

/**
 * Convolution [B, H, W, C] -> [B, OH, OW, filters], filter [kh, kw, C / groups, filters] and bias [filters] as in Keras.
 * Throws OptionError for options that do not exist, ShapeError where the input is no image, smaller than a "valid" window, or has
 * channels that the groups do not divide.
 *
 * @example conv2d(16, { kernel: 3, padding: "same" })
 */
export function conv2d(filters: number, options: Conv2dOptions = {}): Layer {
  const { window, slide, groups, weights } = grouped("conv2d", filters, options);
  return {
    kind: "conv2d",
    apply(scope, x) {
      const channels = channelsOf("conv2d", scope, x, groups, spanOf(window, slide.dilation), slide.padding);
      const filter = weights.filter(scope, [...window, channels / groups, filters]);
      return weights.biased(scope, scope.op(convolve, { a: x, b: filter }, { ...slide, groups }).c);
    },
  };
}

/**
 * Transposed convolution [B, H, W, C] -> [B, OH, OW, filters], filter [kh, kw, filters / groups, C] and bias [filters] as in Keras' Conv2DTranspose:
 * OH is H * stride with "same", H * stride + max(window - stride, 0) with "valid". Throws as conv2d does.
 *
 * @example conv2dTranspose(16, { kernel: 3, stride: 2, padding: "same" })
 */
export function conv2dTranspose(filters: number, options: Conv2dOptions = {}): Layer {
  const { window, slide, groups, weights } = grouped("conv2dTranspose", filters, options);
  return {
    kind: "conv2dTranspose",
    apply(scope, x) {
      const channels = channelsOf("conv2dTranspose", scope, x, groups);
      const filter = weights.filter(scope, [...window, filters / groups, channels]);
      return weights.biased(scope, scope.op(spread, { a: x, b: filter }, { ...slide, groups }).c);
    },
  };
}

/**
 * Convolution along one axis, [B, W, C] -> [B, OW, filters], filter [kernel, C / groups, filters] and bias [filters] as in Keras.
 * Throws as conv2d does.
 *
 * @example conv1d(16, { kernel: 5, padding: "same" })
 */
export function conv1d(filters: number, options: Conv1dOptions = {}): Layer {
  const { window, slide, groups, weights } = grouped("conv1d", filters, options, single);
  const length = window[1];
  return {
    kind: "conv1d",
    apply(scope, x) {
      const [batch, width, channels] = x.shape as [number, number, number];
      if (x.shape.length !== 3) {
        const what = `input has shape [${x.shape}], it must be [batch, length, channels]`;
        throw new ShapeError(
          `${where("conv1d", scope)}: ${what}. Give compile an input of two lengths, or use conv2d().`,
        );
      }
      const image = scope.op(reshape, { x }, { shape: [batch, 1, width, channels] }).y;
      channelsOf("conv1d", scope, image, groups, spanOf(window, slide.dilation), slide.padding);
      const stored = weights.filter(scope, [length, channels / groups, filters]);
      const filter = scope.op(reshape, { x: stored }, { shape: [1, ...stored.shape] }).y;
      const y = weights.biased(scope, scope.op(convolve, { a: image, b: filter }, { ...slide, groups }).c);
      return scope.op(reshape, { x: y }, { shape: [batch, y.shape[2] as number, filters] }).y;
    },
  };
}

/** Such options, with groups that divide the filters. */
function grouped(kind: string, filters: number, options: object, ...lengths: [typeof single] | []) {
  wholeNumber(kind, "filters", filters);
  const { count: groups, ...rest } = convolution(kind, options, "groups", ...lengths);
  if (filters % groups !== 0)
    throw new OptionError(`${kind}: ${filters} filters cannot be divided into ${groups} groups.`);
  return { ...rest, groups };
}

/** One length, of a window on an image of one row. */
const single = (place: string, what: string, given: number): readonly [number, number] => [
  1,
  wholeNumber(place, what, given),
];
