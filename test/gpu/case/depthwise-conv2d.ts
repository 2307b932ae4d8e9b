// Cases of depthwise convolution and its two ways back, on all geometries.

import { cycle } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";
import {
  endedBy,
  even,
  type Geometry,
  geometries,
  long,
  odd,
  outputShape,
  padded,
  poolGradients,
  pooling,
  poolingBackward,
} from "../geometry.ts";

const filterOf = ({ kernel, image }: Geometry): readonly number[] => [...kernel, image[3], 1];
const withFilter = (one: Case, at: Geometry): Case => ({ ...one, inputs: [...one.inputs, { shape: filterOf(at) }] });

const forward = (at: Geometry): Case => withFilter(pooling("depthwiseConv2d", at), at);
const backwardInput = (at: Geometry): Case => withFilter(poolingBackward("depthwiseConv2dBackwardInput", at), at);

function backwardFilter(at: Geometry, splits = 1): Case {
  const { inputs, attributes } = pooling("depthwiseConv2dBackwardFilter", at);
  return {
    op: "depthwiseConv2dBackwardFilter",
    inputs: [...inputs, { shape: outputShape(at, at.image[3]) }],
    attributes: { ...attributes, shape: filterOf(at), splits },
  };
}

/** So wide that the gradient of a filter takes its line of taps in several strips, and that others are shorter. */
const wide: readonly Geometry[] = [
  { image: [2, 4, 23, 4], kernel: [2, 11], filters: 1, stride: [1, 2], padding: "same" },
  { image: [1, 3, 29, 3], kernel: [3, 17], filters: 1, stride: [2, 3], padding: [0, 2, 5, 1] },
];

const all = [...geometries, ...padded, ...wide];

export const cases: readonly Case[] = [
  ...all.flatMap((at) => [forward(at), backwardInput(at), backwardFilter(at)]),
  ...[odd, even, ...padded].flatMap((at) => [backwardFilter(at, 2), backwardFilter(at, 5)]),
  ...[odd, even].flatMap((at) => [
    endedBy(forward(at), at, "bias", "relu", "add"),
    endedBy(backwardInput(at), at, "reluBackward"),
  ]),
  ...[forward(long), backwardInput(long)].map((one) => ({
    ...{ ...one, scales: [1] },
    inputs: one.inputs.map((input) => ({ ...input, fill: cycle })),
  })),
];

export const gradients = {
  depthwiseConv2d: poolGradients.map(({ inputs, attributes }): GradientCase => {
    const [image] = inputs;
    const shape = [...(attributes!.kernel as readonly number[]), image!.shape[3]!];
    return { inputs: [image!, { shape }], attributes: attributes! };
  }),
};
