// Cases of the metrics: loss and hit of each row, for batches around and beyond the width of the one workgroup.

import { below, between, type Fill } from "../../reference/numbers.ts";
import type { Case } from "../case.ts";

/** Loss and hit in turn; some labels do not count. */
const rowsOf =
  (scale: number): Fill =>
  (count, key) => {
    const hits = below(3)(2 * count, key).subarray(count);
    return between(0.1, 3)(count, key).map((loss, i) => (i % 2 === 0 ? Math.fround(loss * scale) : hits[i]! - 1));
  };

const rows = (batch: number, count: number, scale = 1): Case => ({
  op: "metrics",
  inputs: [{ shape: [batch, 2], fill: rowsOf(scale) }],
  step: { step: 7, start: 0, count },
  scales: [1],
});

export const cases: readonly Case[] = [
  rows(1, 1),
  rows(3, 2),
  rows(31, 31, 1e-4),
  rows(33, 33, 1e4),
  rows(63, 63),
  rows(65, 64),
  rows(257, 257),
  rows(257, 31, 1e-4),
  rows(1_000_003, 1_000_003),
];
