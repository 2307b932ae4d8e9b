// torch.optim.SGD: g = g + weightDecay p; buffer = momentum buffer + z g; p = p - lr (nesterov: g + momentum buffer, else
// buffer). Row: lr, weight decay, z (1 on a layer's first step, else 1 - dampening), and 0 for frozen.

import type { UpdateTwin } from "./twin.ts";

export const sgd: UpdateTwin = ([parameters, gradients, moment], { variant, constants }, row, round) => {
  const p = parameters!.slice();
  const buffer = variant.WITH_MOMENTUM === true ? moment!.slice() : undefined;
  const results = buffer === undefined ? [p] : [p, buffer];
  const [lr, decay, z, active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return results;
  const momentum = round(constants.MOMENTUM!);
  for (let i = 0; i < p.length; i++) {
    const g = round(gradients![i]! + round(decay * p[i]!));
    let direction = g;
    if (buffer !== undefined) {
      buffer[i] = round(round(momentum * buffer[i]!) + round(z * g));
      direction = variant.NESTEROV === true ? round(g + round(momentum * buffer[i]!)) : buffer[i]!;
    }
    p[i] = round(p[i]! - round(lr * direction));
  }
  return results;
};
