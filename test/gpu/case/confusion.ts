// Cases of counts of classes: full and short batches, several rows a sample, equal logits, labels that are no class or do not count.

import { below, between, coarse, type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case } from "../case.ts";

interface Counting {
  readonly fill?: Fill;
  readonly count?: number;
  /** Labels are below this. */
  readonly most?: number;
  readonly ignored?: number;
}

function confusion(
  shape: readonly number[],
  { fill = normals, count = shape[0]!, most, ignored }: Counting = {},
): Case {
  const classes = shape.at(-1)!;
  return {
    op: "confusion",
    inputs: [
      { shape, fill },
      { shape: shape.slice(0, -1), store: "u32", fill: below(most ?? classes) },
    ],
    attributes: { classes, ...(ignored !== undefined && { ignored }) },
    step: { step: 3, start: 0, count },
  };
}

const binary = (shape: readonly number[], { fill = normals, count = shape[0]! }: Counting, logit = 0): Case => ({
  op: "binaryConfusion",
  inputs: [
    { shape, fill },
    { shape, fill: between(0, 1), scaled: false },
  ],
  attributes: { classes: 2, logit },
  step: { step: 3, start: 0, count },
});

export const cases: readonly Case[] = [
  confusion([1, 2]),
  confusion([33, 10], { count: 31 }),
  confusion([257, 3], { fill: coarse }),
  confusion([7, 5, 4], { count: 6 }),
  { ...confusion([63, 4], { most: 6 }), note: "some labels are no class" },
  { ...confusion([63, 4], { ignored: 2 }), note: "a label does not count" },
  { ...confusion([31, 5], { fill: holed() }), note: "with NaN" },
  confusion([65, 130]),
  confusion([5000, 2], { count: 4999 }),
  binary([33], { count: 30 }),
  binary([9, 7], { fill: coarse }, 0.5),
  { ...binary([31, 3], { fill: holed(), count: 30 }, -1.25), note: "with NaN" },
];

export const gradients = {};
