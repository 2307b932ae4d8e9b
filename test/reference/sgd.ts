// torch.optim.SGD: g = g + weightDecay p; buffer = momentum buffer + z g; p = p - lr (nesterov: g + momentum buffer, else
// buffer). RATE_IN_MOMENTUM: the buffer takes lr g. Row: lr, decay, z (1 on a layer's first step, else 1 - dampening), and 0 for frozen.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const sgd: UpdateTwin = ([parameters, gradients, moment], { variant, constants }, row, round) => {
  const p = parameters!.slice();
  const buffer = variant.WITH_MOMENTUM === true ? moment!.slice() : undefined;
  const results = buffer === undefined ? [p] : [p, buffer];
  const [lr, decay, z, active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return results;
  const momentum = round(constants.MOMENTUM!);
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    const inside = variant.RATE_IN_MOMENTUM === true && buffer !== undefined;
    const own = inside ? round(lr * round(z * g)) : round(z * g);
    let direction = own;
    if (buffer !== undefined) {
      buffer[i] = round(round(momentum * buffer[i]!) + own);
      direction = variant.NESTEROV === true ? round(own + round(momentum * buffer[i]!)) : buffer[i]!;
    }
    p[i] = move(p[i]!, inside ? direction : round(lr * direction));
  }
  return results;
};
