// Convolution of images [B, H, W, C], transposed convolution, and the gradients of both, as implicit matrix products.

import windows from "../../shaders/parts/window.wgsl?raw";
import text from "../../shaders/product/conv2d.wgsl?raw";
import taps from "../../shaders/product/taps.wgsl?raw";
import tile from "../../shaders/product/tile.wgsl?raw";
import strip from "../../shaders/strip.wgsl?raw";
import { inLines } from "./kernel.ts";
import { matmul } from "./matmul.ts";
import type { Attributes, Kernel, Op, Way, Work } from "./op.ts";
import { defineOp } from "./op.ts";
import { keepsInner, productKernel } from "./product.ts";
import { checkCount, checkPair, given } from "./request.ts";
import { reshape } from "./reshape.ts";
import { splitsFor } from "./split.ts";
import { stripsOf } from "./strip.ts";
import { sumPartials } from "./sum.ts";
import type { Product } from "./tactic.ts";
import { dims, size, type Tensor } from "./tensor.ts";
import {
  type Slide,
  slideAttributes,
  spanOf,
  spreadLength,
  type Window,
  windowConstants,
  windowNote,
  windowOf,
  windowRefusal,
} from "./window.ts";

/** In groups, a part of the filters sees a part of the channels, as in Keras and PyTorch; as many groups as channels is depthwise. */
type Convolution = Slide & { readonly groups?: number };

const attributes = slideAttributes({ dilation: [[1, 1], checkPair], groups: [1, checkCount] });

/** Of a convolution: its window, and numbers of images, of positions in the result, and of channels and filters in a group. */
interface Sizes {
  readonly batch: number;
  readonly window: Window;
  readonly dilation: readonly number[];
  readonly positions: number;
  readonly channels: number;
  readonly filters: number;
  /** Numbers of a filter. */
  readonly entries: number;
}

/** What is multiplied, and what is another window of other images than in `Sizes`. */
type Form = (
  sizes: Sizes,
) => Pick<Product, "M" | "N" | "K" | "transposeA" | "transposeB"> &
  Partial<Sizes & Pick<Product, "constants" | "holes">>;

/** `image` and `filter`: which of the operands a, b and c has that shape. */
/* @__NO_SIDE_EFFECTS__ */ function convolution(
  name: string,
  [image, filter]: readonly ["a" | "c", "b" | "c"],
  form: Form,
): Kernel {
  const productOf = ({ tensors, attributes }: Work<"a" | "b" | "c">): Product => {
    const { a, b } = tensors;
    const slide = attributes as Convolution;
    const { dilation = [1, 1], groups = 1 } = slide;
    const pixels = tensors[image].shape.slice(-4);
    const kernel = tensors[filter].shape.slice(-4);
    const window = windowOf(pixels, slide, kernel);
    const sizes = {
      ...{ batch: pixels[0]!, window, dilation, positions: pixels[0]! * window.outHeight * window.outWidth },
      ...{ channels: kernel[2]!, filters: kernel[3]! / groups, entries: size(kernel.slice(0, 3)) },
    };
    const product = { ...sizes, ...form(sizes) };
    const { batch, channels, holes = {} } = product;
    const rows = [channels, sizes.filters] as const;
    const ofTaps = product.transposeA;
    return {
      ...product,
      ...{ groups, rows, apart: [...rows, product.N], line: groups * product.N },
      holes: { STRIDED: false, LINE_OF: "m", TAPS_Y: "", TAPS_X: "", ...holes },
      ...(holes.STRIDED !== true && {
        strips: stripsOf({
          batch,
          channels,
          ofTaps,
          window: product.window,
          dilation: product.dilation[1]!,
          columns: product.N,
        }),
      }),
      constants: {
        ...windowConstants(product.window),
        ...{ BATCH: batch, CHANNELS: channels, FILTERS: product.filters },
        ...{ DILATION_HEIGHT: product.dilation[0]!, DILATION_WIDTH: product.dilation[1]! },
        ...product.constants,
      },
      note:
        `${dims(a)} * ${dims(b)} ${windowNote(window)}` +
        (size(dilation) === 1 ? "" : ` dilation ${dilation.join("x")}`) +
        (groups === 1 ? "" : ` in ${groups} groups`),
    };
  };
  return productKernel(name, inLines(windows, taps, text), productOf, inLines(tile, windows, taps, strip));
}

/** The gradient of a filter over images that gave results with the gradient dy. */
function filterGradient(emit: Way["emit"], images: Tensor, dy: Tensor, filter: Tensor, slide: Attributes): Tensor {
  const [kernelHeight, kernelWidth, channels, filters] = filter.shape as [number, number, number, number];
  const { groups = 1 } = slide as { readonly groups?: number };
  const rows = kernelHeight * kernelWidth * channels * groups;
  const splits = splitsFor(rows, filters / groups, size(dy.shape.slice(0, 3)));
  const sizes = { kernel: [kernelHeight, kernelWidth], splits };
  const partial = emit(conv2dBackwardFilter, { a: images, b: dy }, { ...slide, ...sizes }).c;
  return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
}

