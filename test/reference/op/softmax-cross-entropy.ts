// loss[b] = -log softmax(z[b])[label], whether the label has the largest logit (the first of equals), and the gradient of
// the mean loss, dz = (softmax(z) - [c = label]) / count. Rows from `count` on give zeros.

import type { Twin } from "../twin.ts";

export const softmaxCrossEntropy: Twin = ([logits, labels], { inputs, outputs }, { count }, round) => {
  const [batch, classes] = inputs[0]!.shape as [number, number];
  const rows = new Float64Array(batch * 2);
  const gradient = new Float64Array(batch * classes);
  const scale = round(1 / count);
  for (let row = 0; row < Math.min(batch, count); row++) {
    const z = logits!.subarray(row * classes, (row + 1) * classes);
    const label = labels![row]!;
    const largest = Math.max(...z);
    const powers = z.map((value) => round(Math.exp(round(value - largest))));
    const sum = powers.reduce((a, b) => round(a + b));
    rows[row * 2] = round(round(Math.log(sum)) - round(z[label]! - largest));
    rows[row * 2 + 1] = z.indexOf(largest) === label ? 1 : 0;
    for (let c = 0; c < classes; c++) {
      const probability = round(powers[c]! / sum);
      gradient[row * classes + c] = round(round(probability - (c === label ? 1 : 0)) * scale);
    }
  }
  return outputs.length === 1 ? [rows] : [rows, gradient];
};
