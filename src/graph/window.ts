// Rows of the op table for ops with a sliding window: convolution and pooling, on images [B, H, W, C].

import type { Attributes } from "../model/layer.ts";
import type { Tensor } from "./graph.ts";
import type { Op } from "./op.ts";
import { splitsFor } from "./split.ts";

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

/** One axis: "same" gives ceil(size / stride) positions and puts the odd zero at the end, as TensorFlow does. */
function axis(size: number, kernel: number, stride: number, padding: unknown): [out: number, before: number] {
  if (padding === "valid") return [Math.floor((size - kernel) / stride) + 1, 0];
  const out = Math.ceil(size / stride);
  return [out, Math.floor(Math.max(0, (out - 1) * stride + kernel - size) / 2)];
}

/** Of images [B, H, W, C] and a filter [kh, kw, ...]; without one the attributes have its lengths. */
export function windowOf(image: readonly number[], attributes: Attributes, filter?: readonly number[]): Window {
  const [, height, width] = image as [number, number, number];
  const given = attributes as Readonly<Record<"kernelHeight" | "kernelWidth" | "strideHeight" | "strideWidth", number>>;
  const [kernelHeight, kernelWidth] = (filter ?? [given.kernelHeight, given.kernelWidth]) as [number, number];
  const { strideHeight, strideWidth } = given;
  const [outHeight, padTop] = axis(height, kernelHeight, strideHeight, attributes.padding);
  const [outWidth, padLeft] = axis(width, kernelWidth, strideWidth, attributes.padding);
  const sizes = { height, width, outHeight, outWidth, kernelHeight, kernelWidth };
  return { ...sizes, strideHeight, strideWidth, padTop, padLeft };
}

/** The parts of an image's shape as attributes, for ops that have only the gradient of the output at hand. */
const imageAttributes = (x: Tensor): Attributes => ({ height: x.shape[1]!, width: x.shape[2]! });

const conv2d: Op = {
  name: "conv2d",
  arity: 2,
  outputs([x, filter], attributes) {
    const { outHeight, outWidth } = windowOf(x!.shape, attributes, filter!.shape);
    return [{ shape: [x!.shape[0]!, outHeight, outWidth, filter!.shape[3]!] }];
  },
  backward(b) {
    const [x, filter] = b.inputs as [Tensor, Tensor];
    const { attributes } = b.node;
    if (b.wants(0)) {
      b.give(0, b.emit("conv2dBackwardInput", [b.dy!, filter], { ...attributes, ...imageAttributes(x) }));
    }
    if (b.wants(1)) {
      const [kernelHeight, kernelWidth, channels, filters] = filter.shape as [number, number, number, number];
      const [batch, outHeight, outWidth] = b.dy!.shape as [number, number, number];
      const splits = splitsFor(kernelHeight * kernelWidth * channels, filters, batch * outHeight * outWidth);
      const partial = b.emit("conv2dBackwardFilter", [x, b.dy!], { ...attributes, kernelHeight, kernelWidth, splits });
      b.give(1, splits === 1 ? partial : b.emit("sumPartials", [partial]));
    }
  },
  kernel: "conv2d",
  takesEpilogue: true,
};

/** dX = dY * W turned: inputs dY [B, OH, OW, F] and the filter [kh, kw, C, F]. */
const conv2dBackwardInput: Op = {
  name: "conv2dBackwardInput",
  arity: 2,
  outputs: ([dy, filter], { height, width }) => [
    { shape: [dy!.shape[0]!, height as number, width as number, filter!.shape[2]!] },
  ],
  backward: null, // second derivatives are not computed
  kernel: "conv2d-backward-input",
  takesEpilogue: true,
};

/** dW = X * dY over batch and positions: [kh, kw, C, F], or [splits, kh, kw, C, F] partial sums. */
const conv2dBackwardFilter: Op = {
  name: "conv2dBackwardFilter",
  arity: 2,
  outputs([x, dy], { kernelHeight, kernelWidth, splits }) {
    const shape = [kernelHeight as number, kernelWidth as number, x!.shape[3]!, dy!.shape[3]!];
    return [{ shape: splits === 1 ? shape : [splits as number, ...shape] }];
  },
  backward: null, // second derivatives are not computed
  kernel: "conv2d-backward-filter",
};

/** Outputs the maxima and, for the way back, which tap of its window each came from. */
const maxPool2d: Op = {
  name: "maxPool2d",
  arity: 1,
  outputs([x], attributes) {
    const window = windowOf(x!.shape, attributes);
    const shape = [x!.shape[0]!, window.outHeight, window.outWidth, x!.shape[3]!];
    return [{ shape }, { shape, dtype: "u32", suffix: "maxPool2d.tap" }];
  },
  backward(b) {
    if (!b.wants(0)) return;
    const attributes = { ...b.node.attributes, ...imageAttributes(b.inputs[0]!) };
    b.give(0, b.emit("maxPool2dBackward", [b.dy!, b.outputs[1]!], attributes));
  },
  kernel: "max-pool2d",
};

/** Gathers: each input position adds up the gradients of the windows that chose it. */
const maxPool2dBackward: Op = {
  name: "maxPool2dBackward",
  arity: 2,
  outputs: ([dy], { height, width }) => [{ shape: [dy!.shape[0]!, height as number, width as number, dy!.shape[3]!] }],
  backward: null, // second derivatives are not computed
  kernel: "max-pool2d-backward",
  takesEpilogue: true,
};

export const windowOps: readonly Op[] = [
  conv2d,
  conv2dBackwardInput,
  conv2dBackwardFilter,
  maxPool2d,
  maxPool2dBackward,
];
