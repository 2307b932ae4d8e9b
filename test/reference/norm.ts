// What norms are made of: |g|^2, |p|^2, |u|^2, g u, and how many gradients are bad. Those count as 0 in the sums, whatever
// clipping would make of them. `directions` says what u is: where the last step went, or for LAMB the step to come, decay included.

import type { UpdateRule } from "../../src/kernels/update.ts";
import { MOST_GRADIENT } from "../../src/op/check.ts";
import type { Round } from "./twin.ts";

/** |g|^2, |p|^2, |u|^2, g u, and the count of gradients that are bad. */
export type Norms = readonly [gradient: number, weight: number, direction: number, product: number, bad: number];

/** `clipped` are the gradients as the rule sees them, `u` is absent where no direction is asked for. */
export function norm(
  gradients: Float64Array,
  clipped: Float64Array,
  weights: Float64Array,
  u: Float64Array | undefined,
  round: Round,
): Norms {
  const sums: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  const add = (place: number, a: number, b: number): void => {
    sums[place] = round(sums[place]! + round(a * b));
  };
  for (let i = 0; i < weights.length; i++) {
    const counts = Math.abs(gradients[i]!) <= MOST_GRADIENT;
    const g = counts ? clipped[i]! : 0;
    if (!counts) sums[4] += 1;
    add(0, g, g);
    add(1, weights[i]!, weights[i]!);
    if (u === undefined) continue;
    add(2, u[i]!, u[i]!);
    add(3, g, u[i]!);
  }
  return sums;
}

/** The direction of a rule from its arenas and its row of the layer table. */
export function direction(
  { kernel, constants, trust }: UpdateRule,
  [weights, gradients, moment1, moment2]: readonly Float64Array[],
  row: ArrayLike<number>,
  round: Round,
): Float64Array {
  if (kernel === "sgd") return moment1!;
  const [, decay, rate, correction] = Array.from(row, round) as [number, number, number, number];
  const constant = (name: string): number => round(constants[name]!);
  const ahead = trust?.kind === "lamb";
  return weights!.map((p, i) => {
    const g = gradients![i]!;
    let [m, v] = [moment1![i]!, moment2![i]!];
    if (ahead) {
      m = round(round(constant("BETA1") * m) + round(constant("ONE_MINUS_BETA1") * g));
      v = round(round(constant("BETA2") * v) + round(constant("ONE_MINUS_BETA2") * round(g * g)));
    }
    const u = round(m / round(round(round(Math.sqrt(v)) * correction) + constant("EPSILON")));
    return ahead ? round(round(rate * u) + round(decay * p)) : u;
  });
}
