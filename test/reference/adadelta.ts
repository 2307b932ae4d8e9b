// torch.optim.Adadelta: s is a running mean of g^2, u one of the steps' squares, d = sqrt(u + eps) / sqrt(s + eps) g.
// Row: lr, decay, unused, active.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const adadelta: UpdateTwin = ([parameters, gradients, moment1, moment2], { variant, constants }, row, round) => {
  const [p, s, u] = [parameters!.slice(), moment1!.slice(), moment2!.slice()] as const;
  const [lr, decay, , active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, s, u];
  const [rho, rest, epsilon] = [round(constants.RHO!), round(constants.ONE_MINUS_RHO!), round(constants.EPSILON!)];
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    s[i] = round(round(rho * s[i]!) + round(rest * round(g * g)));
    const root = (x: number): number => round(Math.sqrt(round(x + epsilon)));
    const d = round(round(root(u[i]!) / root(s[i]!)) * g);
    u[i] = round(round(rho * u[i]!) + round(rest * round(d * d)));
    p[i] = move(p[i]!, round(lr * d));
  }
  return [p, s, u];
};
