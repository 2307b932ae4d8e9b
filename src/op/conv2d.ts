// Convolution of images [B, H, W, C] and its two gradients, as implicit matrix products.

import images from "../../shaders/parts/image.wgsl?raw";
import windows from "../../shaders/parts/window.wgsl?raw";
import source from "../../shaders/product/conv2d.wgsl?raw";
import backwardInputSource from "../../shaders/product/conv2d-backward-input.wgsl?raw";
import { inLines } from "./kernel.ts";
import type { Kernel } from "./op.ts";
import { defineOp } from "./op.ts";
import { type Product, productKernel } from "./product.ts";
import { given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { dims, size } from "./tensor.ts";
import {
  type Slide,
  slideAttributes,
  slideOf,
  windowConstants,
  windowNote,
  windowOf,
  windowRefusal,
} from "./window.ts";

/** What is multiplied, from the numbers of pixels in the images, of positions in the result, and of taps in a filter. */
interface Sizes {
  readonly pixels: number;
  readonly positions: number;
  readonly taps: number;
  readonly channels: number;
  readonly filters: number;
}

type Form = (sizes: Sizes) => Pick<Product, "M" | "N" | "K" | "transposeA" | "transposeB">;

/** `image` and `filter`: which of the operands a, b and c has that shape. */
/* @__NO_SIDE_EFFECTS__ */ function convolution(
  name: string,
  text: string,
  [image, filter]: readonly ["a" | "b" | "c", "a" | "b" | "c"],
  form: Form,
): Kernel {
  return productKernel(name, inLines(windows, images, text), ({ tensors, attributes }) => {
    const { a, b } = tensors;
    const pixels = tensors[image].shape.slice(-4);
    const kernel = tensors[filter].shape.slice(-4);
    const [batch, height, width, channels] = pixels as [number, number, number, number];
    const filters = kernel[3] as number;
    const window = windowOf(pixels, slideOf(attributes), kernel);
    const positions = batch * window.outHeight * window.outWidth;
    const taps = window.kernelHeight * window.kernelWidth;
    return {
      ...form({ pixels: batch * height * width, positions, taps, channels, filters }),
      groups: 1,
      apart: [0, 0, 0],
      line: tensors.c.shape.at(-1) as number,
      rows: [a.shape[3] as number, b.shape[3] as number],
      constants: {
        ...windowConstants(window),
        ...{ BATCH: batch, CHANNELS: channels, FILTERS: filters, DILATION_HEIGHT: 1, DILATION_WIDTH: 1 },
      },
      note: `${dims(a)} * ${dims(b)} ${windowNote(window)}`,
    };
  });
}

/** A filter [kh, kw, C, F] over images: [B, OH, OW, F]. Operands by the names that products have: a the images, b the filter. */
export const conv2d = defineOp({
  name: "conv2d",
  inputs: ["a", "b"],
  outputs: ["c"],
  attributes: slideAttributes({}),
  refuse({ a, b }, { padding }: Slide) {
    const refusal = windowRefusal(a.shape, b.shape, padding);
    if (refusal !== undefined) return refusal;
    const channels = a.shape[3];
    return b.shape.length === 4 && b.shape[2] === channels
      ? undefined
      : `${given(a, b)} The second must be [height, width, ${channels}, filters].`;
  },
  shape({ a, b }, slide) {
    const { outHeight, outWidth } = windowOf(a.shape, slide, b.shape);
    return { c: { shape: [a.shape[0]!, outHeight, outWidth, b.shape[3]!] } };
  },
  back({ a, b, dc }, { attributes, give, emit }) {
    give("a", () => emit(conv2dBackwardInput, { a: dc!, b }, { ...attributes, size: a.shape.slice(1, 3) }).c);
    give("b", () => {
      const [kernelHeight, kernelWidth, channels, filters] = b.shape as [number, number, number, number];
      const [batch, outHeight, outWidth] = dc!.shape as [number, number, number];
      const splits = splitsFor(kernelHeight * kernelWidth * channels, filters, batch * outHeight * outWidth);
      const sizes = { kernel: [kernelHeight, kernelWidth], splits };
      const partial = emit(conv2dBackwardFilter, { a, b: dc! }, { ...attributes, ...sizes }).c;
      return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
    });
  },
  work: ({ b, c }) => (size(c.shape) * size(b.shape)) / b.shape[3]!,
  kernel: convolution("conv2d", source, ["a", "b"], ({ positions, taps, channels, filters }) => {
    return { M: positions, N: filters, K: taps * channels, transposeA: false, transposeB: false };
  }),
  takesEpilogue: true,
});

/** dX = dY * W turned: a is dY [B, OH, OW, F], b the filter [kh, kw, C, F]; `size` is [H, W]. */
export const conv2dBackwardInput = defineOp({
  name: "conv2dBackwardInput",
  inputs: ["a", "b"],
  outputs: ["c"],
  shape: ({ a, b }, { size }: { readonly size: readonly number[] }) => ({
    c: { shape: [a.shape[0]!, ...size, b.shape[2]!] },
  }),
  kernel: convolution(
    "conv2d-backward-input",
    backwardInputSource,
    ["c", "b"],
    ({ pixels, taps, channels, filters }) => {
      return { M: pixels, N: channels, K: taps * filters, transposeA: false, transposeB: true };
    },
  ),
  takesEpilogue: true,
});

/** dW = X * dY over batch and positions: [kh, kw, C, F], or [splits, kh, kw, C, F] partial sums; a is X, b is dY. */
export const conv2dBackwardFilter = defineOp({
  name: "conv2dBackwardFilter",
  inputs: ["a", "b"],
  outputs: ["c", "sum"],
  shape({ a, b }, { kernel, splits }: { readonly kernel: readonly number[]; readonly splits: number }) {
    const shape = [...kernel, a.shape[3]!, b.shape[3]!];
    return { c: { shape: splits === 1 ? shape : [splits, ...shape] } };
  },
  kernel: convolution("conv2d-backward-filter", source, ["a", "c"], ({ positions, taps, channels, filters }) => {
    return { M: taps * channels, N: filters, K: positions, transposeA: true, transposeB: false };
  }),
  sumsColumns: () => true,
});
