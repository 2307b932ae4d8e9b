// Cases of layer, RMS and group normalization: groups by threads and by workgroups, with and without weights, a mean far from 0, NaN.

import type { Attributes } from "../../../src/op/op.ts";
import { type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";

const layer: Attributes = { groups: 1, positions: false, centered: true, eps: 1e-5 };
const rms: Attributes = { ...layer, centered: false };
const groups = (count: number): Attributes => ({ ...layer, groups: count, positions: true });

/** Around 1000 with deviation 1. */
const far: Fill = (count, key) => normals(count, key).map((value) => Math.fround(1000 + value));

const own = (shape: readonly number[]) => ({ shape: shape.slice(-1), scaled: false });

const forward = (
  shape: readonly number[],
  attributes: Attributes,
  weights: number,
  more: Partial<Case> = {},
): Case => ({
  ...{ op: "normalize", inputs: [{ shape }, ...Array.from({ length: weights }, () => own(shape))], attributes },
  ...more,
});

const backward = (
  shape: readonly number[],
  attributes: Attributes,
  weights: number,
  more: Partial<Case> = {},
): Case => ({
  ...{ op: "normalizeBackward", attributes: { summed: true, ...attributes } },
  inputs: [{ shape, scaled: false }, { shape }, ...Array.from({ length: weights }, () => own(shape))],
  ...more,
});

const forms: readonly (readonly [shape: readonly number[], attributes: Attributes])[] = [
  [[7, 5], layer],
  [[3, 4, 33], layer],
  [[5, 300], layer],
  [[70, 9], rms],
  [[3, 2, 257], rms],
  [[2, 3, 5, 6], groups(3)],
  [[3, 7, 9, 8], groups(2)],
  [[3, 9, 4], groups(4)],
  [[66, 2, 4], groups(2)],
];

export const cases: readonly Case[] = [
  ...forms.flatMap(([shape, attributes], i) => [
    forward(shape, attributes, i % 3),
    backward(shape, attributes, i % 2),
    backward(shape, { ...attributes, summed: false }, i % 2),
  ]),
  forward([9, 130], layer, 2),
  backward([9, 130], layer, 1),
  backward([23, 24], { ...layer, height: 4 }, 1),
  backward([9, 130], { ...layer, height: 2 }, 1),
  ...[20, 200].flatMap((length) =>
    [layer, groups(1)].map((attributes) =>
      forward([3, 2, length], attributes, 0, {
        ...{ inputs: [{ shape: [3, 2, length], fill: far }], scales: [1], note: "far from 0" },
      }),
    ),
  ),
  ...[7, 140].map((length) =>
    forward([6, length], layer, 0, {
      ...{ inputs: [{ shape: [6, length], fill: holed() }], scales: [1], note: "with NaN" },
    }),
  ),
  forward([3, 5, 8], layer, 2, { epilogue: [{ op: "add", operand: { shape: [3, 5, 8] } }, { op: "relu" }] }),
  // Operands at the end are not taken for weights that are not there.
  forward([3, 5, 8], layer, 0, { epilogue: [{ op: "bias", operand: { shape: [8] } }] }),
  forward([3, 5, 8], rms, 1, { epilogue: [{ op: "add", operand: { shape: [3, 5, 8] } }] }),
  backward([3, 5, 8], layer, 0, { epilogue: [{ op: "add", operand: { shape: [3, 5, 8] } }] }),
  backward([3, 5, 160], layer, 1, { epilogue: [{ op: "add", operand: { shape: [3, 5, 160] } }] }),
];

const small = (shape: readonly number[], attributes: Attributes, weights = 2): GradientCase => ({
  inputs: [{ shape }, ...Array.from({ length: weights }, () => ({ shape: shape.slice(-1) }))],
  attributes,
});

export const gradients = {
  normalize: [
    small([3, 5], layer),
    small([2, 3, 4], layer, 0),
    small([3, 4], rms, 1),
    small([2, 2, 3, 4], groups(2)),
    small([3, 3, 4], groups(4)),
  ],
};
