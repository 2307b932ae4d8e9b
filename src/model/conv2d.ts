// Convolutions, on images stored [B, H, W, C].

import { OptionError, ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "../initializer.ts";
import { bias as addBias } from "../op/bias.ts";
import { conv2d as convolve, conv2dTranspose as spread } from "../op/conv2d.ts";
import { checkNoActivation, type Layer, type Scope, type Value, where, wholeNumber } from "../op/layer.ts";
import { reshape } from "../op/reshape.ts";
import { type Padding, type Pads, padsOf, pair, spanOf, windowRefusal } from "../op/window.ts";
import { anything, resolved } from "../option.ts";

export interface Conv2dOptions {
  /** Window height and width, or [height, width]. Default 3. */
  readonly kernel?: number | readonly [number, number];
  /** Step of the window, or [vertical, horizontal]. Default 1. */
  readonly stride?: number | readonly [number, number];
  /** Default "valid". */
  readonly padding?: Padding;
  /** From one tap of the window to the next, or [vertical, horizontal]. Default 1. */
  readonly dilation?: number | readonly [number, number];
  /** Into how many groups channels and filters are divided, each seeing its own alone; as many as channels is depthwise. Default 1. */
  readonly groups?: number;
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** Start of the filter. Default "glorotUniform". */
  readonly initializer?: InitializerName | Initializer;
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
  const { window, slide, weights } = convolution("conv2d", filters, options);
  return {
    kind: "conv2d",
    apply(scope, x) {
      const channels = channelsOf("conv2d", scope, x, slide.groups, spanOf(window, slide.dilation), slide.padding);
      const filter = weights.filter(scope, [...window, channels / slide.groups, filters]);
      return weights.biased(scope, scope.op(convolve, { a: x, b: filter }, slide).c);
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
  const { window, slide, weights } = convolution("conv2dTranspose", filters, options);
  return {
    kind: "conv2dTranspose",
    apply(scope, x) {
      const channels = channelsOf("conv2dTranspose", scope, x, slide.groups);
      const filter = weights.filter(scope, [...window, filters / slide.groups, channels]);
      return weights.biased(scope, scope.op(spread, { a: x, b: filter }, slide).c);
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
  const { window, slide, weights } = convolution("conv1d", filters, options);
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
      channelsOf("conv1d", scope, image, slide.groups, spanOf(window, slide.dilation), slide.padding);
      const stored = weights.filter(scope, [length, channels / slide.groups, filters]);
      const filter = scope.op(reshape, { x: stored }, { shape: [1, ...stored.shape] }).y;
      const y = weights.biased(scope, scope.op(convolve, { a: image, b: filter }, slide).c);
      return scope.op(reshape, { x: y }, { shape: [batch, y.shape[2] as number, filters] }).y;
    },
  };
}

/** What factories of convolutions were given, checked: the window, how it slides, and the weights that a layer asks for. */
function convolution(kind: string, filters: number, options: Conv1dOptions | Conv2dOptions) {
  wholeNumber(kind, "filters", filters);
  checkNoActivation(kind, options);
  const table = {
    kernel: [3, anything],
    stride: [1, anything],
    padding: ["valid", anything],
    dilation: [1, anything],
    groups: [1, anything],
    bias: [true],
    initializer: ["glorotUniform"],
  } as const;
  const { padding, bias, ...given } = resolved(kind, options as Conv2dOptions, table, `${kind}(16, { kernel: 3 })`);
  const lengths = kind === "conv1d" ? single : pair;
  const groups = wholeNumber(kind, "groups", given.groups);
  if (filters % groups !== 0)
    throw new OptionError(`${kind}: ${filters} filters cannot be divided into ${groups} groups.`);
  const initialize = initializer(kind, given.initializer);
  const zeros = initializer(kind, "zeros");
  return {
    window: lengths(kind, "kernel", given.kernel),
    slide: {
      stride: lengths(kind, "stride", given.stride),
      padding: padsOf(kind, padding, kind === "conv1d"),
      dilation: lengths(kind, "dilation", given.dilation),
      groups,
    },
    weights: {
      filter: (scope: Scope, shape: readonly number[]): Value => scope.parameter("weight", shape, initialize),
      biased: (scope: Scope, x: Value): Value =>
        bias ? scope.op(addBias, { x, b: scope.parameter("bias", [filters], zeros) }).z : x,
    },
  };
}

/** Channels of an image that a window of such a span fits onto, and that can be divided into groups. */
function channelsOf(
  kind: string,
  scope: Scope,
  x: Value,
  groups: number,
  span: readonly number[] = [1, 1],
  padding: Pads = "same",
): number {
  const channels = x.shape.at(-1) as number;
  const refusal =
    windowRefusal(x.shape, span, padding) ??
    (channels % groups === 0
      ? undefined
      : `input has ${channels} channels, they cannot be divided into ${groups} groups.`);
  if (refusal !== undefined) throw new ShapeError(`${where(kind, scope)}: ${refusal}`);
  return channels;
}

/** One length, of a window on an image of one row. */
const single = (place: string, what: string, given: unknown): readonly [number, number] => [
  1,
  wholeNumber(place, what, given as number),
];
