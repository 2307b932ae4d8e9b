// Cases of softmax and its logarithm: rows by threads and by workgroups, large numbers, equal ones, NaN.

import { between, coarse, type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";

const one = (op: string, shape: readonly number[], more: Partial<Case> = {}, fill: Fill = normals): Case => ({
  ...{ op, inputs: [{ shape, fill }], scales: [1, 1e-4, 30] },
  ...more,
});

/** From what softmax gave: numbers between 0 and 1; its logarithms are below 0. */
const backward = (op: string, shape: readonly number[], more: Partial<Case> = {}): Case => ({
  op,
  inputs: [{ shape, fill: op === "softmaxBackward" ? between(0, 1) : between(-9, 0), scaled: false }, { shape }],
  ...more,
});

export const cases: readonly Case[] = [
  ...["softmax", "logSoftmax"].flatMap((op) => [
    one(op, [3, 2]),
    one(op, [70, 7]),
    one(op, [2, 3, 129]),
    one(op, [3, 1000]),
    one(op, [5, 130], { note: "equal values" }, coarse),
    one(op, [9, 31], { note: "far from 0", scales: [1] }, between(900, 1000)),
    one(op, [4, 5], { note: "with NaN", scales: [1] }, holed()),
    one(op, [3, 140], { note: "with NaN", scales: [1] }, holed()),
    one(op, [4, 6], { epilogue: [{ op: "multiply", operand: { shape: [4, 6] } }] }),
  ]),
  ...["softmaxBackward", "logSoftmaxBackward"].flatMap((op) => [
    backward(op, [3, 2]),
    backward(op, [70, 7]),
    backward(op, [2, 3, 129]),
    backward(op, [3, 1000]),
    backward(op, [4, 6], { epilogue: [{ op: "add", operand: { shape: [4, 6] } }] }),
  ]),
];

const reductions: readonly GradientCase[] = [{ inputs: [{ shape: [3, 4] }] }, { inputs: [{ shape: [2, 2, 3] }] }];

export const gradients = { softmax: reductions, logSoftmax: reductions };
