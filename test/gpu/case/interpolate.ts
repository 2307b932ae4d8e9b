// Cases of bilinear interpolation and its gradient: several sizes, one pixel, fours of channels and not.

import { holed } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";

const sizes: readonly (readonly [shape: readonly number[], size: readonly number[]])[] = [
  [
    [2, 3, 5, 3],
    [2, 2],
  ],
  [
    [2, 4, 3, 4],
    [2, 3],
  ],
  [
    [1, 5, 7, 8],
    [3, 4],
  ],
  [
    [2, 1, 3, 1],
    [2, 5],
  ],
  [
    [1, 1, 1, 2],
    [3, 3],
  ],
  [
    [2, 3, 4, 2],
    [1, 2],
  ],
  [
    [1, 1, 2, 4],
    [1, 1],
  ],
];

const both = sizes.flatMap(([shape, size]) => [false, true].map((alignCorners) => ({ shape, size, alignCorners })));

const large = ([batch, height, width, channels]: readonly number[], [down, across]: readonly number[]): number[] => [
  batch!,
  height! * down!,
  width! * across!,
  channels!,
];

const forward = ({ shape, ...attributes }: (typeof both)[number]): Case => ({
  op: "interpolate",
  inputs: [{ shape }],
  attributes,
});
const backward = ({ shape, ...attributes }: (typeof both)[number]): Case => ({
  op: "interpolateBackward",
  inputs: [{ shape: large(shape, attributes.size) }],
  attributes,
});

const ended = { shape: [2, 3, 2, 4], size: [2, 2], alignCorners: false };
const epilogue: NonNullable<Case["epilogue"]> = [{ op: "bias", operand: { shape: [4] } }, { op: "relu" }];

export const cases: readonly Case[] = [
  ...both.flatMap((one) => [forward(one), backward(one)]),
  { ...forward(ended), epilogue },
  { ...backward(ended), epilogue },
  { ...forward({ ...ended, shape: [1, 3, 4, 3] }), inputs: [{ shape: [1, 3, 4, 3], fill: holed() }], note: "with NaN" },
  { ...backward(ended), inputs: [{ shape: [2, 6, 4, 4], fill: holed() }], note: "with NaN" },
];

export const gradients: Readonly<Record<string, readonly GradientCase[]>> = {
  interpolate: both.map(({ shape, ...attributes }) => ({ inputs: [{ shape }], attributes })),
};
