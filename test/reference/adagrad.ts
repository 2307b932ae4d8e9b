// torch.optim.Adagrad: s = s + g^2, p = p - step g / (sqrt(s) + eps). Row: step, decay, unused, active.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const adagrad: UpdateTwin = ([parameters, gradients, moment1], { variant, constants }, row, round) => {
  const [p, s] = [parameters!.slice(), moment1!.slice()] as const;
  const [step, decay, , active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, s];
  const epsilon = round(constants.EPSILON!);
  const root = (x: number): number =>
    variant.EPS_INSIDE === true ? round(Math.sqrt(round(x + epsilon))) : round(round(Math.sqrt(x)) + epsilon);
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    s[i] = round(s[i]! + round(g * g));
    p[i] = move(p[i]!, round(step * round(g / root(s[i]!))));
  }
  return [p, s];
};
