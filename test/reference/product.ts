// The inner loops of all products. The loop for `single` stands beside the general one because only a rounding that the
// compiler knows becomes one machine instruction; whole training steps run through here.

import { type Round, single } from "./twin.ts";

/** target[at + i] += factor * source[from + i], for `length` numbers. */
export function addScaled(
  target: Float64Array,
  at: number,
  source: Float64Array,
  from: number,
  length: number,
  factor: number,
  round: Round,
): void {
  if (round === single) {
    for (let i = 0; i < length; i++) {
      target[at + i] = Math.fround(target[at + i]! + Math.fround(factor * source[from + i]!));
    }
  } else {
    for (let i = 0; i < length; i++) target[at + i] = round(target[at + i]! + round(factor * source[from + i]!));
  }
}

/** start + the sum of a[atA + i] * b[atB + i], term by term. */
export function dot(
  start: number,
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  length: number,
  round: Round,
): number {
  let sum = start;
  if (round === single) {
    for (let i = 0; i < length; i++) sum = Math.fround(sum + Math.fround(a[atA + i]! * b[atB + i]!));
  } else {
    for (let i = 0; i < length; i++) sum = round(sum + round(a[atA + i]! * b[atB + i]!));
  }
  return sum;
}

/** How many of `terms` each of `parts` partial sums takes: equally many, in fours; the last may have fewer or none. */
export const termsOfPart = (terms: number, parts: number): number => Math.ceil(terms / (parts * 4)) * 4;
