// Cases of labels among the largest: rows around the width of a workgroup, equal numbers, NaN, and more classes than a loop has turns.

import { below, coarse, type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case } from "../case.ts";

const inTop = (shape: readonly number[], k: number, fill: Fill = normals, most = shape.at(-1)!): Case => ({
  op: "inTop",
  inputs: [
    { shape, fill },
    { shape: shape.slice(0, -1), store: "u32", fill: below(most) },
  ],
  attributes: { k },
});

export const cases: readonly Case[] = [
  inTop([2, 2], 1),
  inTop([33, 10], 5),
  inTop([65, 7], 2, coarse),
  inTop([7, 5, 9], 3, coarse),
  inTop([63, 5], 3, holed()),
  { ...inTop([31, 4], 3, normals, 6), note: "some labels are no class" },
  inTop([3, 70_001], 40_000),
];

export const gradients = {};
