// Whether ways differ: the paired test of Student, and the correction of Holm for as many comparisons as are made.

import { meanAndDeviation } from "../report.ts";

/**
 * The chance that differences of pairs would be as far from 0 as these or farther if they were normal around 0: Student's t with one degree of
 * freedom less than there are pairs, from both sides. 1 where there are fewer than two, or no difference.
 */
export function pairedChance(differences: readonly number[]): number {
  const { mean, deviation } = meanAndDeviation(differences);
  const freedom = differences.length - 1;
  if (freedom < 1 || mean === 0) return 1;
  if (deviation === 0) return 0;
  return 1 - within(Math.abs(mean) / (deviation / Math.sqrt(differences.length)), freedom);
}

/** How much of Student's distribution lies between -t and t, in closed form for whole degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4). */
function within(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let [term, sum] = [odd ? cos : 1, 0];
  for (let k = odd ? 2 : 1; k < freedom; k += 2) {
    sum += term;
    term *= (k / (k + 1)) * cos * cos;
  }
  return odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum;
}

/** Chances of several comparisons as they count beside one another (Holm 1979): the least one times all, the next one times those left. */
export function holm(chances: readonly number[]): number[] {
  const order = [...chances.keys()].sort((a, b) => (chances[a] as number) - (chances[b] as number));
  const corrected = new Array<number>(chances.length).fill(1);
  let least = 0;
  for (const [rank, i] of order.entries()) {
    least = Math.min(1, Math.max(least, (chances[i] as number) * (chances.length - rank)));
    corrected[i] = least;
  }
  return corrected;
}
