// Cases of matmul: four forms of transposition, rows that are multiples of 4 or not, split sums, column sums, epilogues.

import { between, cycle, endless } from "../../reference/numbers.ts";
import type { Case, Input } from "../case.ts";

interface Options {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly splits?: number;
  readonly columnSum?: boolean;
  readonly epilogue?: Case["epilogue"];
  /** Leading axes of both operands. */
  readonly leading?: readonly number[];
}

function product(M: number, K: number, N: number, options: Options = {}): Case {
  const {
    transposeA = false,
    transposeB = false,
    splits = 1,
    columnSum = false,
    epilogue = [],
    leading = [],
  } = options;
  return {
    op: "matmul",
    inputs: [
      { shape: [...leading, ...(transposeA ? [K, M] : [M, K])] },
      { shape: [...leading, ...(transposeB ? [N, K] : [K, N])] },
    ],
    attributes: { ...(transposeA && { transposeA }), ...(transposeB && { transposeB }), splits },
    columnSum,
    epilogue,
  };
}

const [transposeA, transposeB, columnSum] = [true, true, true];

/** A second operand like the output, and one for its columns. */
const same = (M: number, N: number): Input => ({ shape: [M, N] });
const last = (N: number): Input => ({ shape: [N] });
const saved = (M: number, N: number): Input => ({ shape: [M, N], fill: between(0.1, 0.9), scaled: false });

/** With operands in the memory of a workgroup too: sizes that fill no tile, every form, parts, groups, long sums, an end. */
const staged: readonly Case[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => product(33, 17, 65, { transposeA, transposeB })),
  ),
  product(1, 1000, 70),
  product(68, 36, 40, { transposeA, transposeB }),
  product(36, 40, 68, { leading: [2], transposeB, epilogue: [{ op: "bias", operand: last(68) }, { op: "relu" }] }),
  product(3, 257, 65, { transposeA, columnSum, splits: 4 }),
  product(4, 2304, 8, { transposeA, columnSum, splits: 2 }),
].map((one) => ({ ...one, staged: true }));