/** A window of one pixel that meets each pixel once makes rows of pixels, and a product of the convolution. */
/* @__NO_SIDE_EFFECTS__ */ const plainly =
  (transposeB: boolean): NonNullable<Op<"a" | "b", "c", Convolution>["plainly"]> =>
  ({ a, b, c }, { attributes: { stride, groups = 1 }, emit }) => {
    const positions = size(a.shape.slice(0, 3));
    if (size([...b.shape.slice(0, 2), ...stride, groups]) > 1 || size(c.shape.slice(0, 3)) !== positions) return;
    const product = emit(
      matmul,
      {
        a: emit(reshape, { x: a }, { shape: [positions, a.shape[3]!] }).y,
        b: emit(reshape, { x: b }, { shape: b.shape.slice(2) }).y,
      },
      { transposeB },
    );
    return { c: emit(reshape, { x: product.c }, { shape: c.shape }).y };
  };

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
  plainly: plainly(false),
  kernel: convolution("conv2d", ["a", "b"], ({ positions, entries, filters }) => {
    return { M: positions, N: filters, K: entries, transposeA: false, transposeB: false };
  }),
  takesEpilogue: true,
  keepsInner,
});

/**
 * For each rest that a pixel's place may leave by the stride, the taps that meet such pixels, as in conv2d.wgsl: the first one, how many,
 * where that lies in dY beside place / stride, and how many taps it is from one to the next.
 */
function tapsOf(taps: number, stride: number, dilation: number, pad: number): readonly (readonly number[])[] {
  const rests = [...Array(stride).keys()];
  const period = rests.find((rest) => ((rest + 1) * dilation) % stride === 0)! + 1;
  return rests.map((rest) => {
    const first = rests.find((tap) => tap < taps && (rest + pad - tap * dilation) % stride === 0) ?? taps;
    return [first, Math.ceil((taps - first) / period), Math.trunc((rest + pad - first * dilation) / stride), period];
  });
}

const written = (taps: readonly (readonly number[])[]): string => taps.map((tap) => `vec4i(${tap})`).join();
const most = (taps: readonly (readonly number[])[]): number => Math.max(...taps.map(([, count]) => count!));

/**
 * The images are those of dY, under as many windows as there are pixels, whose taps go backwards. With a stride, pixels whose places
 * leave the same rest by it are a class, which meets its own taps alone; classes have equally many rows.
 */
const backwardInput = convolution(
  "conv2d-backward-input",
  ["c", "b"],
  ({ batch, window, dilation, channels, filters }) => {
    const {
      height,
      width,
      outHeight,
      outWidth,
      kernelHeight,
      kernelWidth,
      strideHeight,
      strideWidth,
      padTop,
      padLeft,
    } = window;
    const lines = { outHeight: Math.ceil(height / strideHeight), outWidth: Math.ceil(width / strideWidth) };
    const y = tapsOf(kernelHeight, strideHeight, dilation[0]!, padTop);
    const x = tapsOf(kernelWidth, strideWidth, dilation[1]!, padLeft);
    const classes = strideHeight * strideWidth;
    const rows = batch * lines.outHeight * lines.outWidth;
    const ROWS = Math.ceil(rows / 8) * 8;
    return {
      ...{ M: classes === 1 ? rows : classes * ROWS, N: channels, K: most(y) * most(x) * filters },
      ...{ transposeA: false, transposeB: true, channels: filters, filters: channels },
      window: {
        ...{ ...window, ...lines, height: outHeight, width: outWidth, strideHeight: 1, strideWidth: 1 },
        ...{ padTop: -padTop, padLeft: -padLeft },
      },
      dilation: [(-dilation[0]! * y[0]![3]!) / strideHeight, (-dilation[1]! * x[0]![3]!) / strideWidth],
      ...(classes > 1 && {
        holes: {
          ...{ STRIDED: true, LINE_OF: "m % ROWS", TAPS_Y: written(y), TAPS_X: written(x) },
          ...{ STORED_ROW: "pixel_of(m)", TERMS: "terms_of(walk)" },
        },
        constants: { ROWS, FULL_HEIGHT: height, FULL_WIDTH: width, STEP_HEIGHT: strideHeight, STEP_WIDTH: strideWidth },
      }),
    };
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
  kernel: convolution("conv2d-backward-filter", ["a", "c"], ({ positions, entries, filters }) => {
    return { M: entries, N: filters, K: positions, transposeA: true, transposeB: false };
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
  plainly: plainly(true),
  kernel: backwardInput,
  takesEpilogue: true,
  keepsInner,
});
