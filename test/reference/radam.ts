// torch.optim.RAdam: Adam's means; p = p - step m z / (sqrt(v) + eps), and p = p - step m while z is 0.
// Row: lr / (1 - beta1^t), decay, z, active.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const radam: UpdateTwin = ([parameters, gradients, moment1, moment2], { variant, constants }, row, round) => {
  const [p, m, v] = [parameters!.slice(), moment1!.slice(), moment2!.slice()] as const;
  const [step, decay, z, active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, m, v];
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    m[i] = round(round(round(constants.BETA1!) * m[i]!) + round(round(constants.ONE_MINUS_BETA1!) * g));
    v[i] = round(round(round(constants.BETA2!) * v[i]!) + round(round(constants.ONE_MINUS_BETA2!) * round(g * g)));
    const spread = round(round(Math.sqrt(v[i]!)) + round(constants.EPSILON!));
    const direction = z === 0 ? m[i]! : round(round(m[i]! * z) / spread);
    p[i] = move(p[i]!, round(step * direction));
  }
  return [p, m, v];
};
