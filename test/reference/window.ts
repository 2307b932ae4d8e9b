// The geometry of convolution and pooling, written down a second time: "same" and "valid" as TensorFlow defines them, or zeros
// [top, bottom, left, right].

import type { Attributes } from "../../src/op/op.ts";

/** The window along one axis. */
export interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  /** From one tap to the next. */
  readonly dilation: number;
  /** Number of output positions. */
  readonly out: number;
  /** Zeros before the first number. */
  readonly pad: number;
}

function axis(size: number, kernel: number, stride: number, padding: unknown, dilation: number, at: number): Axis {
  const span = kernel + (kernel - 1) * (dilation - 1);
  const given = { size, kernel, stride, dilation };
  if (Array.isArray(padding)) {
    const [before, after] = padding.slice(2 * at) as [number, number];
    return { ...given, out: Math.ceil((before + size + after - span + 1) / stride), pad: before };
  }
  if (padding === "valid") return { ...given, out: Math.ceil((size - span + 1) / stride), pad: 0 };
  const missing = size % stride === 0 ? span - stride : span - (size % stride);
  return { ...given, out: Math.ceil(size / stride), pad: Math.floor(Math.max(missing, 0) / 2) };
}

/** The vertical and the horizontal axis of a window of kernel [kh, kw] on images [B, H, W, C]. */
export function axes(
  image: readonly number[],
  kernel: readonly number[],
  attributes: Attributes,
): readonly [Axis, Axis] {
  const { stride, padding, dilation = [1, 1] } = attributes;
  const [vertical, horizontal] = stride as readonly [number, number];
  const [down, across] = dilation as readonly [number, number];
  return [
    axis(image[1]!, kernel[0]!, vertical, padding, down, 0),
    axis(image[2]!, kernel[1]!, horizontal, padding, across, 1),
  ];
}

/** Calls `visit` for each output position of each image and each tap of its window that lies inside the image. */
export function eachTap(
  batch: number,
  [vertical, horizontal]: readonly [Axis, Axis],
  /** Place of the input position, of the output position, and of the tap in the window, counted without channels. */
  visit: (input: number, output: number, tap: number) => void,
): void {
  for (let image = 0; image < batch; image++) {
    for (let oy = 0; oy < vertical.out; oy++) {
      for (let ox = 0; ox < horizontal.out; ox++) {
        const output = (image * vertical.out + oy) * horizontal.out + ox;
        for (let ky = 0; ky < vertical.kernel; ky++) {
          const iy = oy * vertical.stride + ky * vertical.dilation - vertical.pad;
          if (iy < 0 || iy >= vertical.size) continue;
          for (let kx = 0; kx < horizontal.kernel; kx++) {
            const ix = ox * horizontal.stride + kx * horizontal.dilation - horizontal.pad;
            if (ix < 0 || ix >= horizontal.size) continue;
            visit((image * vertical.size + iy) * horizontal.size + ix, output, ky * horizontal.kernel + kx);
          }
        }
      }
    }
  }
}
