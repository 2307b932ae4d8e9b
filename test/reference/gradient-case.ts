// For every op with a backward rule: small inputs on which its gradient is held against finite differences.

import type { Attributes } from "../../src/op/op.ts";
import { apart, below, type Fill } from "./numbers.ts";

export interface GradientCase {
  readonly inputs: readonly {
    readonly shape: readonly number[];
    /** Default: numbers that keep apart from each other and from 0. */
    readonly fill?: Fill;
    /** Whether there is a gradient with respect to it. Default true. */
    readonly wanted?: boolean;
  }[];
  readonly attributes?: Attributes;
  /** An op between each parameter and this one, whose gradients are no tensors of their own. */
  readonly behind?: string;
}

const unary: GradientCase[] = [{ inputs: [{ shape: [3, 7] }] }, { inputs: [{ shape: [2, 3, 1, 5] }] }];

const window = (stride: readonly [number, number], padding: string): Attributes => ({ stride, padding });

const convolution = (
  image: readonly number[],
  filter: readonly number[],
  stride: readonly [number, number],
  padding: string,
): GradientCase => ({ inputs: [{ shape: image }, { shape: filter }], attributes: window(stride, padding) });

const pool = (
  image: readonly number[],
  kernel: readonly [number, number],
  stride: readonly [number, number],
  padding: string,
): GradientCase => ({
  inputs: [{ shape: image }],
  attributes: { kernel, ...window(stride, padding) },
});

export const gradientCases: Readonly<Record<string, readonly GradientCase[]>> = {
  relu: unary,
  gelu: unary,
  tanh: unary,
  sigmoid: unary,
  bias: [{ inputs: [{ shape: [4, 5] }, { shape: [5] }] }, { inputs: [{ shape: [2, 3, 2, 3] }, { shape: [3] }] }],
  add: [
    { inputs: [{ shape: [4, 5] }, { shape: [4, 5] }] },
    { inputs: [{ shape: [4, 5] }, { shape: [4, 5] }], behind: "tanh" },
  ],
  reshape: [
    { inputs: [{ shape: [3, 2, 2, 2] }], attributes: { shape: [3, 8] } },
    { inputs: [{ shape: [3, 2, 2, 2] }], attributes: { shape: [3, 8] }, behind: "tanh" },
  ],
  matmul: [
    { inputs: [{ shape: [3, 5] }, { shape: [5, 4] }] },
    { inputs: [{ shape: [3, 5] }, { shape: [5, 4], wanted: false }] },
    // A batch so long that the sum of the weight's gradient is split.
    { inputs: [{ shape: [257, 2], wanted: false }, { shape: [2, 3] }] },
    { inputs: [{ shape: [5, 3] }, { shape: [5, 4] }], attributes: { transposeA: true } },
    { inputs: [{ shape: [3, 5] }, { shape: [4, 5] }], attributes: { transposeB: true } },
    { inputs: [{ shape: [5, 3] }, { shape: [4, 5] }], attributes: { transposeA: true, transposeB: true } },
    { inputs: [{ shape: [257, 2], wanted: false }, { shape: [3, 2] }], attributes: { transposeB: true } },
    { inputs: [{ shape: [2, 257], wanted: false }, { shape: [2, 3] }], attributes: { transposeA: true } },
  ],
  conv2d: [
    convolution([2, 5, 4, 2], [3, 3, 2, 3], [1, 1], "same"),
    convolution([2, 5, 4, 2], [3, 3, 2, 3], [1, 1], "valid"),
    convolution([2, 6, 5, 1], [3, 3, 1, 2], [2, 2], "same"),
    convolution([1, 7, 6, 2], [2, 3, 2, 2], [2, 3], "same"),
    convolution([1, 6, 7, 2], [3, 2, 2, 2], [2, 2], "valid"),
    convolution([2, 4, 5, 2], [1, 1, 2, 2], [2, 2], "valid"),
    convolution([1, 2, 3, 1], [5, 5, 1, 2], [1, 1], "same"),
    convolution([2, 12, 12, 1], [3, 3, 1, 1], [1, 1], "same"),
  ],
  maxPool2d: [
    pool([2, 4, 6, 2], [2, 2], [2, 2], "valid"),
    pool([1, 5, 7, 2], [2, 2], [2, 2], "same"),
    pool([1, 5, 6, 1], [3, 2], [1, 1], "same"),
    pool([1, 7, 7, 1], [2, 2], [3, 3], "valid"),
  ],
  softmaxCrossEntropy: [
    { inputs: [{ shape: [4, 3] }, { shape: [4], fill: below(3), wanted: false }], attributes: { gradient: true } },
  ],
  meanSquaredError: [
    { inputs: [{ shape: [4, 3] }, { shape: [4, 3], fill: apart, wanted: false }], attributes: { gradient: true } },
    {
      inputs: [{ shape: [3, 2, 2] }, { shape: [3, 2, 2], fill: apart, wanted: false }],
      attributes: { gradient: true },
    },
  ],
};
