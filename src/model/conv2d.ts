// Two-dimensional convolution and max pooling, on images stored [B, H, W, C].

import { OptionError, ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "./initializer.ts";
import { type Layer, type Scope, type Value, where, wholeNumber } from "./layer.ts";

/** "same" keeps ceil(size / stride) positions by zero padding; "valid" uses whole windows only. As in TensorFlow. */
export type Padding = "same" | "valid";

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

export interface MaxPool2dOptions {
  /** Step of the window. Default: the window's size. */
  readonly stride?: number | readonly [number, number];
  /** Default "valid". */
  readonly padding?: Padding;
}

/**
 * Convolution [B, H, W, C] -> [B, OH, OW, filters], filter [kh, kw, C, filters] and bias [filters] as in Keras.
 * Throws ShapeError where the input is no image, or smaller than a "valid" window.
 *
 * @example conv2d(16, { kernel: 3, padding: "same" })
 */
export function conv2d(filters: number, options: Conv2dOptions = {}): Layer {
  wholeNumber("conv2d", "filters", filters);
  const [kernelHeight, kernelWidth] = pair("conv2d", "kernel", options.kernel ?? 3);
  const [strideHeight, strideWidth] = pair("conv2d", "stride", options.stride ?? 1);
  const padding = checkedPadding("conv2d", options.padding ?? "valid");
  const initialize = initializer("conv2d", options.initializer ?? "glorotUniform");
  const zeros = initializer("conv2d", "zeros");
  return {
    kind: "conv2d",
    apply(scope, x) {
      const channels = checkedImage("conv2d", scope, x, [kernelHeight, kernelWidth], padding);
      const filter = scope.parameter("weight", [kernelHeight, kernelWidth, channels, filters], initialize);
      const y = scope.op("conv2d", [x, filter], { strideHeight, strideWidth, padding });
      if (options.bias === false) return y;
      return scope.op("bias", [y, scope.parameter("bias", [filters], zeros)]);
    },
  };
}

/**
 * The largest value of each window: [B, H, W, C] -> [B, OH, OW, C]. Of equal values the first counts, as in PyTorch.
 *
 * @example maxPool2d(2)
 */
export function maxPool2d(size: number | readonly [number, number], options: MaxPool2dOptions = {}): Layer {
  const [kernelHeight, kernelWidth] = pair("maxPool2d", "size", size);
  const [strideHeight, strideWidth] = pair("maxPool2d", "stride", options.stride ?? size);
  const padding = checkedPadding("maxPool2d", options.padding ?? "valid");
  return {
    kind: "maxPool2d",
    apply(scope, x) {
      checkedImage("maxPool2d", scope, x, [kernelHeight, kernelWidth], padding);
      return scope.op("maxPool2d", [x], { kernelHeight, kernelWidth, strideHeight, strideWidth, padding });
    },
  };
}

function pair(place: string, what: string, given: number | readonly [number, number]): readonly [number, number] {
  const [height, width] = Array.isArray(given) ? given : [given, given];
  return [wholeNumber(place, what, height), wholeNumber(place, what, width)];
}

function checkedPadding(place: string, padding: Padding): Padding {
  if (padding === "same" || padding === "valid") return padding;
  throw new OptionError(`${place}: padding is "${padding}", it must be "same" or "valid".`);
}

/** The number of channels of an image that a window fits into. */
function checkedImage(
  kind: string,
  scope: Scope,
  x: Value,
  window: readonly [number, number],
  padding: Padding,
): number {
  const [, height, width, channels] = x.shape;
  if (x.shape.length !== 4 || height === undefined || width === undefined || channels === undefined) {
    throw new ShapeError(
      `${where(kind, scope)}: input has shape [${x.shape}], it must be an image [batch, height, width, channels]. Give compile an input of three lengths, or use dense().`,
    );
  }
  if (padding === "valid" && (height < window[0] || width < window[1])) {
    throw new ShapeError(
      `${where(kind, scope)}: input is ${height} x ${width}, the window ${window[0]} x ${window[1]}. Use a smaller window or padding "same".`,
    );
  }
  return channels;
}
