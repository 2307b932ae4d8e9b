// Cases of batch normalization: channels in fours or not, parts, short batches, NaN, a mean far from 0.

import { batchStatistics } from "../../../src/op/batch-norm.ts";
import { between, type Fill, holed, normals, torn } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";

const positive: Fill = between(0.5, 2);
const eps = 1e-5;
const statistics = { eps, momentum: 0.9, unbiased: true };
const short = { step: 1, start: 0, count: 3 };

/** Around 1000 with deviation 1. */
const far: Fill = (count, key) => normals(count, key).map((value) => Math.fround(1000 + value));

const channels = (shape: readonly number[]): number => shape.at(-1) as number;

function seen(shape: readonly number[], more: Partial<Case> = {}, fill?: Fill): Case {
  const own = [channels(shape)];
  const scaled = fill === undefined;
  const inputs = [{ shape, scaled, ...(fill && { fill }) }, { shape: own }, { shape: own, fill: positive }];
  return { op: "batchStatistics", inputs, attributes: statistics, ...(scaled ? {} : { scales: [1] }), ...more };
}

/** Parts of which the first rows have a count, the second squared distances. */
const partsOf: Fill = (count, key) => normals(count, key).map(Math.abs);

const sums = (op: string, shape: readonly number[], more: Partial<Case> = {}, fill: Fill = normals): Case => ({
  op,
  inputs: [
    { shape, fill },
    { shape, fill, scaled: false },
    { shape: [channels(shape)], scaled: false },
    { shape: [channels(shape)], fill: positive, scaled: false },
  ],
  ...more,
});

const backward = (shape: readonly number[], more: Partial<Case> = {}): Case => ({
  op: "batchNormBackward",
  inputs: [{ shape }, { shape, scaled: false }, { shape: [4, channels(shape)], scaled: false }],
  ...more,
});

const normalized = (op: string, shape: readonly number[], operands: number, more: Partial<Case> = {}): Case => ({
  op,
  inputs: [{ shape }, ...Array.from({ length: operands }, () => ({ shape: [channels(shape)] }))],
  ...more,
});

const merged = (shape: readonly number[], of: readonly number[], more: Partial<Case> = {}): Case => ({
  op: "batchStatistics",
  inputs: [{ shape, fill: partsOf }, { shape: [channels(shape)] }, { shape: [channels(shape)], fill: positive }],
  attributes: { ...statistics, parts: of },
  ...more,
});

export const cases: readonly Case[] = [
  seen([2, 1]),
  seen([7, 3]),
  seen([5, 9, 7, 8]),
  seen([3, 131, 5], { attributes: { ...statistics, unbiased: false, momentum: 0 } }),
  seen([1, 12], { note: "one row" }),
  seen([5, 6, 3], { step: short }, torn(54)),
  seen([5, 70, 4], { step: short }, torn(840)),
  seen([9, 31], { note: "with NaN" }, holed()),
  seen([64, 40, 3], { note: "far from 0" }, far),
  seen([64, 40, 8], { note: "far from 0" }, far),
  seen([1, 70_000, 1], { note: "long" }, between(0.09, 0.11)),
  seen([2, 65_539], { scales: [1], note: "more channels than a grid has groups in a line" }),
  { op: "batchParts", inputs: [{ shape: [37, 3] }], attributes: { splits: 5 } },
  { op: "batchParts", inputs: [{ shape: [6, 50, 8] }], attributes: { splits: 7 } },
  {
    ...{ op: "batchParts", inputs: [{ shape: [5, 70, 4], fill: torn(840) }], attributes: { splits: 4 }, step: short },
    scales: [1],
  },
  {
    op: "batchParts",
    inputs: [{ shape: [64, 40, 3], fill: far }],
    attributes: { splits: 9 },
    scales: [1],
    note: "far",
  },
  merged([5, 2, 3], [37, 3]),
  merged([7, 2, 8], [6, 50, 8]),
  merged([6, 2, 4], [10, 1, 4], { step: { step: 1, start: 0, count: 4 }, note: "parts without rows" }),
  merged([300, 2, 1], [90_000, 1]),
  sums("channelSums", [7, 3]),
  sums("channelSums", [5, 9, 7, 8]),
  sums("channelSums", [1, 1]),
  sums("channelSums", [2, 65_539], { scales: [1], note: "more channels than a grid has groups in a line" }),
  sums("channelSums", [5, 70, 4], { step: short, scales: [1] }, torn(840)),
  sums("channelSums", [9, 31], { note: "with NaN", scales: [1] }, holed()),
  sums("channelParts", [37, 3], { attributes: { splits: 5 } }),
  sums("channelParts", [6, 50, 8], { attributes: { splits: 7 } }),
  sums("channelParts", [5, 70, 4], { attributes: { splits: 4 }, step: short, scales: [1] }, torn(840)),
  ...[
    [5, 2, 3],
    [300, 2, 8],
  ].flatMap((shape): Case[] => {
    const own = { shape: [channels(shape)], fill: positive, scaled: false };
    return [
      { op: "mergeSums", inputs: [{ shape }] },
      {
        op: "mergeSums",
        inputs: [{ shape }, own, own],
        attributes: { rows: 450, samples: 9 },
        step: { ...short, count: 7 },
      },
    ];
  }),
  backward([7, 3]),
  backward([5, 9, 7, 8]),
  backward([5, 6, 4], { step: short }),
  backward([5, 6, 3], { step: short, epilogue: [{ op: "bias", operand: { shape: [3] } }] }),
  backward([3, 5, 8], {
    epilogue: [
      { op: "multiply", operand: { shape: [8] } },
      { op: "reluBackward", operand: { shape: [3, 5, 8] } },
    ],
  }),
  normalized("batchNormPlain", [7, 3], 2),
  normalized("batchNormScaled", [5, 9, 8], 3),
  normalized("batchNormShifted", [5, 9, 7], 3),
  normalized("batchNormAffine", [5, 3, 4], 4, {
    epilogue: [{ op: "add", operand: { shape: [5, 3, 4] } }, { op: "relu" }],
  }),
  normalized("batchNormAffine", [3, 5, 7], 4),
  { op: "inverseRoot", inputs: [{ shape: [1], fill: positive }], attributes: { eps } },
  {
    ...{ op: "inverseRoot", inputs: [{ shape: [77], fill: positive }], attributes: { eps: 0.1 } },
    epilogue: [{ op: "multiply", operand: { shape: [77] } }],
  },
];

/** The statistics of x stand between it and the op. */
const way = (shape: readonly number[], more: number): GradientCase => ({
  inputs: [
    { shape },
    ...Array.from({ length: more }, () => ({ shape: [channels(shape)] })),
    { shape: [channels(shape)], wanted: false },
  ],
  through({ emit, given }) {
    const [x, ...others] = given;
    const moving = others.pop()!;
    const { mean, inverse } = emit(batchStatistics, { x: x!, movingMean: moving, movingVariance: moving }, statistics);
    return [x!, mean, inverse, ...others];
  },
});

export const gradients = {
  batchNormPlain: [way([5, 3], 0), way([4, 3, 4], 0)],
  batchNormScaled: [way([4, 3, 3], 1)],
  batchNormShifted: [way([4, 2, 3], 1)],
  batchNormAffine: [way([6, 4], 2), way([4, 3, 3], 2)],
};
