// Schedules that begin low: a linear rise, and then a cosine, a line, an inverse square root, or a plateau and a short
// fall. In the formulas t is the step, T the length and w the warm-up in steps.

import { checkRange } from "../../option.ts";
import { resolved } from "../resolved.ts";
import { lengthOf, type Schedule, type Span, spanned } from "./clock.ts";
import { cosineBetween } from "./cosine.ts";
import { named } from "./spec.ts";

interface Warmup extends Span {
  /** Steps in which the rate rises from 0 to the base. */
  readonly warmup: number;
  /** Factor that is held in the end. Default 0. */
  readonly floor?: number;
}

/** t / w, then `fall` of what part of the rest has passed. */
function warmed(place: string, options: Warmup, fall: (progress: number, floor: number) => number): Schedule {
  const { warmup, floor } = spanned(place, options, { warmup: undefined, floor: 0 });
  const total = lengthOf(place, options);
  checkRange(place, "at least 0", { warmup });
  checkRange(place, "from 0 to 1", { floor });
  return named(place, options, (clock) => {
    const length = total(clock);
    if (clock.step < warmup) return clock.step / warmup;
    return fall(Math.min(1, (clock.step - warmup) / Math.max(1, length - warmup)), floor);
  });
}

export interface WarmupCosineOptions extends Warmup {}

/** Linear from 0 over `warmup` steps, then half a cosine down to `floor` at the end (Loshchilov and Hutter 2017). */
export function warmupCosine(options: WarmupCosineOptions): Schedule {
  return warmed("warmupCosine", options, (progress, floor) => cosineBetween(floor, progress));
}

export interface WarmupLinearOptions extends Warmup {}

/** t / w, then floor + (1 - floor) (T - t) / (T - w), as in the fine-tuning of BERT (Devlin et al. 2019). */
export function warmupLinear(options: WarmupLinearOptions): Schedule {
  return warmed("warmupLinear", options, (progress, floor) => floor + (1 - floor) * (1 - progress));
}

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
export function warmupInverseSqrt(options: WarmupInverseSqrtOptions): Schedule {
  const place = "warmupInverseSqrt";
  const table = { warmup: undefined, timescale: undefined };
  const all = resolved(place, options, table, "warmupInverseSqrt({ warmup: 500 })");
  const { warmup, timescale = warmup || 1e4 } = all;
  checkRange(place, "at least 0", { warmup });
  checkRange(place, "greater than 0", { timescale });
  return named(place, options, ({ step }) =>
    step < warmup ? step / warmup : Math.sqrt(timescale / (step - warmup + timescale)),
  );
}

export interface WsdOptions extends Warmup {
  /** Part of the run, at its end, in which the rate falls. Default 0.2. */
  readonly decay?: number;
}

/**
 * Warm-up, stable, decay (Hu et al. 2024): t / w, then 1, and in the end floor + (1 - floor) (1 - sqrt u), where u goes
 * from 0 to 1 over the last `decay` of the run, in whole steps. The root is from Hägele et al. 2024.
 */
export function wsd(options: WsdOptions): Schedule {
  const { warmup, decay, floor } = spanned("wsd", options, { warmup: undefined, decay: 0.2, floor: 0 });
  const total = lengthOf("wsd", options);
  checkRange("wsd", "at least 0", { warmup });
  checkRange("wsd", "between 0 and 1", { decay });
  checkRange("wsd", "from 0 to 1", { floor });
  return named("wsd", options, (clock) => {
    const { step } = clock;
    const end = total(clock);
    const start = Math.max(warmup, Math.round(end * (1 - decay)));
    if (step < warmup) return step / warmup;
    if (step <= start) return 1;
    return step < end ? floor + (1 - floor) * (1 - Math.sqrt((step - start) / (end - start))) : floor;
  });
}

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
export function slantedTriangular(options: SlantedTriangularOptions): Schedule {
  const { cutFrac, ratio } = spanned("slantedTriangular", options, { cutFrac: 0.1, ratio: 32 });
  const total = lengthOf("slantedTriangular", options);
  checkRange("slantedTriangular", "between 0 and 1", { cutFrac });
  checkRange("slantedTriangular", "greater than 0", { ratio });
  return named("slantedTriangular", options, (clock) => {
    const { step } = clock;
    const cut = Math.max(1, Math.floor(total(clock) * cutFrac));
    const part = step < cut ? step / cut : Math.max(0, 1 - (step - cut) / (cut * (1 / cutFrac - 1)));
    return (1 + part * (ratio - 1)) / ratio;
  });
}
