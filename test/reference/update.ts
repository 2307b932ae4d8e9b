// One tensor's part of the update: the gradient clipped by value and then by a factor, its rule, and with momentum from the step
// in the place of the rule's own.

import type { UpdateRule } from "../../src/kernels/update.ts";
import type { Round } from "./twin.ts";
import { updateTwins } from "./twins.ts";

/** What a rule sees of a gradient. */
export function clipped(gradients: Float64Array, clamp: number | undefined, factor: number, round: Round) {
  const most = clamp === undefined ? Number.POSITIVE_INFINITY : round(clamp);
  return gradients.map((g) => round(factor * Math.min(most, Math.max(-most, g))));
}

/** A rule whose momentum a schedule moves. */
export function withMomentum(rule: UpdateRule, momentum: number | undefined): UpdateRule {
  const { momentum: name, constants } = rule;
  if (name === undefined || momentum === undefined) return rule;
  return { ...rule, constants: { ...constants, [name]: momentum, [`ONE_MINUS_${name}`]: 1 - momentum } };
}

/** Weights, clipped gradients and moments to weights, gradients and moments. */
export function update(
  rule: UpdateRule,
  arrays: readonly Float64Array[],
  row: ArrayLike<number>,
  round: Round,
): readonly Float64Array[] {
  const [weights, ...moments] = updateTwins[rule.kernel]!(arrays, rule, row, round);
  return [weights!, arrays[1]!, ...moments];
}
