// torch.optim.Adam, or with DECOUPLED torch.optim.AdamW: m and v are running means of g and g^2, and
// p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps).
// AMSGRAD divides by the largest v so far; EPS_INSIDE: eps under the root, EPS_FIRST: before the correction.
// Row: lr, decay, lr / (1 - beta1^t), and 1 / sqrt(1 - beta2^t) or 0 for frozen.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const adam: UpdateTwin = (
  [parameters, gradients, moment1, moment2, moment3],
  { variant, constants },
  row,
  round,
) => {
  const [p, m, v] = [parameters!.slice(), moment1!.slice(), moment2!.slice()] as const;
  const [, decay, rate, correction] = Array.from(row, round) as [number, number, number, number];
  const largest = variant.AMSGRAD === true ? [moment3!.slice()] : [];
  if (correction === 0) return [p, m, v, ...largest];
  const [beta1, beta2] = [round(constants.BETA1!), round(constants.BETA2!)];
  const [rest1, rest2] = [round(constants.ONE_MINUS_BETA1!), round(constants.ONE_MINUS_BETA2!)];
  const epsilon = round(constants.EPSILON!);
  const spread = (square: number): number => {
    if (variant.EPS_INSIDE !== true) {
      const root = round(Math.sqrt(square));
      return variant.EPS_FIRST === true
        ? round(round(root + epsilon) * correction)
        : round(round(root * correction) + epsilon);
    }
    return variant.EPS_FIRST === true
      ? round(round(Math.sqrt(round(square + epsilon))) * correction)
      : round(Math.sqrt(round(round(square * round(correction * correction)) + epsilon)));
  };
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    m[i] = round(round(beta1 * m[i]!) + round(rest1 * g));
    v[i] = round(round(beta2 * v[i]!) + round(rest2 * round(g * g)));
    let square = v[i]!;
    for (const most of largest) square = most[i] = Math.max(most[i]!, square);
    p[i] = move(p[i]!, round(rate * round(m[i]! / spread(square))));
  }
  return [p, m, v, ...largest];
};