export const cases: readonly Case[] = [
  ...staged,
  product(1, 1, 1),
  product(3, 31, 33),
  product(33, 257, 1),
  product(65, 63, 31),
  product(63, 64, 32),
  product(257, 3, 65),
  product(31, 65, 8),
  product(5, 8, 3),
  // A grid with more groups along an axis than WebGPU allows: rows, columns, and both loaded four at a time.
  {
    ...product(8_400_001, 1, 1),
    inputs: [
      { shape: [8_400_001, 1], fill: cycle },
      { shape: [1, 1], fill: between(1, 9) },
    ],
    scales: [1],
  },
  {
    ...product(1, 1, 4_300_004),
    inputs: [
      { shape: [1, 1], fill: between(1, 9) },
      { shape: [1, 4_300_004], fill: cycle },
    ],
    scales: [1],
  },
  {
    ...product(33, 31, 9, { epilogue: [{ op: "relu" }] }),
    inputs: [{ shape: [33, 31], fill: endless }, { shape: [31, 9] }],
    note: "infinite",
  },
  product(1, 3, 1, { transposeB }),
  product(33, 31, 63, { transposeB }),
  product(65, 64, 36, { transposeB }),
  product(31, 257, 4, { transposeB }),
  product(3, 12, 65, { transposeB }),
  product(63, 33, 31, { transposeA }),
  product(64, 65, 32, { transposeA }),
  product(1, 257, 3, { transposeA }),
  product(33, 8, 65, { transposeA }),
  product(31, 33, 65, { transposeA, transposeB }),
  product(32, 64, 16, { transposeA, transposeB }),
  product(3, 257, 1, { transposeA, splits: 8 }),
  product(31, 257, 33, { transposeA, splits: 4 }),
  product(32, 256, 8, { transposeA, splits: 2 }),
  product(5, 9, 5, { splits: 4 }),
  product(6, 32, 6, { transposeA, columnSum, epilogue: [{ op: "add", operand: { shape: [6, 6] } }] }),
  product(33, 63, 31, { transposeA, columnSum }),
  product(4, 64, 64, { transposeA, columnSum }),
  product(1, 3, 1, { transposeA, columnSum }),
  product(32, 256, 12, { transposeA, columnSum, splits: 2 }),
  // Longer than a block of terms, by itself and in each of its parts.
  product(5, 1031, 7, { transposeA, columnSum }),
  // Many products beside each other, in rows of fours or not, with split sums and ends, and more than an axis of the grid holds.
  product(5, 7, 3, { leading: [3] }),
  product(1, 9, 6, { leading: [2, 5] }),
  product(12, 16, 8, { leading: [2, 3] }),
  product(9, 10, 33, { leading: [17], transposeA }),
  product(17, 8, 12, { leading: [3], transposeA }),
  product(7, 5, 9, { leading: [2, 2], transposeB }),
  product(10, 12, 4, { leading: [5], transposeB }),
  product(6, 7, 5, { leading: [4], transposeA, transposeB }),
  product(8, 4, 20, { leading: [1, 3], transposeA, transposeB }),
  product(5, 130, 3, { leading: [3], transposeA, splits: 4 }),
  product(4, 256, 8, { leading: [2], splits: 2 }),
  product(5, 7, 3, {
    leading: [3],
    epilogue: [
      { op: "bias", operand: last(3) },
      { op: "add", operand: { shape: [3, 5, 3] } },
    ],
  }),
  product(5, 7, 8, {
    leading: [2, 2],
    epilogue: [{ op: "bias", operand: last(8) }, { op: "gelu" }, { op: "add", operand: { shape: [2, 2, 5, 8] } }],
  }),
  {
    ...product(1, 1, 1),
    inputs: [
      { shape: [1_100_001, 1, 1], fill: cycle },
      { shape: [1_100_001, 1, 1], fill: between(1, 9) },
    ],
    scales: [1],
  },
  product(33, 65, 31, { epilogue: [{ op: "bias", operand: last(31) }, { op: "relu" }] }),
  product(31, 63, 64, { epilogue: [{ op: "bias", operand: last(64) }, { op: "gelu" }] }),
  // Under another shape at its end.
  product(6, 7, 10, { epilogue: [{ op: "bias", operand: last(15), shape: [4, 15] }] }),
  product(6, 7, 8, { epilogue: [{ op: "bias", operand: last(12), shape: [4, 12] }, { op: "relu" }] }),
  product(3, 5, 33, { epilogue: [{ op: "bias", operand: last(33) }, { op: "tanh" }] }),
  product(7, 33, 12, { epilogue: [{ op: "bias", operand: last(12) }, { op: "sigmoid" }] }),
  product(31, 33, 3, {
    epilogue: [
      { op: "bias", operand: last(3) },
      { op: "add", operand: same(31, 3) },
    ],
  }),
  product(33, 12, 8, {
    epilogue: [{ op: "bias", operand: last(8) }, { op: "gelu" }, { op: "add", operand: same(33, 8) }],
  }),
  product(5, 7, 9, {
    epilogue: [
      { op: "bias", operand: last(9) },
      { op: "add", operand: same(5, 9) },
      { op: "add", operand: same(5, 9) },
    ],
  }),
  product(33, 10, 31, { transposeB, epilogue: [{ op: "reluBackward", operand: same(33, 31) }] }),
  product(33, 10, 32, { transposeB, epilogue: [{ op: "geluBackward", operand: same(33, 32) }] }),
  product(9, 10, 5, { transposeB, epilogue: [{ op: "sigmoidBackward", operand: saved(9, 5) }] }),
  product(9, 10, 8, { transposeB, epilogue: [{ op: "tanhBackward", operand: saved(9, 8) }] }),
];

export const gradients = {
  matmul: [
    { inputs: [{ shape: [3, 5] }, { shape: [5, 4] }] },
    { inputs: [{ shape: [3, 5] }, { shape: [5, 4], wanted: false }] },
    // A batch so long that the sum of the weight's gradient is split.
    { inputs: [{ shape: [257, 2], wanted: false }, { shape: [2, 3] }] },
    { inputs: [{ shape: [5, 3] }, { shape: [5, 4] }], attributes: { transposeA } },
    { inputs: [{ shape: [3, 5] }, { shape: [4, 5] }], attributes: { transposeB } },
    { inputs: [{ shape: [5, 3] }, { shape: [4, 5] }], attributes: { transposeA, transposeB } },
    { inputs: [{ shape: [257, 2], wanted: false }, { shape: [3, 2] }], attributes: { transposeB } },
    { inputs: [{ shape: [2, 257], wanted: false }, { shape: [2, 3] }], attributes: { transposeA } },
    ...[false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => ({
        inputs: [{ shape: transposeA ? [2, 3, 4] : [2, 4, 3] }, { shape: transposeB ? [2, 5, 3] : [2, 3, 5] }],
        attributes: { transposeA, transposeB },
      })),
    ),
    { inputs: [{ shape: [3, 2, 4, 2] }, { shape: [3, 2, 2, 3] }] },
    { inputs: [{ shape: [2, 257, 2], wanted: false }, { shape: [2, 2, 3] }] },
  ],
};
