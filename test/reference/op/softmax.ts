// Softmax along the last axis and its logarithm, and their Jacobian products.

import type { Facts, Round, Twin } from "../twin.ts";

/** Row by row: what `rule` makes of the numbers of a row in each of some tensors. */
const byRow =
  (rule: (round: Round, ...rows: readonly Float64Array[]) => Float64Array): Twin =>
  (given, { inputs }: Facts, _step, round) => {
    const columns = inputs[0]!.shape.at(-1)!;
    const made = new Float64Array(given[0]!.length);
    for (let at = 0; at < made.length; at += columns)
      made.set(rule(round, ...given.map((values) => values.subarray(at, at + columns))), at);
    return [made];
  };

const sum = (round: Round, values: Float64Array): number => values.reduce((a, b) => round(a + b), 0);

export const softmax = byRow((round, x) => {
  const top = Math.max(...x!);
  const powers = x!.map((value) => round(Math.exp(round(value - top))));
  const total = sum(round, powers);
  return powers.map((value) => round(value / total));
});

export const logSoftmax = byRow((round, x) => {
  const top = Math.max(...x!);
  const total = sum(
    round,
    x!.map((value) => round(Math.exp(round(value - top)))),
  );
  return x!.map((value) => round(round(value - top) - round(Math.log(total))));
});

export const softmaxBackward = byRow((round, y, dy) => {
  const total = sum(
    round,
    y!.map((value, i) => round(value * dy![i]!)),
  );
  return y!.map((value, i) => round(value * round(dy![i]! - total)));
});

export const logSoftmaxBackward = byRow((round, y, dy) => {
  const total = sum(round, dy!);
  return y!.map((value, i) => round(dy![i]! - round(round(Math.exp(value)) * total)));
});
