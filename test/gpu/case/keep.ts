// Cases of what is kept behind the metrics, which metrics.test.ts reads where it stands.

import { below, normals } from "../../reference/numbers.ts";
import type { Case } from "../case.ts";

const keep = (shape: readonly number[], first: number, added: boolean): Case => ({
  op: "keep",
  inputs: [{ shape, fill: added ? below(1000) : normals }],
  attributes: { first, added },
  step: { step: 3, start: 0, count: shape[0]! },
  scales: [1],
});

export const cases: readonly Case[] = [keep([3, 3], 68, true), keep([65], 80, false)];

export const gradients = {};
