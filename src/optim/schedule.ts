// Learning-rate schedules: pure functions from the clock to a factor on the base rate, computed on the host in f64.

import { OptionError } from "../errors.ts";

export interface Clock {
  /** Updates made so far: 0 at the first one. */
  readonly step: number;
  /** Steps of an epoch; absent for data of unknown length. */
  readonly stepsPerEpoch: number | undefined;
}

export type Schedule = (clock: Clock) => number;

/** How long a schedule runs: give one of the two. */
export interface Span {
  readonly steps?: number;
  readonly epochs?: number;
}

/** The base rate throughout. */
export const constant = (): Schedule => () => 1;

export interface WarmupCosineOptions extends Span {
  /** Steps in which the rate rises from 0 to the base. */
  readonly warmup: number;
  /** Factor that is held in the end. Default 0. */
  readonly floor?: number;
}

/** Linear from 0 over `warmup` steps, then half a cosine down to `floor` at the end (Loshchilov and Hutter 2017). */
export function warmupCosine(options: WarmupCosineOptions): Schedule {
  const { warmup, floor = 0 } = options;
  checkSpan("warmupCosine", options);
  if (!(warmup >= 0)) throw new OptionError(`warmupCosine: warmup is ${warmup}, it must be at least 0.`);
  if (!(floor >= 0 && floor <= 1)) throw new OptionError(`warmupCosine: floor is ${floor}, it must be from 0 to 1.`);
  return (clock) => {
    const { step } = clock;
    const total = length("warmupCosine", options, clock);
    if (step < warmup) return step / warmup;
    const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
    return floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}

export interface OneCycleOptions extends Span {
  /** Part of the cycle in which the rate rises. Default 0.3. */
  readonly pctStart?: number;
  /** The first rate is base / divFactor. Default 25. */
  readonly divFactor?: number;
  /** The last rate is the first / finalDivFactor. Default 1e4. */
  readonly finalDivFactor?: number;
  /** Default "cos". */
  readonly anneal?: "cos" | "linear";
  /** Down to the first rate as fast as up, and only then to the last one. Default false. */
  readonly threePhase?: boolean;
}

/**
 * One rise to the base rate and one fall (Smith and Topin 2018), as torch.optim.lr_scheduler.OneCycleLR with
 * max_lr = base; the momentum is not cycled. Past its end the last rate holds.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, anneal = "cos", threePhase = false } = options;
  checkSpan("oneCycle", options);
  if (!(pctStart > 0 && pctStart < 1)) {
    throw new OptionError(`oneCycle: pctStart is ${pctStart}, it must be between 0 and 1.`);
  }
  for (const [name, factor] of Object.entries({ divFactor, finalDivFactor })) {
    if (!(factor > 0)) throw new OptionError(`oneCycle: ${name} is ${factor}, it must be greater than 0.`);
  }
  if (anneal !== "cos" && anneal !== "linear") {
    throw new OptionError(`oneCycle: anneal is "${anneal}", it must be "cos" or "linear".`);
  }
  const first = 1 / divFactor;
  const last = first / finalDivFactor;
  const blend = (from: number, to: number, part: number): number =>
    anneal === "linear" ? from + (to - from) * part : to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
  return (clock) => {
    const total = length("oneCycle", options, clock);
    const up = { end: pctStart * total - 1, from: first, to: 1 };
    const phases = threePhase
      ? [up, { end: 2 * pctStart * total - 2, from: 1, to: first }, { end: total - 1, from: first, to: last }]
      : [up, { end: total - 1, from: 1, to: last }];
    let start = 0;
    for (const { end, from, to } of phases) {
      if (clock.step <= end) return end > start ? blend(from, to, (clock.step - start) / (end - start)) : to;
      start = end;
    }
    return last;
  };
}

function checkSpan(place: string, { steps, epochs }: Span): void {
  const given = steps ?? epochs;
  if ((steps === undefined) === (epochs === undefined) || !(given !== undefined && given > 0)) {
    throw new OptionError(
      `${place}: steps is ${steps} and epochs is ${epochs}. Give exactly one of them, greater than 0.`,
    );
  }
}

function length(place: string, { steps, epochs }: Span, { stepsPerEpoch }: Clock): number {
  if (steps !== undefined) return steps;
  if (stepsPerEpoch === undefined) {
    throw new OptionError(
      `${place}: epochs cannot be counted, since the data has no known length. Give steps instead.`,
    );
  }
  return (epochs as number) * stepsPerEpoch;
}
