// Weight decay as every rule has it: part of the gradient, or with DECOUPLED taken off the weight together with the step, where
// the row's second number is the rate times the decay.

import type { Round } from "./twin.ts";

export const decaying = (variant: Readonly<Record<string, boolean>>, decay: number, round: Round) => ({
  gradient: (g: number, p: number): number => (variant.DECOUPLED === true ? g : round(g + round(decay * p))),
  move: (p: number, step: number): number =>
    round(p - (variant.DECOUPLED === true ? round(round(decay * p) + step) : step)),
});
