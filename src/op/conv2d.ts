// Convolution of images [B, H, W, C], transposed convolution, and the gradients of both, as implicit matrix products.

import images from "../../shaders/parts/image.wgsl?raw";
import windows from "../../shaders/parts/window.wgsl?raw";
import source from "../../shaders/product/conv2d.wgsl?raw";
import backwardInputSource from "../../shaders/product/conv2d-backward-input.wgsl?raw";
import { inLines } from "./kernel.ts";
import type { Attributes, Kernel, Way } from "./op.ts";
import { defineOp } from "./op.ts";
import { keepsInner, type Product, productKernel } from "./product.ts";
import { checkCount, checkPair, given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { dims, size, type Tensor } from "./tensor.ts";
import {
  type Slide,
  slideAttributes,
  spanOf,
  spreadLength,
  windowConstants,
  windowNote,
  windowOf,
  windowRefusal,
} from "./window.ts";

/** In groups, a part of the filters sees a part of the channels, as in Keras and PyTorch; as many groups as channels is depthwise. */
type Convolution = Slide & { readonly groups?: number };

const attributes = slideAttributes({ dilation: [[1, 1], checkPair], groups: [1, checkCount] });

/** What is multiplied, from the numbers of pixels in the images, of positions in the result, and of taps, channels and filters in a group. */
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
  [image, filter]: readonly ["a" | "c", "b" | "c"],
  form: Form,
): Kernel {
  return productKernel(name, inLines(windows, images, text), ({ tensors, attributes }) => {
    const { a, b } = tensors;
    const slide = attributes as Convolution;
    const { dilation = [1, 1], groups = 1 } = slide;
    const pixels = tensors[image].shape.slice(-4);
    const kernel = tensors[filter].shape.slice(-4);
    const [batch, height, width] = pixels as [number, number, number];
    const channels = kernel[2] as number;
    const filters = (kernel[3] as number) / groups;
    const window = windowOf(pixels, slide, kernel);
    const positions = batch * window.outHeight * window.outWidth;
    const taps = window.kernelHeight * window.kernelWidth;
    const product = form({ pixels: batch * height * width, positions, taps, channels, filters });
    const rows = [image === "a" ? channels : filters, filters] as const;
    return {
      ...product,
      ...{ groups, rows, apart: [...rows, product.N], line: groups * product.N },
      constants: {
        ...windowConstants(window),
        ...{ BATCH: batch, CHANNELS: channels, FILTERS: filters },
        ...{ DILATION_HEIGHT: dilation[0]!, DILATION_WIDTH: dilation[1]! },
      },
      note:
        `${dims(a)} * ${dims(b)} ${windowNote(window)}` +
        (size(dilation) === 1 ? "" : ` dilation ${dilation.join("x")}`) +
        (groups === 1 ? "" : ` in ${groups} groups`),
    };
  });
}

/** The gradient of a filter over images that gave results with the gradient dy. */
function filterGradient(emit: Way["emit"], images: Tensor, dy: Tensor, filter: Tensor, slide: Attributes): Tensor {
  const [kernelHeight, kernelWidth, channels, filters] = filter.shape as [number, number, number, number];
  const groups = slide.groups === undefined ? 1 : Number(slide.groups);
  const rows = kernelHeight * kernelWidth * channels * groups;
  const splits = splitsFor(rows, filters / groups, size(dy.shape.slice(0, 3)));
  const sizes = { kernel: [kernelHeight, kernelWidth], splits };
  const partial = emit(conv2dBackwardFilter, { a: images, b: dy }, { ...slide, ...sizes }).c;
  return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
}

/** A filter [kh, kw, C / groups, F] over images: [B, OH, OW, F]. Operands by the names that products have: a the images, b the filter. */
export const conv2d = defineOp({
  name: "conv2d",
  inputs: ["a", "b"],
  outputs: ["c"],
  attributes,
  refuse({ a, b }, { padding, dilation, groups = 1 }: Convolution) {
    const refusal = windowRefusal(a.shape, spanOf(b.shape, dilation), padding);
    if (refusal !== undefined) return refusal;
    const channels = a.shape[3]! / groups;
    return b.shape.length === 4 && b.shape[2] === channels && b.shape[3]! % groups === 0
      ? undefined
      : `${given(a, b)} The second must be [height, width, ${groups === 1 ? channels : `${a.shape[3]} / ${groups}`}, filters]${groups === 1 ? "" : `, with filters for ${groups} groups`}.`;
  },
  shape({ a, b }, slide) {
    const { outHeight, outWidth } = windowOf(a.shape, slide, b.shape);
    return { c: { shape: [a.shape[0]!, outHeight, outWidth, b.shape[3]!] } };
  },
  back({ a, b, dc }, { attributes, give, emit }) {
    // The filter's first: then the images' memory is free for what comes back from here.
    give("b", () => filterGradient(emit, a, dc, b, attributes));
    give("a", () => emit(conv2dBackwardInput, { a: dc, b }, { ...attributes, size: a.shape.slice(1, 3) }).c);
  },
  work: ({ b, c }) => (size(c.shape) * size(b.shape)) / b.shape[3]!,
  kernel: convolution("conv2d", source, ["a", "b"], ({ positions, taps, channels, filters }) => {
    return { M: positions, N: filters, K: taps * channels, transposeA: false, transposeB: false };
  }),
  takesEpilogue: true,
  keepsInner,
});

