// Cases of convolution and its two gradients: all geometries plain, then the endings that their kernels can have.

import { below, cycle } from "../../reference/numbers.ts";
import type { Case, Input } from "../case.ts";
import {
  filterShape,
  type Geometry,
  geometries,
  imageAttributes,
  kernelAttributes,
  outputShape,
  strideAttributes,
} from "./window.ts";

type Ending = (shape: readonly number[]) => NonNullable<Case["epilogue"]>;

const bias = (shape: readonly number[]) => ({ op: "bias", operand: { shape: shape.slice(-1) } satisfies Input });
const add = (shape: readonly number[]) => ({ op: "add", operand: { shape } });
const endings: readonly Ending[] = [
  (shape) => [bias(shape), { op: "relu" }],
  (shape) => [bias(shape), { op: "gelu" }, add(shape)],
  (shape) => [bias(shape), add(shape), add(shape)],
];
const backwardEndings: readonly Ending[] = [
  (shape) => [{ op: "reluBackward", operand: { shape } }],
  (shape) => [add(shape), { op: "geluBackward", operand: { shape } }],
];

function forward(at: Geometry, ending?: Ending): Case {
  return {
    op: "conv2d",
    inputs: [{ shape: at.image }, { shape: filterShape(at) }],
    attributes: strideAttributes(at),
    epilogue: ending?.(outputShape(at, at.filters)) ?? [],
  };
}

function backwardInput(at: Geometry, ending?: Ending): Case {
  return {
    op: "conv2dBackwardInput",
    inputs: [{ shape: outputShape(at, at.filters) }, { shape: filterShape(at) }],
    attributes: { ...strideAttributes(at), ...imageAttributes(at) },
    epilogue: ending?.(at.image) ?? [],
  };
}

function backwardFilter(at: Geometry, splits = 1, columnSum = false): Case {
  return {
    op: "conv2dBackwardFilter",
    inputs: [{ shape: at.image }, { shape: outputShape(at, at.filters) }],
    attributes: { ...strideAttributes(at), ...kernelAttributes(at), splits },
    columnSum,
  };
}

/** A geometry without multiples of 4, and one with nothing else. */
const [, odd, even, , , strided] = geometries as [Geometry, Geometry, Geometry, Geometry, Geometry, Geometry];

/** An image with more tiles than one axis of the grid has groups. */
const huge: Geometry = { image: [1, 3000, 3000, 1], kernel: [1, 1], filters: 1, stride: [1, 1], padding: "valid" };
const folded = (one: Case): Case => ({
  ...one,
  inputs: one.inputs.map((input, i) => ({ ...input, fill: i === 0 ? cycle : below(9) })),
  scales: [1],
});

export const conv2dCases: readonly Case[] = [
  ...geometries.map((at) => forward(at)),
  ...endings.flatMap((ending) => [forward(odd, ending), forward(even, ending)]),
  folded(forward(huge)),
];

export const conv2dBackwardInputCases: readonly Case[] = [
  ...geometries.map((at) => backwardInput(at)),
  ...backwardEndings.flatMap((ending) => [backwardInput(odd, ending), backwardInput(even, ending)]),
  folded(backwardInput(huge)),
];

export const conv2dBackwardFilterCases: readonly Case[] = [
  ...geometries.map((at) => backwardFilter(at)),
  backwardFilter(odd, 1, true),
  backwardFilter(even, 1, true),
  backwardFilter(odd, 4, true),
  backwardFilter(even, 8),
  backwardFilter(strided, 2, true),
];
