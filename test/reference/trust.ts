// Trust ratios of LARS and LAMB, with norms of this very tensor: R = coefficient |p| / (|g| + decay |p| + eps) for the
// gradient of LARS, R = |p| / |u| for the step of LAMB at rate 1; and 1 where a norm is 0. The third number of a row scales
// the gradient of sgd; of adam all but the last are in proportion to the rate.

import type { UpdateRule } from "../../src/kernels/update.ts";
import type { Norms } from "./norm.ts";
import type { Round } from "./twin.ts";

/** `host` is the row that the norms were taken with, `row` the one that controllers made of it. */
export function trust(
  { trust: rule, variant }: UpdateRule,
  [gradient, weight, step]: Norms,
  host: ArrayLike<number>,
  row: readonly number[],
  round: Round,
): readonly number[] {
  if (rule === undefined || host[3] === 0) return row;
  const p = round(Math.sqrt(weight));
  const isLars = rule.kind === "lars";
  const length = isLars ? round(Math.sqrt(gradient)) : round(round(Math.sqrt(step)) / round(host[0]!));
  if (!(p > 0 && length > 0)) return row;
  const decay = isLars && variant.DECOUPLED !== true ? round(round(host[1]!) * p) : 0;
  const most = round(round(length + decay) + round(rule.eps));
  const ratio = round(round(round(rule.coefficient) * p) / most);
  return row.map((value, i) => ((isLars ? i === 2 : i < 3) ? round(value * ratio) : value));
}
