// Depthwise convolution of images [B, H, W, C], a filter for each channel, and its gradients: poolings with weights, since a matrix
// product would have a single column for each channel.

import source from "../../shaders/depthwise-conv2d.wgsl?raw";
import filterSource from "../../shaders/depthwise-conv2d-backward-filter.wgsl?raw";
import inputSource from "../../shaders/depthwise-conv2d-backward-input.wgsl?raw";
import { defineOp } from "./op.ts";
import { backwardAttributes, pooled, poolKernel, unpooled } from "./pool2d.ts";
import { checkPair, given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { size } from "./tensor.ts";
import { type Slide, slideAttributes, windowRefusal } from "./window.ts";

type Windows = Slide & { readonly kernel: readonly number[] };

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
      const splits = splitsFor(size(attributes.kernel), a.shape[3]!, size(dc.shape.slice(0, 3)));
      const partial = emit(depthwiseConv2dBackwardFilter, { a, b: dc }, { ...attributes, shape: b.shape, splits }).c;
      return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
    });
    give("a", () => emit(depthwiseConv2dBackwardInput, { a: dc, b }, backwardAttributes(attributes, a)).c);
  },
  work: ({ c }, { kernel }) => size(c.shape) * size(kernel),
  kernel: poolKernel("depthwise-conv2d", source, { image: "a", written: "c" }),
  takesEpilogue: true,
});

/** Gathers: each pixel adds up the gradients of the windows that see it, by the weight under which they do. */
export const depthwiseConv2dBackwardInput = defineOp({
  name: "depthwiseConv2dBackwardInput",
  inputs: ["a", "b"],
  outputs: ["c"],
  shape: ({ a }, image: { readonly size: readonly number[] }) => ({ c: { shape: unpooled(a, image) } }),
  kernel: poolKernel("depthwise-conv2d-backward-input", inputSource, { image: "c", written: "c" }),
  takesEpilogue: true,
});

/** The gradient of the filter in its `shape`, or [splits, ..] partial sums over batch and positions; a are the images, b is dY. */
export const depthwiseConv2dBackwardFilter = defineOp({
  name: "depthwiseConv2dBackwardFilter",
  inputs: ["a", "b"],
  outputs: ["c"],
  shape: (_, { shape, splits }: { readonly shape: readonly number[]; readonly splits: number }) => ({
    c: { shape: splits === 1 ? shape : [splits, ...shape] },
  }),
  kernel: poolKernel("depthwise-conv2d-backward-filter", filterSource, { image: "a", written: "c" }, ({ splits }) => ({
    constants: { SPLITS: splits as number },
    note: splits === 1 ? "" : ` in ${splits} parts`,
  })),
});
