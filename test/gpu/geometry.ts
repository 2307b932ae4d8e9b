// Geometries that all window ops are tried on: channels and filters in fours or not, windows larger than the image,
// strides larger than the window, both kinds of padding.

import type { Attributes } from "../../src/op/op.ts";
import { axes } from "../reference/window.ts";

export interface Geometry {
  /** [B, H, W, C]. */
  readonly image: readonly [number, number, number, number];
  readonly kernel: readonly [number, number];
  readonly filters: number;
  readonly stride: readonly [number, number];
  readonly padding: "same" | "valid";
}

function geometry(
  image: Geometry["image"],
  kernel: Geometry["kernel"],
  filters: number,
  stride: Geometry["stride"],
  padding: Geometry["padding"],
): Geometry {
  return { image, kernel, filters, stride, padding };
}

export const geometries: readonly Geometry[] = [
  geometry([1, 1, 1, 1], [1, 1], 1, [1, 1], "same"),
  geometry([2, 5, 7, 3], [3, 3], 5, [1, 1], "same"),
  geometry([3, 8, 9, 4], [3, 3], 8, [1, 1], "same"),
  geometry([2, 9, 8, 1], [3, 3], 4, [1, 1], "valid"),
  geometry([1, 11, 6, 8], [3, 2], 3, [2, 2], "valid"),
  geometry([2, 7, 10, 4], [5, 5], 4, [2, 3], "same"),
  geometry([1, 31, 33, 2], [3, 3], 3, [2, 2], "same"),
  geometry([3, 3, 3, 5], [5, 5], 33, [1, 1], "same"),
  geometry([2, 7, 7, 4], [1, 1], 4, [3, 3], "valid"),
  geometry([1, 63, 3, 1], [3, 3], 1, [1, 1], "valid"),
  geometry([1, 5, 65, 12], [1, 3], 8, [1, 2], "same"),
];

export const strideAttributes = ({ stride, padding }: Geometry): Attributes => ({ stride, padding });

export const kernelAttributes = ({ kernel }: Geometry): Attributes => ({ kernel });

export const imageAttributes = ({ image: [, height, width] }: Geometry): Attributes => ({ size: [height, width] });

/** Shape of the output, with `channels` as its last axis. */
export function outputShape(at: Geometry, channels: number): [number, number, number, number] {
  const [vertical, horizontal] = axes(at.image, at.kernel, strideAttributes(at));
  return [at.image[0], vertical.out, horizontal.out, channels];
}

export const filterShape = ({ kernel, image, filters }: Geometry): readonly number[] => [...kernel, image[3], filters];
