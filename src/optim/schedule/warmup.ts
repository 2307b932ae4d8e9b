// Schedules that begin low: a linear rise, and then a cosine, a line, an inverse square root, or a plateau and a short
// fall. In the formulas t is the step, T the length and w the warm-up in steps.

import { checkRange, resolved } from "../../option.ts";
import type { Schedule, Span } from "./clock.ts";
import { cosineBetween } from "./cosine.ts";
import { schedule } from "./spec.ts";
import { timed } from "./timed.ts";

/** What schedules with a warm-up have in common. */
interface Warmup extends Span {
  /** Steps in which the rate rises from 0 to the base. */
  readonly warmup: number;
  /** Factor that is held in the end. Default 0. */
  readonly floor?: number;
}

const rise = { warmup: [undefined, "at least 0"], floor: [0, "from 0 to 1"] } as const;

/** t / w, then `fall` of what part of the rest has passed. */
const warmed = /* @__NO_SIDE_EFFECTS__ */ (
  name: string,
  fall: (progress: number, floor: number) => number,
): ((options: Warmup) => Schedule) =>
  timed<Warmup>(
    name,
    () => rise,
    ({ warmup, floor }, t, total) =>
      t < warmup ? t / warmup : fall(Math.min(1, (t - warmup) / Math.max(1, total - warmup)), floor),
  );

/** Options of `warmupCosine`. */
export interface WarmupCosineOptions extends Warmup {}

/** Linear from 0 over `warmup` steps, then half a cosine down to `floor` at the end (Loshchilov and Hutter 2017). */
export const warmupCosine: (options: WarmupCosineOptions) => Schedule = warmed("warmupCosine", (progress, floor) =>
  cosineBetween(floor, progress),
);

/** Options of `warmupLinear`. */
export interface WarmupLinearOptions extends Warmup {}

/** t / w, then floor + (1 - floor) (T - t) / (T - w), as in the fine-tuning of BERT (Devlin et al. 2019). */
export const warmupLinear: (options: WarmupLinearOptions) => Schedule = warmed(
  "warmupLinear",
  (progress, floor) => floor + (1 - floor) * (1 - progress),
);

/** Options of `warmupInverseSqrt`. */
export interface WarmupInverseSqrtOptions {
  /** Steps in which the rate rises from 0 to the base. */
  readonly warmup: number;
  /** How slowly the rate falls: it is halved 3 * timescale steps after the warm-up. Default `warmup`, or 10000 for 0. */
  readonly timescale?: number;
}

/**
 * t / w, then sqrt(s / (t - w + s)) with s = timescale; without end. For s = w this is sqrt(w / t), the schedule of the
 * Transformer (Vaswani et al. 2017); the general form is the one of google-research/big_vision.
 */
export const warmupInverseSqrt = schedule("warmupInverseSqrt", (options: WarmupInverseSqrtOptions): Schedule => {
  const place = "warmupInverseSqrt";
  const table = { warmup: rise.warmup, timescale: [] } as const;
  const { warmup, timescale = warmup || 1e4 } = resolved(place, options, table, `${place}({ warmup: 500 })`);
  checkRange(place, "greater than 0", { timescale });
  return ({ step }) => (step < warmup ? step / warmup : Math.sqrt(timescale / (step - warmup + timescale)));
});

/** Options of `wsd`. */
export interface WsdOptions extends Warmup {
  /** Part of the run, at its end, in which the rate falls. Default 0.2. */
  readonly decay?: number;
}

/**
 * Warm-up, stable, decay (Hu et al. 2024): t / w, then 1, and in the end floor + (1 - floor) (1 - sqrt u), where u goes
 * from 0 to 1 over the last `decay` of the run, in whole steps. The root is from Hägele et al. 2024.
 */
export const wsd: (options: WsdOptions) => Schedule = timed<WsdOptions>(
  "wsd",
  () => ({ ...rise, decay: [0.2, "between 0 and 1"] }),
  ({ warmup, decay, floor }, t, end) => {
    const start = Math.max(warmup, Math.round(end * (1 - decay)));
    if (t < warmup) return t / warmup;
    if (t <= start) return 1;
    return t < end ? floor + (1 - floor) * (1 - Math.sqrt((t - start) / (end - start))) : floor;
  },
);

/** Options of `slantedTriangular`. */
export interface SlantedTriangularOptions extends Span {
  /** Part of the run in which the rate rises. Default 0.1. */
  readonly cutFrac?: number;
  /** The first and the last rate are base / ratio. Default 32. */
  readonly ratio?: number;
}

/**
 * (1 + p (ratio - 1)) / ratio with cut = floor(T cutFrac) and p = t / cut, from there on 1 - (t - cut) /
 * (cut (1 / cutFrac - 1)). From ULMFiT (Howard and Ruder 2018), whose rise here takes at least a step; past its end the
 * lowest rate holds.
 */
export const slantedTriangular: (options: SlantedTriangularOptions) => Schedule = timed<SlantedTriangularOptions>(
  "slantedTriangular",
  () => ({ cutFrac: [0.1, "between 0 and 1"], ratio: [32, "greater than 0"] }),
  ({ cutFrac, ratio }, t, total) => {
    const cut = Math.max(1, Math.floor(total * cutFrac));
    const part = t < cut ? t / cut : Math.max(0, 1 - (t - cut) / (cut * (1 / cutFrac - 1)));
    return (1 + part * (ratio - 1)) / ratio;
  },
);
