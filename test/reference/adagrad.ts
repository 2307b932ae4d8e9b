// torch.optim.Adagrad: s = s + g^2, p = p - step g / (sqrt(s) + eps). Row: step, weight decay, unused, active.

import type { UpdateTwin } from "./twin.ts";

export const adagrad: UpdateTwin = ([parameters, gradients, moment1], { constants }, row, round) => {
  const [p, s] = [parameters!.slice(), moment1!.slice()] as const;
  const [step, decay, , active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, s];
  for (let i = 0; i < p.length; i++) {
    const g = round(gradients![i]! + round(decay * p[i]!));
    s[i] = round(s[i]! + round(g * g));
    p[i] = round(p[i]! - round(step * round(g / round(round(Math.sqrt(s[i]!)) + round(constants.EPSILON!)))));
  }
  return [p, s];
};
