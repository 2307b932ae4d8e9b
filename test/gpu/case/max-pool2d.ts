// Cases of max pooling and its gradient, with equal values, with nothing but negative ones, and with overlapping windows.

import { below, between, coarse, cycle, type Fill, holed, lowest, normals } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";
import {
  type Geometry,
  geometries,
  imageAttributes,
  kernelAttributes,
  outputShape,
  strideAttributes,
} from "../geometry.ts";

function pool(at: Geometry, fill: Fill = normals): Case {
  return {
    op: "maxPool2d",
    inputs: [{ shape: at.image, fill }],
    attributes: { ...strideAttributes(at), ...kernelAttributes(at) },
  };
}

type Ending = (shape: readonly number[]) => NonNullable<Case["epilogue"]>;

function backward(at: Geometry, ending?: Ending, fill: Fill = normals): Case {
  const shape = outputShape(at, at.image[3]);
  const taps = { shape, store: "u32", fill: below(at.kernel[0] * at.kernel[1]) } as const;
  return {
    op: "maxPool2dBackward",
    inputs: [{ shape, fill }, taps],
    attributes: { ...strideAttributes(at), ...kernelAttributes(at), ...imageAttributes(at) },
    epilogue: ending?.(at.image) ?? [],
  };
}

const relu: Ending = (shape) => [{ op: "reluBackward", operand: { shape } }];
const biasAndAdd: Ending = (shape) => [
  { op: "bias", operand: { shape: shape.slice(-1) } },
  { op: "add", operand: { shape } },
];

const [, odd, even] = geometries as [Geometry, Geometry, Geometry];
/** More positions than one axis of the grid has threads. */
const long: Geometry = { image: [1, 2048, 2049, 1], kernel: [1, 1], filters: 1, stride: [1, 1], padding: "valid" };

export const cases: readonly Case[] = [
  ...geometries.map((at) => pool(at)),
  { ...pool(odd, coarse), note: "equal values" },
  { ...pool(even, coarse), note: "equal values" },
  ...[odd, even].map((at) => ({ ...pool(at, holed()), note: "with NaN" })),
  { ...pool(even, holed(lowest)), note: "lowest values and NaN", scales: [1] },
  { ...pool(odd, between(-3, -1)), note: "negative values" },
  { ...pool({ ...even, kernel: [2, 2], stride: [2, 2] }, between(-3, -1)), note: "negative values" },
  { ...pool(odd, lowest), note: "lowest values", scales: [1] },
  { ...pool(even, lowest), note: "lowest values", scales: [1] },
  { ...pool(long, cycle), scales: [1] },
  ...geometries.map((at) => backward(at)),
  backward(odd, relu),
  backward(even, relu),
  backward(odd, biasAndAdd),
  backward(even, biasAndAdd),
  { ...backward(long, undefined, cycle), scales: [1] },
];

const small = (
  image: readonly number[],
  kernel: readonly [number, number],
  stride: readonly [number, number],
  padding: string,
): GradientCase => ({ inputs: [{ shape: image }], attributes: { kernel, stride, padding } });

export const gradients = {
  maxPool2d: [
    small([2, 4, 6, 2], [2, 2], [2, 2], "valid"),
    small([1, 5, 7, 2], [2, 2], [2, 2], "same"),
    small([1, 5, 6, 1], [3, 2], [1, 1], "same"),
    small([1, 7, 7, 1], [2, 2], [3, 3], "valid"),
  ],
};
