// Losses that look at each number by itself: what all numbers of a sample add to the loss, with their hits beside it, and the gradient of the
// mean, dp = slope scale. Rows from `count` on give zeros. Long rows stand in parts that add up to their loss: part s has every
// number whose place leaves s when it is divided by the number of parts.

import { sharesOf } from "../shares.ts";
import type { Twin } from "../twin.ts";

type Formula = (
  p: number,
  t: number,
  round: (x: number) => number,
  /** Of the loss itself. */
  options: { readonly delta?: number; readonly posWeight?: number; readonly logit?: number },
) => readonly [value: number, slope: number, hit?: boolean];

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
        let [sum, hits] = [0, 0];
        for (let i = row * columns + part; i < (row + 1) * columns; i += parts) {
          const [value, slope, hit = false] = formula(prediction![i]!, target?.[i] ?? 0, round, facts.attributes);
          hits += hit ? 1 : 0;
          sum = round(sum + weighed(value, scaleOf(i)));
          gradient[i] = scaleOf(i) === 0 ? 0 : round(slope * scaleOf(i));
        }
        rows[(row * parts + part) * 2] = shareOf(sum);
        rows[(row * parts + part) * 2 + 1] = hits;
      }
    }
    return outputs.length === 1 ? [rows] : [rows, gradient];
  };

export const meanSquaredError = elementLoss((p, t, round) => {
  const difference = round(p - t);
  return [round(difference * difference), round(2 * difference)];
}, true);

export const meanAbsoluteError = elementLoss((p, t, round) => {
  const difference = round(p - t);
  return [Math.abs(difference), Math.sign(difference)];
}, true);

export const huber = elementLoss((p, t, round, { delta = 1 }) => {
  const d = round(p - t);
  if (Number.isNaN(d)) return [d, d];
  const line = round(delta * round(Math.abs(d) - round(0.5 * delta)));
  return Math.abs(d) <= delta ? [round(round(0.5 * d) * d), d] : [line, delta * Math.sign(d)];
}, true);

/** log(1 + exp(x)) and 1 / (1 + exp(-x)), without a large power. */
const softplus = (x: number, round: (x: number) => number): number =>
  round(Math.max(x, 0) + round(Math.log1p(round(Math.exp(-Math.abs(x))))));
const sigmoid = (x: number, round: (x: number) => number): number => {
  const e = round(Math.exp(-Math.abs(x)));
  return round((x < 0 ? e : 1) / round(1 + e));
};

/** (1 - t) log(1 + exp(p)) + w t log(1 + exp(-p)), which is max(p, 0) - p t + log(1 + exp(-|p|)) where w is 1. */
export const binaryCrossEntropy = elementLoss((p, t, round, { posWeight = 1 }) => {
  const [zero, one] = [round(1 - t), round(posWeight * t)];
  const value = round(round(zero * softplus(p, round)) + round(one * softplus(-p, round)));
  const slope = round(round(zero * sigmoid(p, round)) - round(one * sigmoid(-p, round)));
  return [value, slope, !Number.isNaN(p) && p > 0 === t > 0.5];
}, true);

export const binaryHits = elementLoss((p, t, _, { logit = 0 }) => {
  return [0, 0, !Number.isNaN(p) && p > Math.fround(logit) === t > 0.5];
}, true);

export const klDivergence = elementLoss((p, t, round) => {
  const own = t === 0 ? 0 : round(t * round(Math.log(t)));
  return [round(own - round(t * p)), -t];
}, true);

export const meanOf = elementLoss((p) => [p, 1], false);
