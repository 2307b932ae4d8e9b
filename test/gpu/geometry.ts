// Geometries that all window ops are tried on: channels and filters in fours or not, windows larger than the image,
// strides larger than the window, both kinds of padding. And what the cases of poolings share.

import type { Attributes } from "../../src/op/op.ts";
import { type Fill, normals } from "../reference/numbers.ts";
import { axes } from "../reference/window.ts";
import type { Case, GradientCase } from "./case.ts";

export interface Geometry {
  /** [B, H, W, C]. */
  readonly image: readonly [number, number, number, number];
  readonly kernel: readonly [number, number];
  readonly filters: number;
  readonly stride: readonly [number, number];
  readonly padding: "same" | "valid" | readonly number[];
  readonly dilation?: readonly [number, number];
  readonly groups?: number;
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

/** Zeros that were told, other ones on each side: [top, bottom, left, right]. */
export const padded: readonly Geometry[] = [
  geometry([2, 5, 7, 3], [3, 4], 5, [1, 1], [1, 1, 3, 0]),
  geometry([2, 6, 5, 4], [3, 3], 8, [2, 2], [2, 1, 0, 2]),
];

/** One without multiples of 4, and one with nothing else. */
export const [, odd, even] = geometries as readonly [Geometry, Geometry, Geometry];

/** What convolutions can beside: taps apart, and groups of channels, depthwise too; in fours or not. */
export const convolutions: readonly Geometry[] = [
  { ...geometry([2, 9, 11, 3], [3, 2], 5, [1, 1], "same"), dilation: [2, 3] },
  { ...geometry([1, 12, 9, 4], [3, 3], 8, [2, 1], "valid"), dilation: [3, 2] },
  { ...geometry([2, 5, 7, 6], [3, 3], 9, [1, 1], "same"), groups: 3 },
  { ...geometry([2, 6, 5, 16], [3, 2], 8, [1, 2], "same"), groups: 2 },
  { ...geometry([1, 7, 9, 8], [2, 3], 24, [1, 1], "valid"), groups: 2, dilation: [2, 1] },
  { ...geometry([2, 7, 6, 5], [3, 3], 5, [1, 1], "same"), groups: 5 },
  { ...geometry([1, 9, 8, 8], [3, 3], 16, [2, 2], "same"), groups: 8 },
];

export const strideAttributes = ({ stride, padding, dilation, groups }: Geometry): Attributes => ({
  ...{ stride, padding },
  ...(dilation && { dilation }),
  ...(groups && { groups }),
});

export const kernelAttributes = ({ kernel }: Geometry): Attributes => ({ kernel });

export const imageAttributes = ({ image: [, height, width] }: Geometry): Attributes => ({ size: [height, width] });

/** Shape of the output, with `channels` as its last axis. */
export function outputShape(at: Geometry, channels: number): [number, number, number, number] {
  const [vertical, horizontal] = axes(at.image, at.kernel, strideAttributes(at));
  return [at.image[0], vertical.out, horizontal.out, channels];
}

export const filterShape = ({ kernel, image, filters, groups = 1 }: Geometry): readonly number[] => [
  ...kernel,
  image[3] / groups,
  filters,
];

/** A pooling op on an image. */
export const pooling = (op: string, at: Geometry, fill: Fill = normals): Case => ({
  op,
  inputs: [{ shape: at.image, fill }],
  attributes: { ...strideAttributes(at), ...kernelAttributes(at) },
});

/** Its way back, from a gradient in the shape of its output. */
export const poolingBackward = (op: string, at: Geometry, fill: Fill = normals): Case => ({
  op,
  inputs: [{ shape: outputShape(at, at.image[3]), fill }],
  attributes: { ...strideAttributes(at), ...kernelAttributes(at), ...imageAttributes(at) },
});

/** More positions than one axis of the grid has threads. */
export const long: Geometry = {
  image: [1, 2048, 2049, 1],
  kernel: [1, 1],
  filters: 1,
  stride: [1, 1],
  padding: "valid",
};

/** A pooling, or its way back, with ops at its end. */
export function endedBy(one: Case, at: Geometry, ...ops: readonly string[]): Case {
  const shape = one.attributes?.size === undefined ? outputShape(at, at.image[3]) : at.image;
  const operand = (op: string) => ({ operand: { shape: op === "bias" ? shape.slice(-1) : shape } });
  return { ...one, epilogue: ops.map((op) => ({ op, ...(op !== "relu" && operand(op)) })) };
}

const small = (
  image: readonly number[],
  kernel: readonly [number, number],
  stride: readonly [number, number],
  padding: string | readonly number[],
  more: Attributes = {},
): GradientCase => ({ inputs: [{ shape: image }], attributes: { kernel, stride, padding, ...more } });

export const poolGradients: readonly GradientCase[] = [
  small([2, 4, 6, 2], [2, 2], [2, 2], "valid"),
  small([1, 5, 7, 2], [2, 2], [2, 2], "same"),
  small([1, 5, 6, 1], [3, 2], [1, 1], "same"),
  small([1, 7, 7, 1], [2, 2], [3, 3], "valid"),
  small([1, 5, 6, 2], [3, 2], [2, 1], [2, 1, 0, 1]),
];
