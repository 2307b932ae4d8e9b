// One slot of the metrics: number of the step, mean loss over its rows, hits, and labels that do not count.

import type { Twin } from "../twin.ts";

export const metrics: Twin = ([rows], _facts, { step, count }, round) => {
  let loss = 0;
  let hits = 0;
  let ignored = 0;
  for (let i = 0; i < rows!.length; i += 2) {
    loss = round(loss + rows![i]!);
    hits += Math.max(rows![i + 1]!, 0);
    ignored += Math.max(-rows![i + 1]!, 0);
  }
  return [Float64Array.of(step, round(loss / count), hits, ignored)];
};
