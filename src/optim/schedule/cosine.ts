// Cosine annealing (Loshchilov and Hutter 2017), with and without restarts.

import type { Schedule, Span } from "./clock.ts";
import { timed } from "./timed.ts";

/** Half a cosine from 1 at progress 0 down to `low` at progress 1. */
export const cosineBetween = (low: number, progress: number): number =>
  low + ((1 - low) * (1 + Math.cos(Math.PI * progress))) / 2;

/** How long the rate falls. */
export interface CosineAnnealingOptions extends Span {
  /** Lowest factor: a part of the base rate, where PyTorch's eta_min is a rate. Default 0. */
  readonly etaMin?: number;
}

/**
 * etaMin + (1 - etaMin) (1 + cos(pi t / T)) / 2, as CosineAnnealingLR with T_max = T. Past T the rate rises again, and
 * swings on; to hold the lowest, take warmupCosine.
 */
export const cosineAnnealingLR: (options: CosineAnnealingOptions) => Schedule = timed<CosineAnnealingOptions>(
  "cosineAnnealingLR",
  () => ({ etaMin: [0, "from 0 to 1"] }),
  ({ etaMin }, t, total) => cosineBetween(etaMin, t / total),
);

/** How long the first fall takes. */
export interface WarmRestartsOptions extends Span {
  /** Each fall is this many times as long as the one before. Default 1. */
  readonly tMult?: number;
  /** Factor towards which a fall goes: a part of the base rate, where PyTorch's eta_min is a rate. Default 0. */
  readonly etaMin?: number;
}

/**
 * etaMin + (1 - etaMin) (1 + cos(pi u / L)) / 2, where u counts from the last restart and the n-th fall has the length
 * L = T tMult^n. As CosineAnnealingWarmRestarts with T_0 = T.
 */
export const cosineAnnealingWarmRestarts: (options: WarmRestartsOptions) => Schedule = timed<WarmRestartsOptions>(
  "cosineAnnealingWarmRestarts",
  () => ({ tMult: [1, "a whole number of at least 1"], etaMin: [0, "from 0 to 1"] }),
  ({ tMult, etaMin }, t, first) => {
    let length = first;
    let since = tMult === 1 ? t % length : t;
    while (since >= length) {
      since -= length;
      length *= tMult;
    }
    return cosineBetween(etaMin, since / length);
  },
);
