// Lion: p = p - lr decay p, p = p - lr sign(beta1 m + (1 - beta1) g), m a running mean of g.
// Row: lr, weight decay, unused, active.

import type { UpdateTwin } from "./twin.ts";

export const lion: UpdateTwin = ([parameters, gradients, moment1], { constants }, row, round) => {
  const [p, m] = [parameters!.slice(), moment1!.slice()] as const;
  const [lr, decay, , active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, m];
  const mix = (beta: string, at: number, g: number): number =>
    round(round(round(constants[beta]!) * m[at]!) + round(round(constants[`ONE_MINUS_${beta}`]!) * g));
  for (let i = 0; i < p.length; i++) {
    const g = gradients![i]!;
    p[i] = round(p[i]! - round(lr * round(Math.sign(mix("BETA1", i, g)) + round(decay * p[i]!))));
    m[i] = mix("BETA2", i, g);
  }
  return [p, m];
};
