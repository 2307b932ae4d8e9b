// Cases of the kernels that add: over rows, over parts, over any axes by threads and by workgroups, and the way back.

import { between, coarse, cycle, type Fill, holed, lowest, normals, torn } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";

const one = (op: string, shape: readonly number[], fill?: Fill): Case => ({
  op,
  inputs: [{ shape, ...(fill && { fill }) }],
});

const over = (op: string, shape: readonly number[], axes: readonly number[], more: Partial<Case> = {}): Case => ({
  ...one(op, shape),
  ...more,
  attributes: { axes, ...more.attributes },
});

const spread = (from: readonly number[], shape: readonly number[], attributes: Case["attributes"] = {}): Case => ({
  ...one("spread", from),
  attributes: { shape, mean: false, batch: false, ...attributes },
});

const backward = (
  op: string,
  shape: readonly number[],
  axes: readonly number[],
  results: readonly number[],
  fill: Fill = normals,
): Case => ({
  ...{ op, inputs: [{ shape, fill, scaled: false }, { shape: results }], attributes: { axes } },
  note: fill === coarse ? "equal values" : "",
});

const batch = { batch: true };
const short = { step: 1, start: 0, count: 3 };

export const cases: readonly Case[] = [
  one("columnSum", [1, 1]),
  one("columnSum", [3, 65]),
  one("columnSum", [257, 3]),
  one("columnSum", [2, 31, 5, 33]),
  one("columnSum", [64, 257]),
  { ...one("columnSum", [257, 3]), attributes: { splits: 17 } },
  { ...one("columnSum", [64, 5, 33]), attributes: { splits: 50 } },
  { ...one("columnSum", [2_000_000, 2], between(0.09, 0.11)), attributes: { splits: 1415 }, scales: [1], note: "long" },
  // By itself too, no long sum may lose digits. A thread is never given more terms: sums are cut from 1,024 on, and Mesa's
  // llvmpipe ends all loops of a thread after 65,535 rounds.
  { ...one("columnSum", [60_000, 1], between(0.09, 0.11)), scales: [1], note: "long" },
  one("sumPartials", [2, 1]),
  one("sumPartials", [8, 31, 3]),
  one("sumPartials", [3, 257]),
  one("sumPartials", [16, 3, 3, 4, 8]),
  { ...one("sumPartials", [60_000, 3], between(0.09, 0.11)), scales: [1], note: "long" },
  { ...one("sumPartials", [2, 65_535 * 64 + 3], cycle), scales: [1] },
  ...["sum", "mean"].flatMap((op) => [
    over(op, [7, 33], [-1]),
    over(op, [3, 5, 7, 4], [1]),
    over(op, [3, 5, 7, 4], [2, 1], { attributes: { keepDims: true } }),
    over(op, [3, 5, 7, 4], [1, 3]),
    over(op, [3, 5, 7, 4], [0, 2], { attributes: { batch: false } }),
    // By workgroups: neighbours, and few sums of what lies apart.
    over(op, [5, 1027], [1]),
    over(op, [65, 17, 3], [0, 1], { attributes: { batch: false } }),
    over(op, [4, 300, 5], [-2], { attributes: { keepDims: true } }),
    over(op, [5, 6, 3], [0], { attributes: batch, step: short, inputs: [{ shape: [5, 6, 3], fill: torn(54) }] }),
    over(op, [5, 70, 3], [0, 1], { attributes: batch, step: short, inputs: [{ shape: [5, 70, 3], fill: torn(630) }] }),
    over(op, [5, 4], [1, 0], { attributes: { ...batch, keepDims: true } }),
    over(op, [9, 31], [1], { inputs: [{ shape: [9, 31], fill: holed() }], note: "with NaN" }),
    over(op, [7, 5, 9], [1], { epilogue: [{ op: "bias", operand: { shape: [9] } }, { op: "tanh" }] }),
  ]),
  ...["max", "min"].flatMap((op) => [
    over(op, [7, 33], [-1]),
    over(op, [3, 5, 7, 4], [1, 2], { attributes: { keepDims: true } }),
    over(op, [3, 5, 7, 4], [0, 2], { attributes: { batch: false } }),
    over(op, [5, 6, 3], [0], { attributes: batch, step: short, inputs: [{ shape: [5, 6, 3], fill: torn(54) }] }),
    over(op, [9, 31], [1], { inputs: [{ shape: [9, 31], fill: holed() }], note: "with NaN" }),
    over(op, [9, 5], [0], {
      ...{ inputs: [{ shape: [9, 5], fill: lowest }], scales: [1], note: "lowest values" },
      attributes: { batch: false },
    }),
    over(op, [7, 5, 9], [1], { epilogue: [{ op: "bias", operand: { shape: [9] } }, { op: "tanh" }] }),
  ]),
  ...["maxBackward", "minBackward"].flatMap((op) => [
    backward(op, [7, 33], [-1], [7]),
    backward(op, [3, 5, 7, 4], [1, 2], [3, 4]),
    backward(op, [9, 31], [1], [9], coarse),
    backward(op, [9, 31], [1], [9], holed()),
    {
      ...backward(op, [5, 6, 3], [0], [6, 3], torn(54)),
      ...{ attributes: { axes: [0], batch: true }, step: short },
    },
  ]),
  over("mean", [1, 2_000_000], [1], {
    inputs: [{ shape: [1, 2_000_000], fill: between(0.09, 0.11) }],
    scales: [1],
    note: "long",
  }),
  over("sumOver", [7, 33], [1], { attributes: { shape: [7, 1] } }),
  over("sumOver", [3, 5, 7, 4], [0, 2], { attributes: { shape: [5, 1, 4] } }),
  over("sumOver", [700, 2, 3], [0, 2], { attributes: { shape: [2, 1] } }),
  { ...one("columnSum", [33, 12]), attributes: { shape: [1, 3, 4] } },
  spread([1, 1], [3, 5]),
  spread([3, 1, 7, 1], [3, 5, 7, 4], { mean: true }),
  spread([1, 5, 1], [9, 5, 3]),
  spread([1, 5, 8], [9, 5, 8], { mean: true }),
  { ...spread([1, 6, 3], [5, 6, 3], batch), step: short },
  { ...spread([1, 1, 3], [5, 6, 3], { ...batch, mean: true }), step: short },
  {
    ...spread([5, 1], [5, 12], { mean: true }),
    epilogue: [{ op: "tanhBackward", operand: { shape: [5, 12], fill: between(-1, 1), scaled: false } }],
  },
];

const reductions: readonly GradientCase[] = [
  { inputs: [{ shape: [3, 7] }], attributes: { axes: [-1] } },
  { inputs: [{ shape: [3, 7] }], attributes: { axes: [1], keepDims: true } },
  { inputs: [{ shape: [3, 7, 2] }], attributes: { axes: [0, 2], batch: false } },
  { inputs: [{ shape: [2, 3, 4, 5] }], attributes: { axes: [3, 1] } },
  { inputs: [{ shape: [3, 2, 4] }], attributes: { axes: [2, 1], keepDims: true }, behind: "tanh" },
];

export const gradients = { sum: reductions, mean: reductions, max: reductions, min: reductions };
