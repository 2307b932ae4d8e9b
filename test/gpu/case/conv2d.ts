// Cases of convolution and its two ways back: all geometries plain, then the endings that their kernels can have.

import type { Attributes } from "../../../src/op/op.ts";
import type { Case, GradientCase, Input } from "../case.ts";
import {
  convolutions,
  filterShape,
  type Geometry,
  geometries,
  imageAttributes,
  kernelAttributes,
  outputShape,
  padded,
  strideAttributes,
} from "../geometry.ts";

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

/** A geometry without multiples of 4, one with nothing else, and one whose windows do not touch all. */
const [, odd, even, , , strided] = geometries as [Geometry, Geometry, Geometry, Geometry, Geometry, Geometry];

/** So many positions that columns are added up in blocks. */
const long: Geometry = { image: [1, 37, 38, 3], kernel: [2, 3], filters: 12, stride: [1, 1], padding: "same" };

/** Those that are tried with operands in the memory of a workgroup too: strides, in fours, and groups of channels. */
const isStaged = (at: Geometry): boolean => [strided, long, convolutions[2]].includes(at);

function forward(at: Geometry, ending?: Ending): Case {
  return {
    op: "conv2d",
    staged: isStaged(at),
    inputs: [{ shape: at.image }, { shape: filterShape(at) }],
    attributes: strideAttributes(at),
    epilogue: ending?.(outputShape(at, at.filters)) ?? [],
  };
}

function backwardInput(at: Geometry, ending?: Ending): Case {
  return {
    op: "conv2dBackwardInput",
    staged: isStaged(at),
    inputs: [{ shape: outputShape(at, at.filters) }, { shape: filterShape(at) }],
    attributes: { ...strideAttributes(at), ...imageAttributes(at) },
    epilogue: ending?.(at.image) ?? [],
  };
}

function backwardFilter(at: Geometry, splits = 1, columnSum = false): Case {
  return {
    op: "conv2dBackwardFilter",
    staged: isStaged(at),
    inputs: [{ shape: at.image }, { shape: outputShape(at, at.filters) }],
    attributes: { ...strideAttributes(at), ...kernelAttributes(at), splits },
    columnSum,
  };
}

/** The geometry of the transposed convolution is that of the convolution that it is the way back of. */
function transposed(at: Geometry, size: readonly [number, number], ending?: Ending): Case {
  const [batch, , , channels] = at.image;
  return {
    op: "conv2dTranspose",
    inputs: [{ shape: [batch, ...size, at.filters] }, { shape: filterShape(at) }],
    attributes: strideAttributes(at),
    epilogue: ending?.([batch, 0, 0, channels]) ?? [],
  };
}

export const cases: readonly Case[] = [
  ...geometries.map((at) => forward(at)),
  ...endings.flatMap((ending) => [forward(odd, ending), forward(even, ending)]),
  ...convolutions.map((at) => forward(at)),
  ...convolutions.slice(2).flatMap((at) => endings.slice(0, 2).map((ending) => forward(at, ending))),
  ...geometries.map((at) => backwardInput(at)),
  ...backwardEndings.flatMap((ending) => [backwardInput(odd, ending), backwardInput(even, ending)]),
  ...convolutions.map((at) => backwardInput(at)),
  ...convolutions.slice(3, 5).map((at) => backwardInput(at, backwardEndings[1])),
  ...[odd, even, strided, ...convolutions].map((at) => transposed(at, [3, 4])),
  ...[odd, even].map((at) => transposed(at, [3, 4], (shape) => [bias(shape), { op: "relu" }])),
  ...geometries.map((at) => backwardFilter(at)),
  backwardFilter(odd, 1, true),
  backwardFilter(even, 1, true),
  backwardFilter(odd, 4, true),
  backwardFilter(even, 8),
  backwardFilter(strided, 2, true),
  backwardFilter(long, 1, true),
  ...[...convolutions, ...padded].map((at) => backwardFilter(at)),
  ...padded.flatMap((at) => [forward(at), backwardInput(at), transposed(at, [3, 4])]),
  ...convolutions.slice(2, 6).map((at) => backwardFilter(at, 2, true)),
];

const small = (
  image: readonly number[],
  filter: readonly number[],
  stride: readonly [number, number],
  padding: string | readonly number[],
  more: Attributes = {},
): GradientCase => ({ inputs: [{ shape: image }, { shape: filter }], attributes: { stride, padding, ...more } });

export const gradients = {
  conv2d: [
    small([2, 5, 4, 2], [3, 3, 2, 3], [1, 1], "same"),
    small([2, 5, 4, 2], [3, 3, 2, 3], [1, 1], "valid"),
    small([2, 6, 5, 1], [3, 3, 1, 2], [2, 2], "same"),
    small([1, 7, 6, 2], [2, 3, 2, 2], [2, 3], "same"),
    small([1, 6, 7, 2], [3, 2, 2, 2], [2, 2], "valid"),
    small([2, 4, 5, 2], [1, 1, 2, 2], [2, 2], "valid"),
    small([1, 2, 3, 1], [5, 5, 1, 2], [1, 1], "same"),
    small([2, 12, 12, 1], [3, 3, 1, 1], [1, 1], "same"),
    small([2, 6, 7, 2], [3, 2, 2, 3], [1, 1], "same", { dilation: [2, 3] }),
    small([1, 7, 8, 2], [3, 3, 2, 2], [2, 1], "valid", { dilation: [1, 2] }),
    small([2, 4, 5, 4], [3, 2, 2, 6], [1, 2], "same", { groups: 2 }),
    small([1, 7, 5, 3], [3, 3, 1, 3], [1, 1], "valid", { groups: 3, dilation: [2, 1] }),
    small([2, 12, 12, 2], [3, 3, 1, 4], [1, 1], "same", { groups: 2 }),
    small([2, 5, 4, 2], [3, 3, 2, 3], [2, 1], [1, 2, 0, 3]),
  ],
  conv2dTranspose: [
    small([2, 3, 4, 2], [3, 3, 3, 2], [1, 1], "same"),
    small([2, 3, 4, 2], [3, 2, 3, 2], [2, 2], "same"),
    small([1, 3, 2, 3], [2, 3, 2, 3], [2, 3], "valid"),
    small([1, 4, 3, 1], [1, 2, 2, 1], [3, 2], "valid"),
    small([1, 3, 4, 2], [3, 2, 3, 2], [1, 1], "valid", { dilation: [2, 3] }),
    small([2, 3, 2, 4], [3, 3, 3, 4], [2, 1], "same", { groups: 2 }),
    small([2, 3, 4, 2], [3, 2, 3, 2], [2, 2], [1, 0, 0, 1]),
    small([2, 12, 12, 1], [3, 3, 1, 1], [1, 1], "same"),
  ],
};
