// Cases of the losses of samples: one part of each, or many.

import type { Case } from "../case.ts";

const sampleLosses = (batch: number, parts: number): Case => ({
  op: "sampleLosses",
  inputs: [{ shape: [batch * parts, 2] }],
  attributes: { batch },
});

export const cases: readonly Case[] = [
  sampleLosses(1, 1),
  sampleLosses(33, 1),
  sampleLosses(65, 7),
  sampleLosses(3, 1031),
];

export const gradients = {};