const backwardInput = convolution(
  "conv2d-backward-input",
  backwardInputSource,
  ["c", "b"],
  ({ pixels, taps, channels, filters }) => {
    return { M: pixels, N: channels, K: taps * filters, transposeA: false, transposeB: true };
  },
);

/** dX = dY * W turned: a is dY [B, OH, OW, F], b the filter [kh, kw, C / groups, F]; `size` is [H, W]. */
export const conv2dBackwardInput = defineOp({
  name: "conv2dBackwardInput",
  inputs: ["a", "b"],
  outputs: ["c"],
  shape: ({ a, b }, { size, groups = 1 }: { readonly size: readonly number[]; readonly groups?: number }) => ({
    c: { shape: [a.shape[0]!, ...size, b.shape[2]! * groups] },
  }),
  kernel: backwardInput,
  takesEpilogue: true,
  keepsInner,
});

/** dW = X * dY over batch and positions: [kh, kw, C / groups, F], or [splits, ..] partial sums; a is X, b is dY. */
export const conv2dBackwardFilter = defineOp({
  name: "conv2dBackwardFilter",
  inputs: ["a", "b"],
  outputs: ["c", "sum"],
  shape(
    { a, b },
    {
      kernel,
      splits,
      groups = 1,
    }: { readonly kernel: readonly number[]; readonly splits: number; readonly groups?: number },
  ) {
    const shape = [...kernel, a.shape[3]! / groups, b.shape[3]!];
    return { c: { shape: splits === 1 ? shape : [splits, ...shape] } };
  },
  kernel: convolution("conv2d-backward-filter", source, ["a", "c"], ({ positions, taps, channels, filters }) => {
    return { M: taps * channels, N: filters, K: positions, transposeA: true, transposeB: false };
  }),
  sumsColumns: () => true,
});

const spreadLengths = (a: Tensor, b: Tensor, { stride, padding, dilation }: Convolution): [number, number] =>
  [0, 1].map((axis) =>
    spreadLength(a.shape[axis + 1]!, spanOf(b.shape, dilation)[axis]!, stride[axis]!, padding, axis),
  ) as [number, number];

/**
 * What conv2d does backwards: a filter [kh, kw, F / groups, C] spreads each pixel of images [B, H, W, C] over its window, as in Keras'
 * Conv2DTranspose. "same" gives size * stride pixels, "valid" all that a window touches, and no fewer than size * stride; told padding is
 * taken away from all that a window touches, as in PyTorch.
 */
export const conv2dTranspose = defineOp({
  name: "conv2dTranspose",
  inputs: ["a", "b"],
  outputs: ["c"],
  attributes,
  refuse({ a, b }, slide: Convolution) {
    const { groups = 1 } = slide;
    if (a.shape.length !== 4) return windowRefusal(a.shape, [], "same");
    const channels = a.shape[3]!;
    if (b.shape.length !== 4 || b.shape[3] !== channels || channels % groups !== 0)
      return `${given(a, b)} The second must be [height, width, filters, ${channels}]${groups === 1 ? "" : `, with channels for ${groups} groups`}.`;
    const [height, width] = spreadLengths(a, b, slide);
    return height > 0 && width > 0
      ? undefined
      : `${given(a, b)} Its padding leaves ${height} x ${width} pixels. Give less.`;
  },
  shape: ({ a, b }, slide: Convolution) => ({
    c: { shape: [a.shape[0]!, ...spreadLengths(a, b, slide), b.shape[2]! * (slide.groups ?? 1)] },
  }),
  back({ a, b, dc }, { attributes, give, emit }) {
    give("a", () => emit(conv2d, { a: dc, b }, attributes).c);
    give("b", () => filterGradient(emit, dc, a, b, attributes));
  },
  work: ({ a, b }) => (size(a.shape) * size(b.shape)) / b.shape[3]!,
  kernel: backwardInput,
  takesEpilogue: true,
  keepsInner,
});
