// How much slower one build is than another, from blocks that took turns: each round gives one ratio of its two times. Their
// centre is the Hodges-Lehmann estimate, the median of all means of two log ratios, and its 95 % interval is that of Wilcoxon's
// signed-rank test: neither minds rounds in which other work took the machine.

/** Ratios, 1 for equal times; above 1 the first was slower. */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % of the normal distribution, which the signed-rank statistic is close to from 20 rounds on. */
const NORMAL = 1.959964;

/** From the times of both in each round. */
export function ratioOf(first: readonly number[], second: readonly number[]): Ratio {
  const logs = first.map((time, round) => Math.log(time / (second[round] as number)));
  const means = logs.flatMap((a, i) => logs.slice(i).map((b) => (a + b) / 2)).sort((a, b) => a - b);
  const n = logs.length;
  const spread = NORMAL * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
  const outside = Math.max(0, Math.floor(means.length / 2 - spread));
  const at = (place: number): number => Math.exp(means[place] as number);
  const middle = (means.length - 1) / 2;
  return {
    ratio: Math.sqrt(at(Math.floor(middle)) * at(Math.ceil(middle))),
    low: at(outside),
    high: at(means.length - 1 - outside),
  };
}
