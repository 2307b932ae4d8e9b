// Average pooling of images [B, H, W, C] and its gradient.

import source from "../../shaders/average-pool2d.wgsl?raw";
import backwardSource from "../../shaders/average-pool2d-backward.wgsl?raw";
import { type Attributes, defineOp } from "./op.ts";
import {
  backwardAttributes,
  type PoolFactory,
  type PoolOptions,
  pooled,
  poolKernel,
  poolLayer,
  unpooled,
} from "./pool2d.ts";

/** Options of `averagePool2d`. */
export interface AveragePool2dOptions extends PoolOptions {
  /** Whether a window at the border is divided by its size, zeros included, as in PyTorch. Default false. */
  readonly countPadding?: boolean;
}

/** What both kernels are told beside the window. */
const counted = ({ countPadding }: Attributes) => ({ constants: { COUNT_PADDING: countPadding === true ? 1 : 0 } });

/**
 * The mean of each window: [B, H, W, C] -> [B, OH, OW, C], at the border that of the positions in the image, as in TensorFlow and Keras.
 * Options and errors are those of maxPool2d, and `countPadding`.
 *
 * @example averagePool2d(2)
 */
export const averagePool2d: PoolFactory<"y", AveragePool2dOptions> = poolLayer(
  {
    name: "averagePool2d",
    outputs: ["y"],
    shape: ({ x }, slide) => ({ y: { shape: pooled(x, slide) } }),
    back: ({ x, dy }, { attributes, give, emit }) =>
      give("x", () => emit(averagePool2dBackward, { dy }, backwardAttributes(attributes, x)).dx),
    kernel: poolKernel("average-pool2d", source, { image: "x", written: "y" }, counted),
  },
  ["countPadding"],
);

/** Gathers: each input position adds up its share of the gradients of the windows that see it. */
export const averagePool2dBackward = defineOp({
  name: "averagePool2dBackward",
  inputs: ["dy"],
  outputs: ["dx"],
  shape: ({ dy }, image: { readonly size: readonly number[] }) => ({ dx: { shape: unpooled(dy, image) } }),
  kernel: poolKernel("average-pool2d-backward", backwardSource, { image: "dx", written: "dx" }, counted),
  takesEpilogue: true,
});
