// Depthwise convolution of images [B, H, W, C], a filter for each channel, and its gradients: poolings with weights, since a matrix
// product would have a single column for each channel.

import source from "../../shaders/depthwise-conv2d.wgsl?raw";
import { defineOp, type Kernel } from "./op.ts";
import { backwardAttributes, pooled, poolKernel, unpooled } from "./pool2d.ts";
import { checkPair, given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { size } from "./tensor.ts";
import { type Slide, slideAttributes, windowRefusal } from "./window.ts";

type Windows = Slide & { readonly kernel: readonly number[] };

/** Most results of a strip, and most numbers of the other operand that meet it at a time. */
const MOST = 8;

/** The length of the strips of a line, which are as few as can be and about as long as one another: a multiple of `step` if several. */
const stripOf = (length: number, step: number): number =>
  Math.min(length, step * Math.ceil(length / Math.ceil(length / MOST) / step));

const each = (count: number, of: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => of(i)).join("\n");

/** The kernel of what makes an output, the gradient of the image, or that of the filter. */
/* @__NO_SIDE_EFFECTS__ */ function stripKernel(way: "" | "-backward-input" | "-backward-filter"): Kernel {
  const [isBack, isFilter] = [way === "-backward-input", way === "-backward-filter"];
  return poolKernel(
    `depthwise-conv2d${way}`,
    source,
    { image: isBack ? "c" : "a", written: "c" },
    ({ splits = 1 }, window, batch) => {
      const { height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideWidth, padLeft } = window;
      const [down, across, pixels] = isBack ? [height, width, outWidth] : [outHeight, outWidth, width];
      const step = isBack ? strideWidth : 1;
      const [places, taps] = [stripOf(across, step), stripOf(kernelWidth, step)];
      const [strip, others] = isFilter ? [taps, places] : [places, taps];
      // The products of each sum, in the order of the pixels, which are counted from the first.
      const terms = Array.from({ length: strip }, (): string[] => []);
      const seen = new Set<number>();
      for (let j = 0; j < places; j++) {
        for (let k = 0; k < taps; k++) {
          const tap = isBack ? taps - 1 - k : k;
          const at = isBack ? (j + padLeft - tap) / strideWidth : j * strideWidth + k;
          if (!Number.isInteger(at)) continue;
          seen.add(at >>> 0);
          const [sum, other] = isFilter ? [tap, j] : [j, tap];
          terms[sum]?.push(` + x_${at >>> 0} * other_${other}`);
        }
      }
      const [line, otherLine] = isFilter ? [kernelWidth, outWidth] : [across, kernelWidth];
      const strips = Math.ceil(line / strip);
      const lines = isFilter ? kernelHeight : down;
      const images = isFilter ? (splits as number) : batch;
      return {
        holes: {
          FILTER: isFilter,
          BACK: isBack,
          ROWS: isBack ? "rows_seeing" : "rows_seen",
          LINES: isBack ? "OUT_HEIGHT" : "HEIGHT",
          STRIP: strip,
          OTHERS: others,
          EACH: others < otherLine ? "for (var k = 0u; k < OTHER_STRIPS; k++)" : "let k = 0u;",
          SUMS: each(strip, (j) => `var sum_${j} = V();${isFilter ? ` var total_${j} = V();` : ""}`),
          KEEP: each(strip, (j) => `total_${j} += sum_${j}; sum_${j} = V();`),
          RESULTS: each(strip, (j) => `put(${isFilter ? "total" : "sum"}_${j}, line, begin + ${j}, lane);`),
          PRODUCTS: [
            each(others, (k) => `let other_${k} = other(row, start + ${k}, lane);`),
            ...[...seen].map((at) => `let x_${at} = pixel(line, first + ${at}u, lane);`),
            ...terms.map((all, sum) => `sum_${sum} = sum_${sum}${all.join("")};`),
          ].join("\n"),
        },
        constants: {
          ...{ IMAGES: images, DOWN: lines, ACROSS: line, STRIPS: strips, PIXELS: pixels },
          ...{ OTHER_ACROSS: otherLine, OTHER_STRIPS: Math.ceil(otherLine / others) },
        },
        threads: images * lines * strips,
        note: splits === 1 ? "" : ` in ${splits} parts`,
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
      // A tile of eight threads has a line of taps for four channels each.
      const splits = splitsFor(1, a.shape[3]! / 4, size(dc.shape.slice(0, 3)));
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
