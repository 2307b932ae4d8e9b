// Whether engines compute the same: their losses over the first steps, before anyone compares their times.

import type { Workload } from "./workload.ts";

/** Steps over which engines must agree, and how far their losses may be apart, relative to the larger. */
export const AGREEMENT = { steps: 10, tolerance: 1e-3 } as const;

export interface Told {
  readonly name: string;
  readonly losses: readonly number[];
}

export interface Agreement {
  /** The largest relative difference between the losses of the two. */
  readonly worst: number;
  /** Where it is above the tolerance, a sentence on the first step in which it is. */
  readonly why?: string;
}

/** Whether another engine makes the losses of the first. */
export function agreement(
  { name: workload, agreed = AGREEMENT.steps }: Pick<Workload, "name" | "agreed">,
  first: Told,
  other: Told,
): Agreement {
  let worst = 0;
  for (const [step, loss] of other.losses.slice(0, agreed).entries()) {
    const expected = first.losses[step] as number;
    const difference = Math.abs(loss - expected) / Math.max(Math.abs(loss), Math.abs(expected));
    if (!(difference <= AGREEMENT.tolerance)) {
      const why =
        `${workload}: at step ${step} the loss of ${first.name} is ${expected}, that of ${other.name} ` +
        `${loss}: a relative difference of ${difference.toExponential(1)}, ${AGREEMENT.tolerance} is ` +
        "allowed. Their times cannot be compared until they compute the same.";
      return { worst: difference, why };
    }
    worst = Math.max(worst, difference);
  }
  return { worst };
}
