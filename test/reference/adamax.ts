// torch.optim.Adamax: m is a running mean of g, u = max(beta2 u, |g| + eps), p = p - step m / u.
// Row: lr / (1 - beta1^t), decay, unused, active.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const adamax: UpdateTwin = ([parameters, gradients, moment1, moment2], { variant, constants }, row, round) => {
  const [p, m, u] = [parameters!.slice(), moment1!.slice(), moment2!.slice()] as const;
  const [step, decay, , active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, m, u];
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    m[i] = round(round(round(constants.BETA1!) * m[i]!) + round(round(constants.ONE_MINUS_BETA1!) * g));
    u[i] = Math.max(round(round(constants.BETA2!) * u[i]!), round(Math.abs(g) + round(constants.EPSILON!)));
    p[i] = move(p[i]!, round(step * round(m[i]! / u[i]!)));
  }
  return [p, m, u];
};
