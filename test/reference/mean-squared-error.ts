// loss[b] = mean over i of (p[b, i] - t[b, i])^2 with 0 beside it, and the gradient of the mean loss over the rows,
// dp = 2 (p - t) / (columns count). Rows from `count` on give zeros.

import type { Twin } from "./twin.ts";

export const meanSquaredError: Twin = ([prediction, target], { inputs, outputs }, { count }, round) => {
  const [batch] = inputs[0]!.shape as [number];
  const columns = prediction!.length / batch;
  const rows = new Float64Array(batch * 2);
  const gradient = new Float64Array(batch * columns);
  const scale = round(columns * count);
  for (let row = 0; row < Math.min(batch, count); row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const difference = round(prediction![i]! - target![i]!);
      sum = round(sum + round(difference * difference));
      gradient[i] = round(round(2 * difference) / scale);
    }
    rows[row * 2] = round(sum / columns);
  }
  return outputs.length === 1 ? [rows] : [rows, gradient];
};
