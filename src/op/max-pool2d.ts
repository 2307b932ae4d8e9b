// Max pooling of images [B, H, W, C] and its gradient.

import source from "../../shaders/max-pool2d.wgsl?raw";
import backwardSource from "../../shaders/max-pool2d-backward.wgsl?raw";
import { relu } from "./activation.ts";
import { each } from "./kernel.ts";
import { defineOp, type Op } from "./op.ts";
import {
  backwardAttributes,
  type PoolFactory,
  type PoolOptions,
  pooled,
  poolKernel,
  poolLayer,
  unpooled,
} from "./pool2d.ts";
import type { Window } from "./window.ts";

/** Taps of a window that are written out: a loop takes longer than they do on a CPU. */
const FEW = 9;

/** Whether windows are small, and none reaches beyond the image. */
const isInside = (window: Window): boolean =>
  window.kernelHeight * window.kernelWidth <= FEW &&
  window.padTop === 0 &&
  window.padLeft === 0 &&
  (window.outHeight - 1) * window.strideHeight + window.kernelHeight <= window.height &&
  (window.outWidth - 1) * window.strideWidth + window.kernelWidth <= window.width;

/** Options of `maxPool2d`. */
export type MaxPool2dOptions = PoolOptions;

/**
 * The largest value of each window: [B, H, W, C] -> [B, OH, OW, C]. Of equal values the first counts, as in PyTorch.
 * Throws as conv2d does.
 *
 * @example maxPool2d(2)
 */
export const maxPool2d: PoolFactory<"y" | "tap"> = poolLayer({
  name: "maxPool2d",
  /** The maxima and, for the way back, which tap of its window each came from. */
  outputs: ["y", "tap"],
  shape({ x }, slide) {
    const shape = pooled(x, slide);
    return { y: { shape }, tap: { shape, dtype: "u32" } };
  },
  back: ({ x, tap, dy }, { attributes, give, emit }) =>
    give("x", () => emit(maxPool2dBackward, { dy: dy!, tap }, backwardAttributes(attributes, x)).dx),
  kernel: poolKernel("max-pool2d", source, { image: "x", written: "y" }, ({ rectified }, window) => {
    const inside = isInside(window);
    const taps = inside ? window.kernelHeight * window.kernelWidth : 0;
    return {
      holes: {
        INSIDE: inside,
        TAPS: each(
          taps,
          (tap) =>
            `seen = with_tap(seen, x[begin + (${tap} / KERNEL_WIDTH * WIDTH + ${tap} % KERNEL_WIDTH) * LANES], W(${tap}), ${tap === 0} && !RECTIFIED);`,
        ),
      },
      constants: { RECTIFIED: rectified === true ? 1 : 0 },
      note: rectified === true ? " of relu" : "",
    };
  }),
  // Where relu let nothing through there is no tap, so that the way back needs neither what went into relu nor what came out.
  absorbs: () => ({ op: relu.op as Op, attributes: { rectified: true } }),
});

/** Each input position adds up the gradients of the windows that chose it: one at most where windows lie beside each other. */
export const maxPool2dBackward = defineOp({
  name: "maxPool2dBackward",
  inputs: ["dy", "tap"],
  outputs: ["dx"],
  shape: ({ dy }, image: { readonly size: readonly number[] }) => ({ dx: { shape: unpooled(dy, image) } }),
  kernel: poolKernel("max-pool2d-backward", backwardSource, { image: "dx", written: "dx" }, (_, window, batch) => {
    const { height, width, padTop, padLeft, strideHeight, strideWidth, kernelHeight, kernelWidth } = window;
    const windows = Math.ceil((height + padTop) / strideHeight) * Math.ceil((width + padLeft) / strideWidth);
    const apart = strideHeight === kernelHeight && strideWidth === kernelWidth;
    return { holes: { APART: apart }, ...(apart && { threads: batch * windows }) };
  }),
  takesEpilogue: true,
});
