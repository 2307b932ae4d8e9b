// loss[b] = mean over i of (p[b, i] - t[b, i])^2 with 0 beside it, and the gradient of the mean loss over the rows,
// dp = 2 (p - t) / (columns count). Rows from `count` on give zeros. Long rows stand in parts that add up to their loss: part s
// has every number whose place leaves s when it is divided by the number of parts.

import type { Twin } from "../twin.ts";

export const meanSquaredError: Twin = ([prediction, target], { inputs, outputs }, { count }, round) => {
  const [batch] = inputs[0]!.shape as [number];
  const columns = prediction!.length / batch;
  const parts = outputs[0]!.shape[0]! / batch;
  const rows = new Float64Array(batch * parts * 2);
  const gradient = new Float64Array(batch * columns);
  const scale = round(columns * count);
  for (let row = 0; row < Math.min(batch, count); row++) {
    for (let part = 0; part < parts; part++) {
      let sum = 0;
      for (let i = row * columns + part; i < (row + 1) * columns; i += parts) {
        const difference = round(prediction![i]! - target![i]!);
        sum = round(sum + round(difference * difference));
        gradient[i] = round(round(2 * difference) / scale);
      }
      rows[(row * parts + part) * 2] = round(sum / columns);
    }
  }
  return outputs.length === 1 ? [rows] : [rows, gradient];
};
