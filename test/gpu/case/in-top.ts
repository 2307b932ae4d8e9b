// Cases of labels among the largest: rows around the width of a workgroup, equal numbers, NaN, and more classes than a loop has turns.

import { below, coarse, type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case } from "../case.ts";

const inTop = (
  shape: readonly number[],
  k: number,
  { fill = normals as Fill, most = shape.at(-1)!, count = shape[0]!, ignored = undefined as number | undefined } = {},
): Case => ({
  op: "inTop",
  inputs: [
    { shape, fill },
    { shape: shape.slice(0, -1), store: "u32", fill: below(most) },
  ],
  attributes: { gradient: false, k, ...(ignored !== undefined && { ignored }) },
  step: { step: 3, start: 0, count },
});

export const cases: readonly Case[] = [
  inTop([2, 2], 1),
  inTop([33, 10], 5),
  inTop([65, 7], 2, { fill: coarse, count: 63 }),
  inTop([7, 5, 9], 3, { fill: coarse, count: 6 }),
  inTop([63, 5], 3, { fill: holed() }),
  { ...inTop([31, 4], 3, { most: 6 }), note: "some labels are no class" },
  { ...inTop([33, 2, 4], 2, { ignored: 3, count: 30 }), note: "a label does not count" },
  inTop([7, 3, 4], 1),
  inTop([3, 70_001], 40_000),
];

export const gradients = {};
