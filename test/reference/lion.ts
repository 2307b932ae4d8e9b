// Lion: p = p - lr decay p, p = p - lr sign(beta1 m + (1 - beta1) g), m a running mean of g.
// Row: lr, decay, unused, active.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const lion: UpdateTwin = ([parameters, gradients, moment1], { variant, constants }, row, round) => {
  const [p, m] = [parameters!.slice(), moment1!.slice()] as const;
  const [lr, decay, , active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, m];
  const mix = (beta: string, at: number, g: number): number =>
    round(round(round(constants[beta]!) * m[at]!) + round(round(constants[`ONE_MINUS_${beta}`]!) * g));
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    p[i] = move(p[i]!, round(lr * Math.sign(mix("BETA1", i, g))));
    m[i] = mix("BETA2", i, g);
  }
  return [p, m];
};
