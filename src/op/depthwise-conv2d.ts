// Depthwise convolution of images [B, H, W, C], a filter for each channel, and its gradients: poolings with weights, since a matrix
// product would have a single column for each channel.

import source from "../../shaders/depthwise-conv2d.wgsl?raw";
import { type DeviceFacts, each } from "./kernel.ts";
import { defineOp, type Kernel } from "./op.ts";
import { backwardAttributes, pooled, poolKernel, unpooled } from "./pool2d.ts";
import { checkPair, given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { size } from "./tensor.ts";
import { type Slide, slideAttributes, stripOf, type Window, windowRefusal } from "./window.ts";

type Windows = Slide & { readonly kernel: readonly number[] };

/** A sum of a thread's block, or a pixel that it reads, counted from the first. */
interface Place {
  readonly line: number;
  readonly column: number;
}

const pixelAt = ({ line, column }: Place): string => `x_${line}_${column}`;

/** The kernel of what makes an output, the gradient of the image, or that of the filter. */
/* @__NO_SIDE_EFFECTS__ */ function stripKernel(way: "" | "-backward-input" | "-backward-filter"): Kernel {
  const [isBack, isFilter] = [way === "-backward-input", way === "-backward-filter"];
  /** The column, from the first pixel, under which a sum meets one of the others; no whole number where they do not. */
  const meeting = (sum: number, other: number, { strideWidth, padLeft }: Window): number =>
    isBack ? (sum + padLeft - other) / strideWidth : isFilter ? other * strideWidth + sum : sum * strideWidth + other;
  /**
   * What a thread makes, and of how many others at once: so many products at most, whatever the window, as a text bears. On a CPU adapter
   * a small filter is whole, and its lines of pixels are handed on down the image; a GPU has a thread for each line of it, to have many.
   */
  const blockOf = ({ kernelHeight, kernelWidth, strideWidth }: Window, line: number, { software }: DeviceFacts) => {
    const taps = isFilter ? stripOf(kernelWidth, 8) : kernelWidth;
    const places = stripOf(line, Math.min(8, Math.ceil(64 / taps)), isBack ? strideWidth : 1);
    const tall = isFilter && software ? stripOf(kernelHeight, Math.max(1, Math.floor(16 / taps))) : 1;
    return { tall, strip: isFilter ? taps : places, other: isFilter ? places : taps };
  };
  return poolKernel(
    `depthwise-conv2d${way}`,
    source,
    { image: isBack ? "c" : "a", written: "c" },
    ({ splits }, window, batch, device) => {
      const { height, width, outHeight, outWidth, kernelHeight, kernelWidth } = window;
      const [down, line] = isFilter ? [kernelHeight, outWidth] : isBack ? [height, width] : [outHeight, outWidth];
      const [across, beside] = isFilter ? [kernelWidth, line] : [line, kernelWidth];
      const { tall, strip, other } = blockOf(window, line, device);
      const pixels = new Map<string, Place>();
      /** The product of a sum with one of the others, whose pixel is counted from the first; nothing where they do not meet. */
      const product = (sum: Place, k: number): string => {
        const column = meeting(sum.column, k, window);
        if (!Number.isInteger(column)) return "";
        const at = { line: sum.line, column: column >>> 0 };
        pixels.set(pixelAt(at), at);
        return ` + ${pixelAt(at)} * other_${k}`;
      };
      const perSum = (text: (at: Place, name: string) => string): string =>
        each(tall, (line) => each(strip, (column) => text({ line, column }, `sum_${line}_${column}`)));
      const sums = perSum((at, name) => `${name} += V()${each(other, (k) => product(at, k), "")};`);
      // Beyond an image there are zeros; the other ways go through no lines but those that are there.
      const read = (at: Place): string => {
        const there = isFilter ? `y + ${at.line}u < HEIGHT` : "true";
        return `${pixelAt(at)} = pixel(line + ${at.line}u, ${there}, x + ${at.column}u, at);`;
      };
      const isHandedOn = ({ line }: Place): boolean => line + window.strideHeight < tall;
      const handedOn = [...pixels.values()].filter(isHandedOn);
      const others = [...pixels.values()].filter((at) => !isHandedOn(at));
      const next = ({ line, column }: Place): Place => ({ line: line + window.strideHeight, column });
      const images = (splits as number) ?? batch;
      return {
        holes: {
          FILTER: isFilter,
          ...{ STRIP: strip, OTHER: other, TALL: tall },
          SUMS: perSum((_, name) => `var ${name} = V();`),
          RESULTS: perSum(({ line, column }, name) => `put(${name}, at, ${line}, ${column});`),
          PRODUCTS: [
            each(other, (k) => `let other_${k} = other(line_of_b, start + ${k}, at);`),
            ...others.map((at) => `let ${read(at)}`),
            sums,
            ...handedOn.map((at) => `${pixelAt(at)} = ${pixelAt(next(at))};`),
          ].join("\n"),
          HANDED_ON: handedOn.map((at) => `var ${read(at)}`).join("\n"),
        },
        constants: { BACK: +isBack, IMAGES: images, DOWN: down, ACROSS: across, OTHERS: beside },
        threads: images * Math.ceil(down / tall) * Math.ceil(across / strip),
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
 * The gradient of the filter in its `shape`, or [splits, ..] partial sums; a are the images, b is dY. A part has as many strips of
 * lines of dY as the others, down one image after the other: lines are cut into the fewest equal strips of at most 8 positions.
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
