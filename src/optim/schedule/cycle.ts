// Schedules that rise and fall: one cycle, and cycle after cycle. Momentum is not cycled.

import { OptionError } from "../../errors.ts";
import { check, lengthOf, type Schedule, type Span } from "./clock.ts";

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
  const length = lengthOf("oneCycle", options);
  check("oneCycle", "between 0 and 1", { pctStart });
  check("oneCycle", "greater than 0", { divFactor, finalDivFactor });
  if (anneal !== "cos" && anneal !== "linear") {
    throw new OptionError(`oneCycle: anneal is "${anneal}", it must be "cos" or "linear".`);
  }
  const first = 1 / divFactor;
  const last = first / finalDivFactor;
  const blend = (from: number, to: number, part: number): number =>
    anneal === "linear" ? from + (to - from) * part : to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
  return (clock) => {
    const total = length(clock);
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

/** By what the height of a cycle is scaled, of its number (from 0), the step and gamma. */
const heights = {
  triangular: () => 1,
  triangular2: (cycle: number) => 2 ** -cycle,
  expRange: (_cycle: number, step: number, gamma: number) => gamma ** step,
};

export interface CyclicOptions {
  /** Factor at which a cycle begins and ends: PyTorch's base_lr / max_lr. */
  readonly floor: number;
  /** Steps of a rise. Default 2000. */
  readonly up?: number;
  /** Steps of a fall. Default `up`. */
  readonly down?: number;
  /** Whether the height stays, halves with each cycle, or shrinks by `gamma` with each step. Default "triangular". */
  readonly mode?: keyof typeof heights;
  /** Of "expRange". Default 1. */
  readonly gamma?: number;
}

/**
 * floor + (1 - floor) h s, where h goes from 0 to 1 in `up` steps and back in `down`, over and over, and s is 1, 2^-cycle
 * or gamma^t (Smith 2017). As CyclicLR, but the base rate is its max_lr, and the momentum is not cycled.
 */
export function cyclicLR({ floor, up = 2000, down = up, mode = "triangular", gamma = 1 }: CyclicOptions): Schedule {
  check("cyclicLR", "from 0 to 1", { floor });
  check("cyclicLR", "greater than 0", { up, down });
  check("cyclicLR", "at least 0", { gamma });
  if (!Object.hasOwn(heights, mode)) {
    const names = Object.keys(heights).map((name) => `"${name}"`);
    throw new OptionError(`cyclicLR: mode is "${mode}", it must be one of ${names.join(", ")}.`);
  }
  const scale = heights[mode];
  return ({ step }) => {
    const cycle = Math.floor(step / (up + down));
    const into = step - cycle * (up + down);
    const height = into <= up ? into / up : (up + down - into) / down;
    return floor + (1 - floor) * height * scale(cycle, step, gamma);
  };
}
