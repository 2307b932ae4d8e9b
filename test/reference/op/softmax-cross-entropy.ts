// v = -log softmax(z[r])[label] of each row, whether the label has the largest logit (the first of equals), and the gradient of
// the mean, dz = (softmax(z) - [c = label]) scale. Rows of samples from `count` on give zeros.

import { sharesOf } from "../shares.ts";
import type { Twin } from "../twin.ts";

export const softmaxCrossEntropy: Twin = ([logits, labels, scales], facts, { count }, round) => {
  const { inputs, outputs } = facts;
  const classes = inputs[0]!.shape.at(-1)!;
  const rows = new Float64Array((logits!.length / classes) * 2);
  const gradient = new Float64Array(logits!.length);
  const { real, scaleOf, shareOf, weighed } = sharesOf(facts, rows.length / 2, scales, count, round);
  for (let row = 0; row < real; row++) {
    const z = logits!.subarray(row * classes, (row + 1) * classes);
    const label = labels![row]!;
    const scale = scaleOf(row);
    const largest = Math.max(...z);
    const powers = z.map((value) => round(Math.exp(round(value - largest))));
    const sum = powers.reduce((a, b) => round(a + b));
    rows[row * 2] = shareOf(weighed(round(round(Math.log(sum)) - round(z[label]! - largest)), scale));
    rows[row * 2 + 1] = z.indexOf(largest) === label ? 1 : 0;
    for (let c = 0; c < classes; c++) {
      const probability = round(powers[c]! / sum);
      const slope = round(probability - (c === label ? 1 : 0));
      gradient[row * classes + c] = scale === 0 ? 0 : round(slope * scale);
    }
  }
  return outputs.length === 1 ? [rows] : [rows, gradient];
};
