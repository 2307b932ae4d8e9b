// Whether the losses of all runtimes agree.

import type { Losses } from "./losses.ts";

/** Relative difference of two runtimes that counts as agreement. */
export const MOST_DIFFERENCE = 1e-5;

export interface Disagreement {
  readonly workload: keyof Losses;
  /** Of any two runtimes, at any step. NaN where somebody has no losses. */
  readonly largest: number;
  readonly agree: boolean;
}

/** Over the losses of `count` runtimes; one that is missing agrees with nobody. */
export function disagreements(reports: readonly { readonly losses?: Losses }[], count: number): Disagreement[] {
  return (["mlp", "cnn"] as const).map((workload) => {
    const all = reports.flatMap(({ losses }) => (losses === undefined ? [] : [losses[workload]]));
    const steps = Math.max(0, ...all.map((one) => one.length));
    const differences = Array.from({ length: steps }, (_, step) => {
      const values = all.map((one) => one[step] ?? Number.NaN);
      return (Math.max(...values) - Math.min(...values)) / Math.abs(Math.min(...values));
    });
    const complete = all.length === count && steps > 0;
    const largest = complete ? Math.max(...differences) : Number.NaN;
    return { workload, largest, agree: largest <= MOST_DIFFERENCE };
  });
}
