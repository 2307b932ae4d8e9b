// Cases of random numbers: whole and broken quads, several batches. Normals are held against the host in parts/philox.test.ts, to
// 1e-6; here they are uniform, and equal.

import type { Case } from "../case.ts";

const numbers = (shape: readonly number[], draw: number): Case => ({
  op: "draw",
  inputs: [],
  attributes: { shape, kind: "uniform", index: 0 },
  step: { step: 1, start: 0, count: 1, draw },
  scales: [1],
});

export const cases: readonly Case[] = [
  numbers([1], 1),
  numbers([3, 5], 2),
  numbers([7, 4, 3], 0xffffffff),
  numbers([1025], 3),
  numbers([4_194_311], 1),
];
