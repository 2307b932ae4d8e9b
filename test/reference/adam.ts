// torch.optim.Adam, or with DECOUPLED torch.optim.AdamW: m and v are running means of g and g^2, and
// p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps).
// AMSGRAD divides by the largest v so far. Row: lr, weight decay, lr / (1 - beta1^t), and 1 / sqrt(1 - beta2^t) or 0 for frozen.

import type { UpdateTwin } from "./twin.ts";

export const adam: UpdateTwin = (
  [parameters, gradients, moment1, moment2, moment3],
  { variant, constants },
  row,
  round,
) => {
  const [p, m, v] = [parameters!.slice(), moment1!.slice(), moment2!.slice()] as const;
  const [lr, decay, rate, correction] = Array.from(row, round) as [number, number, number, number];
  const largest = variant.AMSGRAD === true ? [moment3!.slice()] : [];
  if (correction === 0) return [p, m, v, ...largest];
  const [beta1, beta2] = [round(constants.BETA1!), round(constants.BETA2!)];
  const [rest1, rest2] = [round(constants.ONE_MINUS_BETA1!), round(constants.ONE_MINUS_BETA2!)];
  const epsilon = round(constants.EPSILON!);
  for (let i = 0; i < p.length; i++) {
    let g = gradients![i]!;
    const shrink = variant.DECOUPLED === true ? round(round(lr * decay) * p[i]!) : 0;
    if (variant.DECOUPLED !== true) g = round(g + round(decay * p[i]!));
    m[i] = round(round(beta1 * m[i]!) + round(rest1 * g));
    v[i] = round(round(beta2 * v[i]!) + round(rest2 * round(g * g)));
    let square = v[i]!;
    for (const most of largest) square = most[i] = Math.max(most[i]!, square);
    const spread = round(round(round(Math.sqrt(square)) * correction) + epsilon);
    p[i] = round(p[i]! - round(round(rate * round(m[i]! / spread)) + shrink));
  }
  return [p, m, v, ...largest];
};
