// Depthwise convolution of images [B, H, W, C], a filter for each channel, and its gradients: poolings with weights, since a matrix
// product would have a single column for each channel.

import source from "../../shaders/depthwise-conv2d.wgsl?raw";
import { each } from "./kernel.ts";
import { defineOp, type Kernel } from "./op.ts";
import { backwardAttributes, pooled, poolKernel, unpooled } from "./pool2d.ts";
import { checkPair, given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { size } from "./tensor.ts";
import { type Slide, slideAttributes, stripOf, windowRefusal } from "./window.ts";

type Windows = Slide & { readonly kernel: readonly number[] };

/** The kernel of what makes an output, the gradient of the image, or that of the filter. */
/* @__NO_SIDE_EFFECTS__ */ function stripKernel(way: "" | "-backward-input" | "-backward-filter"): Kernel {
  const [isBack, isFilter] = [way === "-backward-input", way === "-backward-filter"];
  return poolKernel(
    `depthwise-conv2d${way}`,
    source,
    { image: isBack ? "c" : "a", written: "c" },
    ({ splits }, { height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideWidth, padLeft }, batch) => {
      const [down, line] = isFilter ? [kernelHeight, outWidth] : isBack ? [height, width] : [outHeight, outWidth];
      // So many products for each row at most, whatever the window, as a text bears.
      const taps = isFilter ? stripOf(kernelWidth, 8) : kernelWidth;
      const places = stripOf(line, Math.min(8, Math.ceil(64 / taps)), isBack ? strideWidth : 1);
      const [strip, other] = isFilter ? [taps, places] : [places, taps];
      const [across, others] = isFilter ? [kernelWidth, line] : [line, kernelWidth];
      const pixels = new Set<number>();
      /** The product of a sum with one of the others, whose pixel is counted from the first; nothing where they do not meet. */
      const product = (sum: number, other: number): string => {
        const [j, k] = isFilter ? [other, sum] : [sum, other];
        const pixel = isBack ? (j + padLeft - k) / strideWidth : j * strideWidth + k;
        if (!Number.isInteger(pixel)) return "";
        pixels.add(pixel >>> 0);
        return ` + x_${pixel >>> 0} * other_${other}`;
      };
      const sums = each(strip, (j) => `sum_${j} += V()${each(other, (k) => product(j, k))};`);
      const images = (splits as number) ?? batch;
      return {
        holes: {
          FILTER: isFilter,
          STRIP: strip,
          OTHER: other,
          SUMS: each(strip, (j) => `var sum_${j} = V();`),
          RESULTS: each(strip, (j) => `put(sum_${j}, at, ${j});`),
          PRODUCTS:
            each(other, (k) => `let other_${k} = other(row, start + ${k}, at);`) +
            [...pixels].map((pixel) => `let x_${pixel} = pixel(line, first + ${pixel}u, at);`).join("") +
            sums,
        },
        constants: { BACK: +isBack, IMAGES: images, DOWN: down, ACROSS: across, OTHERS: others },
        threads: images * down * Math.ceil(across / strip),
        note: (splits as number) > 1 ? ` in ${splits} parts` : "",
      };
    },
  );
}

/**
 * Images a [B, H, W, C] under a filter b [kh, kw, C] for each channel, or [kh, kw, C, 1] or [kh, kw, 1, C], which are the same numbers:
 * [B, OH, OW, C].
 */
export const depthwiseConv2d = defineOp({
  name: "depthwiseConv2d",
  inputs: ["a", "b"],
  outputs: ["c"],
  attributes: slideAttributes({ kernel: [undefined, checkPair] }),
  refuse({ a, b }, { kernel, padding }: Windows) {
    const refusal = windowRefusal(a.shape, kernel, padding);
    if (refusal !== undefined) return refusal;
    const fits = size(b.shape) === size(kernel) * a.shape[3]! && String(b.shape.slice(0, 2)) === String(kernel);
    return fits ? undefined : `${given(a, b)} The second must be [${kernel}, ${a.shape[3]}].`;
  },
  shape: ({ a }, slide) => ({ c: { shape: pooled(a, slide) } }),
  back({ a, b, dc }, { attributes, give, emit }) {
    give("b", () => {
      // As often as is worth it: a part is no larger than a filter, and its sum is short.
      const splits = splitsFor(1, 1, size(dc.shape.slice(0, 3)));
      const partial = emit(depthwiseConv2dBackwardFilter, { a, b: dc }, { ...attributes, shape: b.shape, splits }).c;
      return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
    });
    give("a", () => emit(depthwiseConv2dBackwardInput, { a: dc, b }, backwardAttributes(attributes, a)).c);
  },
  work: ({ c }, { kernel }) => size(c.shape) * size(kernel),
  kernel: stripKernel(""),
  takesEpilogue: true,
});

/** Gathers: each pixel adds up the gradients of the windows that see it, by the weight under which they do. */
export const depthwiseConv2dBackwardInput = defineOp({
  name: "depthwiseConv2dBackwardInput",
  inputs: ["a", "b"],
  outputs: ["c"],
  shape: ({ a }, image: { readonly size: readonly number[] }) => ({ c: { shape: unpooled(a, image) } }),
  kernel: stripKernel("-backward-input"),
  takesEpilogue: true,
});

/**
 * The gradient of the filter in its `shape`, or [splits, ..] partial sums; a are the images, b is dY. A part has as many strips of the
 * lines of dY as the others, one after the other through the batch: lines are cut into the fewest equal strips of at most 8 positions.
 */
export const depthwiseConv2dBackwardFilter = defineOp({
  name: "depthwiseConv2dBackwardFilter",
  inputs: ["a", "b"],
  outputs: ["c"],
  shape: (_, { shape, splits }: { readonly shape: readonly number[]; readonly splits: number }) => ({
    c: { shape: splits === 1 ? shape : [splits, ...shape] },
  }),
  kernel: stripKernel("-backward-filter"),
});
