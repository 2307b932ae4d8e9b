// v = -sum over c of t[c] log softmax(z[r])[c] of each row, and the gradient of the mean, dz = (softmax(z) sum(t) - t) scale, where t is 1
// at the label, or the row of targets; a part of it is shared by all classes, and each class counts what its weight says. The hit is
// whether the label or the largest target has the largest logit (the first of equals), and -1 where a label does not count. Rows of
// samples from `count` on give zeros.

import { sharesOf } from "../shares.ts";
import type { Twin } from "../twin.ts";

export const softmaxCrossEntropy: Twin = ([logits, targets, scales, weights], facts, { count }, round) => {
  const { inputs, outputs, attributes } = facts;
  const {
    soft = false,
    smoothing = 0,
    ignored,
  } = attributes as {
    readonly soft?: boolean;
    readonly smoothing?: number;
    readonly ignored?: number;
  };
  const classes = inputs[0]!.shape.at(-1)!;
  const rows = new Float64Array((logits!.length / classes) * 2);
  const gradient = new Float64Array(logits!.length);
  const { real, scaleOf, shareOf, weighed } = sharesOf(facts, rows.length / 2, scales, count, round);
  const wide = soft || smoothing > 0;
  for (let row = 0; row < real; row++) {
    const z = logits!.subarray(row * classes, (row + 1) * classes);
    const target = targets!.subarray(row * classes, (row + 1) * classes);
    const label = soft ? 0 : Math.min(targets![row]!, classes - 1);
    const t = z.map((_, c) => {
      const own = soft ? target[c]! : c === label ? 1 : 0;
      const smooth = smoothing > 0 ? round(round(own * round(1 - smoothing)) + round(smoothing / classes)) : own;
      return round(smooth * (weights?.[c] ?? 1));
    });
    const scale = scaleOf(row);
    const largest = Math.max(...z);
    const powers = z.map((value) => round(Math.exp(round(value - largest))));
    const add = (a: number, b: number): number => round(a + b);
    const sum = powers.reduce(add);
    const mass = wide ? t.reduce(add) : t[label]!;
    const cross = wide ? z.map((value, c) => round(t[c]! * round(value - largest))).reduce(add) : 0;
    const value = wide
      ? round(round(round(Math.log(sum)) * mass) - cross)
      : round(round(round(Math.log(sum)) - round(z[label]! - largest)) * mass);
    rows[row * 2] = shareOf(weighed(value, scale));
    const top = z.indexOf(largest);
    const isHit = top >= 0 && (soft ? target[top] === Math.max(...target) : top === label);
    rows[row * 2 + 1] = ignored !== undefined && targets![row] === ignored ? -1 : isHit ? 1 : 0;
    for (let c = 0; c < classes; c++) {
      const probability = round(powers[c]! / sum);
      const slope = round(round(probability * mass) - t[c]!);
      gradient[row * classes + c] = scale === 0 ? 0 : round(slope * scale);
    }
  }
  return outputs.length === 1 ? [rows] : [rows, gradient];
};
