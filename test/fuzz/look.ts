// What the calls of a sequence have in common: holding what a trainer told against what the reference saw.

import type { Seen } from "./reference.ts";
import { Fault, near } from "./trial.ts";

interface Told {
  readonly loss: number;
  readonly accuracy: number;
  readonly samples?: number;
}

/** Loss, accuracy and samples of a step, an epoch or an evaluation. */
export function sameNumbers(call: string, told: Told | undefined, seen: Seen): void {
  near(call, "the loss", told?.loss, seen.loss);
  if (told?.samples !== undefined && told.samples !== seen.samples) {
    throw new Fault("wrong", call, `it tells of ${told.samples} samples, there were ${seen.samples}`);
  }
  const { accuracy = Number.NaN } = told ?? {};
  if (Number.isNaN(seen.accuracy) && Number.isNaN(accuracy)) return;
  if (!(Math.abs(accuracy - seen.accuracy) * seen.samples <= seen.close + 1e-3)) {
    throw new Fault("wrong", call, `the accuracy is ${accuracy}, it should be ${seen.accuracy}`);
  }
}

/** Numbers of a tensor, relative to its largest. */
export function sameValues(
  call: string,
  what: string,
  found: ArrayLike<number> | undefined,
  expected: Float64Array,
): void {
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  if (found?.length !== expected.length) {
    throw new Fault("wrong", call, `${what} has ${found?.length} numbers, it should have ${expected.length}`);
  }
  for (const [i, value] of expected.entries()) near(call, `${what}[${i}]`, found[i], value, scale);
}
