// torch.optim.NAdam: Adam's means, p = p - (x g + z m) / (sqrt(v) correction + eps).
// Row: x, decay, z, and 1 / sqrt(1 - beta2^t) or 0 for frozen.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const nadam: UpdateTwin = ([parameters, gradients, moment1, moment2], { variant, constants }, row, round) => {
  const [p, m, v] = [parameters!.slice(), moment1!.slice(), moment2!.slice()] as const;
  const [x, decay, z, correction] = Array.from(row, round) as [number, number, number, number];
  if (correction === 0) return [p, m, v];
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    m[i] = round(round(round(constants.BETA1!) * m[i]!) + round(round(constants.ONE_MINUS_BETA1!) * g));
    v[i] = round(round(round(constants.BETA2!) * v[i]!) + round(round(constants.ONE_MINUS_BETA2!) * round(g * g)));
    const spread = round(round(round(Math.sqrt(v[i]!)) * correction) + round(constants.EPSILON!));
    p[i] = move(p[i]!, round(round(round(x * g) + round(z * m[i]!)) / spread));
  }
  return [p, m, v];
};
