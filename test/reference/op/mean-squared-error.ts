// Losses that look at each number by itself: what all numbers of a sample add to the loss, with 0 beside it, and the gradient of the
// mean, dp = slope scale. Rows from `count` on give zeros. Long rows stand in parts that add up to their loss: part s has every
// number whose place leaves s when it is divided by the number of parts.

import { sharesOf } from "../shares.ts";
import type { Twin } from "../twin.ts";

type Formula = (p: number, t: number, round: (x: number) => number) => readonly [value: number, slope: number];

const elementLoss =
  (formula: Formula, hasTarget: boolean): Twin =>
  ([prediction, ...more], facts, { count }, round) => {
    const { inputs, outputs } = facts;
    const [target, scales] = hasTarget ? more : [undefined, ...more];
    const [batch] = inputs[0]!.shape as [number];
    const columns = prediction!.length / batch;
    const parts = outputs[0]!.shape[0]! / batch;
    const rows = new Float64Array(batch * parts * 2);
    const gradient = new Float64Array(prediction!.length);
    const { real, scaleOf, shareOf, weighed } = sharesOf(facts, prediction!.length, scales, count, round);
    for (let row = 0; row < real / columns; row++) {
      for (let part = 0; part < parts; part++) {
        let sum = 0;
        for (let i = row * columns + part; i < (row + 1) * columns; i += parts) {
          const [value, slope] = formula(prediction![i]!, target?.[i] ?? 0, round);
          sum = round(sum + weighed(value, scaleOf(i)));
          gradient[i] = scaleOf(i) === 0 ? 0 : round(slope * scaleOf(i));
        }
        rows[(row * parts + part) * 2] = shareOf(sum);
      }
    }
    return outputs.length === 1 ? [rows] : [rows, gradient];
  };

export const meanSquaredError = elementLoss((p, t, round) => {
  const difference = round(p - t);
  return [round(difference * difference), round(2 * difference)];
}, true);

export const meanOf = elementLoss((p) => [p, 1], false);
