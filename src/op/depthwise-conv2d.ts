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
import { type Slide, slideAttributes, stripOf, type Window, windowRefusal } from "./window.ts";

type Windows = Slide & { readonly kernel: readonly number[] };

/** A sum of a thread's block, or a number of B that it reads, counted from the first. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** The name of a pixel, counted from the first. */
const pixelAt = (line: number, column: number): string => `x_${line >>> 0}_${column >>> 0}`;

/** The text for each of them, which has a name. */
const perPlace =
  (lines: number, columns: number) =>
  (text: (at: Place, name: string) => string, between?: string): string =>
    each(lines, (line) => each(columns, (column) => text({ line, column }, `${line}_${column}`), between), between);

/** The kernel of what makes an output, the gradient of the image, or that of the filter. */
/* @__NO_SIDE_EFFECTS__ */ function stripKernel(way: "" | "-backward-input" | "-backward-filter"): Kernel {
  const [isBack, isFilter] = [way === "-backward-input", way === "-backward-filter"];
  /** Along an axis, from the first pixel, that under which a sum meets one of the others; no whole number where they do not. */
  const meeting = (sum: number, other: number, stride: number, pad: number): number =>
    isBack ? (sum + pad - other) / stride : isFilter ? other * stride + sum : sum * stride + other;
  /**
   * What a thread makes, and of how many others at once: so many products at most, whatever the window, as a text bears. A small filter is
   * whole, and its lines of pixels are handed on down the image.
   */
  const blockOf = ({ kernelHeight, kernelWidth, strideHeight, strideWidth }: Window, line: number) => {
    if (isFilter) {
      const strip = stripOf(kernelWidth, 8);
      const tall = stripOf(kernelHeight, Math.max(1, Math.floor(16 / strip)));
      return { tall, strip, rows: 1, other: stripOf(line, Math.min(8, Math.ceil(64 / strip))) };
    }
    const [stepDown, stepRight] = isBack ? [strideHeight, strideWidth] : [1, 1];
    const strip = stripOf(line, Math.min(8, Math.ceil(64 / kernelWidth)), stepRight);
    return { tall: stepDown, strip, rows: stepDown, other: kernelWidth };
  };
  return poolKernel(
    `depthwise-conv2d${way}`,
    source,
    { image: isBack ? "c" : "a", written: "c" },
    ({ splits }, window, batch) => {
      const { height, width, outHeight, outWidth, kernelHeight, kernelWidth } = window;
      const [down, line] = isFilter ? [kernelHeight, outWidth] : isBack ? [height, width] : [outHeight, outWidth];
      const [across, others] = isFilter ? [kernelWidth, line] : [line, kernelWidth];
      const { tall, strip, rows, other } = blockOf(window, line);
      const pixels = new Map<string, Place>();
      /** The product of a sum with one of the others, whose pixel is counted from the first; nothing where they do not meet. */
      const product = (sum: Place, by: Place): string => {
        const line = meeting(sum.line, by.line, window.strideHeight, window.padTop);
        const column = meeting(sum.column, by.column, window.strideWidth, window.padLeft);
        if (!Number.isInteger(line) || !Number.isInteger(column)) return "";
        const name = pixelAt(line, column);
        pixels.set(name, { line: line >>> 0, column: column >>> 0 });
        return ` + ${name} * other_${by.line}_${by.column}`;
      };
      /** The texts that read pixels, line by line. */
      const reading = (how: "let" | "var", of: readonly Place[]): string[] =>
        [...new Set(of.map(({ line }) => line))].flatMap((down) => [
          `let line_${down} = line + ${down}u; let is_line_${down} = y + ${down}u < lines;`,
          ...of
            .filter(({ line }) => line === down)
            .map(
              (at) =>
                `${how} ${pixelAt(down, at.column)} = pixel(line_${down}, is_line_${down}, x + ${at.column}u, at);`,
            ),
        ]);
      const perSum = perPlace(tall, strip);
      const perOther = perPlace(rows, other);
      const sums = perSum((at, name) => `sum_${name} += V()${perOther((by) => product(at, by), "")};`);
      const isHandedOn = ({ line }: Place): boolean => isFilter && line + window.strideHeight < tall;
      const handedOn = [...pixels.values()].filter(isHandedOn);
      const read = [...pixels.values()].filter((at) => !isHandedOn(at));
      const images = (splits as number) ?? batch;
      return {
        holes: {
          FILTER: isFilter,
          ...{ STRIP: strip, OTHER: other, TALL: tall, ROWS: rows },
          SUMS: perSum((_, name) => `var sum_${name} = V();`),
          RESULTS: perSum(({ line, column }, name) => `put(sum_${name}, at, ${line}, ${column});`),
          PRODUCTS: [
            perOther(({ line, column }, name) => {
              const there = `row + ${line}u < rows`;
              return `let other_${name} = other(line_of_b + ${line}u, ${there}, start + ${column}u, at);`;
            }),
            ...reading("let", read),
            sums,
            ...handedOn.map(
              ({ line, column }) => `${pixelAt(line, column)} = ${pixelAt(line + window.strideHeight, column)};`,
            ),
          ].join("\n"),
          HANDED_ON: reading("var", handedOn).join("\n"),
        },
        constants: { BACK: +isBack, IMAGES: images, DOWN: down, ACROSS: across, OTHERS: others },
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
