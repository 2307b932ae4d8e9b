// torch.optim.RMSprop: s is a running mean of g^2, less the square of the mean gradient when CENTERED; d = g / (sqrt + eps),
// which WITH_MOMENTUM first adds to a buffer. Row: lr, decay, unused, active.

import { decaying } from "./decay.ts";
import type { UpdateTwin } from "./twin.ts";

export const rmsprop: UpdateTwin = ([parameters, gradients, ...moments], { variant, constants }, row, round) => {
  const p = parameters!.slice();
  const state = moments.map((moment) => moment.slice());
  const [lr, decay, , active] = Array.from(row, round) as [number, number, number, number];
  if (active === 0) return [p, ...state];
  const [alpha, rest] = [round(constants.ALPHA!), round(constants.ONE_MINUS_ALPHA!)];
  const s = state[0]!;
  const buffer = variant.WITH_MOMENTUM === true ? state[1]! : undefined;
  const mean = variant.CENTERED === true ? state.at(-1)! : undefined;
  const epsilon = round(constants.EPSILON!);
  const root = (x: number): number =>
    variant.EPS_INSIDE === true ? round(Math.sqrt(round(x + epsilon))) : round(round(Math.sqrt(x)) + epsilon);
  const { gradient, move } = decaying(variant, decay, round);
  for (let i = 0; i < p.length; i++) {
    const g = gradient(gradients![i]!, p[i]!);
    s[i] = round(round(alpha * s[i]!) + round(rest * round(g * g)));
    let square = s[i]!;
    if (mean !== undefined) {
      mean[i] = round(round(alpha * mean[i]!) + round(rest * g));
      square = Math.max(0, round(square - round(mean[i]! * mean[i]!)));
    }
    let d = round(g / root(square));
    if (buffer !== undefined) {
      d = round(round(round(constants.MOMENTUM!) * buffer[i]!) + d);
      buffer[i] = d;
    }
    p[i] = move(p[i]!, round(lr * d));
  }
  return [p, ...state];
};
