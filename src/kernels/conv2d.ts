// Convolution and its two gradients, as implicit matrix products.

import images from "../../shaders/parts/image.wgsl?raw";
import windows from "../../shaders/parts/window.wgsl?raw";
import source from "../../shaders/product/conv2d.wgsl?raw";
import backwardInputSource from "../../shaders/product/conv2d-backward-input.wgsl?raw";
import type { Tensor } from "../graph/graph.ts";
import { windowOf } from "../graph/window.ts";
import { dims, inLines, type Kernel } from "./kernel.ts";
import { type Product, productKernel } from "./product.ts";
import { windowConstants, windowNote } from "./window.ts";

/** What is multiplied, from the numbers of pixels in the images, of positions in the result, and of taps in a filter. */
interface Sizes {
  readonly pixels: number;
  readonly positions: number;
  readonly taps: number;
  readonly channels: number;
  readonly filters: number;
}

type Form = (sizes: Sizes) => Pick<Product, "M" | "N" | "K" | "transposeA" | "transposeB">;

/** `image` and `filter`: which of the inputs, or of the output after them, has that shape. */
function convolution(name: string, text: string, image: number, filter: number, form: Form): Kernel {
  return productKernel(name, inLines(windows, images, text), ({ inputs, outputs, attributes }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    const shapes = [...inputs.slice(0, 2), ...outputs].map(({ shape }) => shape.slice(-4));
    const [batch, height, width, channels] = shapes[image] as [number, number, number, number];
    const kernel = shapes[filter] as readonly number[];
    const filters = kernel[3] as number;
    const window = windowOf(shapes[image] as readonly number[], attributes, kernel);
    const positions = batch * window.outHeight * window.outWidth;
    const taps = window.kernelHeight * window.kernelWidth;
    return {
      ...form({ pixels: batch * height * width, positions, taps, channels, filters }),
      rows: [a.shape[3] as number, b.shape[3] as number],
      constants: { ...windowConstants(window), BATCH: batch, CHANNELS: channels, FILTERS: filters },
      note: `${dims(a)} * ${dims(b)} ${windowNote(window)}`,
    };
  });
}

export const conv2d = convolution("conv2d", source, 0, 1, ({ positions, taps, channels, filters }) => {
  return { M: positions, N: filters, K: taps * channels, transposeA: false, transposeB: false };
});

export const conv2dBackwardInput = convolution(
  "conv2d-backward-input",
  backwardInputSource,
  2,
  1,
  ({ pixels, taps, channels, filters }) => {
    return { M: pixels, N: channels, K: taps * filters, transposeA: false, transposeB: true };
  },
);

export const conv2dBackwardFilter = convolution(
  "conv2d-backward-filter",
  source,
  0,
  2,
  ({ positions, taps, channels, filters }) => {
    return { M: taps * channels, N: filters, K: positions, transposeA: true, transposeB: false };
  },
);
