// Schedules that rise and fall: one cycle, and cycle after cycle; and the momentum that falls while the rate rises.

import { checkName, checkRange } from "../../option.ts";
import { type Resolved, resolved } from "../resolved.ts";
import { lengthOf, type MomentumSchedule, type Schedule, type Span, spanned } from "./clock.ts";
import { named } from "./spec.ts";

interface OneCycle extends Span {
  /** Part of the cycle in which the rate rises. Default 0.3. */
  readonly pctStart?: number;
  /** Default "cos". */
  readonly anneal?: "cos" | "linear";
  /** Down to the first rate as fast as up, and only then to the last one. Default false. */
  readonly threePhase?: boolean;
}

const shape = { pctStart: 0.3, anneal: "cos", threePhase: false };

/** From `first` to `top` and back to `last`, in three phases by way of `first`; there it holds. */
function once(
  place: string,
  options: OneCycle,
  { pctStart, anneal, threePhase }: Resolved<OneCycle, typeof shape>,
  [first, top, last]: readonly [number, number, number],
): Schedule {
  const length = lengthOf(place, options);
  checkRange(place, "between 0 and 1", { pctStart });
  checkName(place, "anneal", anneal, ["cos", "linear"]);
  const blend = (from: number, to: number, part: number): number =>
    anneal === "linear" ? from + (to - from) * part : to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
  return named(place, options, (clock) => {
    const total = length(clock);
    const up = { end: pctStart * total - 1, from: first, to: top };
    const phases = threePhase
      ? [up, { end: 2 * pctStart * total - 2, from: top, to: first }, { end: total - 1, from: first, to: last }]
      : [up, { end: total - 1, from: top, to: last }];
    let start = 0;
    for (const { end, from, to } of phases) {
      if (clock.step <= end) return end > start ? blend(from, to, (clock.step - start) / (end - start)) : to;
      start = end;
    }
    return last;
  });
}

export interface OneCycleOptions extends OneCycle {
  /** The first rate is base / divFactor. Default 25. */
  readonly divFactor?: number;
  /** The last rate is the first / finalDivFactor. Default 1e4. */
  readonly finalDivFactor?: number;
}

/**
 * One rise to the base rate and one fall (Smith and Topin 2018), as torch.optim.lr_scheduler.OneCycleLR with
 * max_lr = base; for its momentum see oneCycleMomentum. Past its end the last rate holds.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const all = spanned("oneCycle", options, { divFactor: 25, finalDivFactor: 1e4, ...shape });
  const { divFactor, finalDivFactor } = all;
  checkRange("oneCycle", "greater than 0", { divFactor, finalDivFactor });
  const first = 1 / divFactor;
  return once("oneCycle", options, all, [first, 1, first / finalDivFactor]);
}

export interface OneCycleMomentumOptions extends OneCycle {
  /** Momentum where the rate is highest. Default 0.85. */
  readonly baseMomentum?: number;
  /** Momentum at the start and at the end. Default 0.95. */
  readonly maxMomentum?: number;
}

/**
 * The momentum beside oneCycle, its mirror image: down from `maxMomentum` to `baseMomentum` while the rate rises, and back
 * up; in the third of three phases it stands. Give both the same length and shape. As the cycle_momentum of OneCycleLR.
 * Past its end the last momentum holds.
 */
export function oneCycleMomentum(options: OneCycleMomentumOptions): MomentumSchedule {
  const all = spanned("oneCycleMomentum", options, { baseMomentum: 0.85, maxMomentum: 0.95, ...shape });
  const { baseMomentum, maxMomentum } = all;
  checkRange("oneCycleMomentum", "at least 0 and below 1", { baseMomentum, maxMomentum });
  return once("oneCycleMomentum", options, all, [maxMomentum, baseMomentum, maxMomentum]);
}

/** By what the height of a cycle is scaled, of its number (from 0), the step and gamma. */
const heights = {
  triangular: () => 1,
  triangular2: (cycle: number) => 2 ** -cycle,
  expRange: (_cycle: number, step: number, gamma: number) => gamma ** step,
};

interface Cyclic {
  /** Steps of a rise of the rate. Default 2000. */
  readonly up?: number;
  /** Steps of a fall of the rate. Default `up`. */
  readonly down?: number;
  /** Whether the height stays, halves with each cycle, or shrinks by `gamma` with each step. Default "triangular". */
  readonly mode?: keyof typeof heights;
  /** Of "expRange". Default 1. */
  readonly gamma?: number;
}

const waves = { up: 2000, down: undefined, mode: "triangular", gamma: 1 };

/** From `first` towards `top` and back, over and over. */
function overAndOver(
  place: string,
  options: Cyclic,
  { up, down = up, mode, gamma }: Resolved<Cyclic, typeof waves>,
  [first, top]: readonly [number, number],
): Schedule {
  checkRange(place, "greater than 0", { up, down });
  checkRange(place, "at least 0", { gamma });
  checkName(place, "mode", mode, Object.keys(heights));
  const scale = heights[mode];
  return named(place, options, ({ step }) => {
    const cycle = Math.floor(step / (up + down));
    const into = step - cycle * (up + down);
    const height = into <= up ? into / up : (up + down - into) / down;
    return first + (top - first) * height * scale(cycle, step, gamma);
  });
}

export interface CyclicOptions extends Cyclic {
  /** Factor at which a cycle begins and ends: PyTorch's base_lr / max_lr. */
  readonly floor: number;
}

/**
 * floor + (1 - floor) h s, where h goes from 0 to 1 in `up` steps and back in `down`, over and over, and s is 1, 2^-cycle
 * or gamma^t (Smith 2017). As CyclicLR, but the base rate is its max_lr; for its momentum see cyclicMomentum.
 */
export function cyclicLR(options: CyclicOptions): Schedule {
  const all = resolved("cyclicLR", options, { floor: undefined, ...waves }, "cyclicLR({ floor: 0.1, up: 2000 })");
  checkRange("cyclicLR", "from 0 to 1", { floor: all.floor });
  return overAndOver("cyclicLR", options, all, [all.floor, 1]);
}

export interface CyclicMomentumOptions extends Cyclic {
  /** Momentum where the rate of a full cycle is highest. Default 0.8. */
  readonly baseMomentum?: number;
  /** Momentum at which a cycle begins and ends. Default 0.9. */
  readonly maxMomentum?: number;
}

/**
 * The momentum beside cyclicLR: max - (max - base) h s, with the h and s of the same `up`, `down`, `mode` and `gamma`. As
 * the cycle_momentum of CyclicLR.
 */
export function cyclicMomentum(options: CyclicMomentumOptions = {}): MomentumSchedule {
  const all = resolved("cyclicMomentum", options, { baseMomentum: 0.8, maxMomentum: 0.9, ...waves });
  const { baseMomentum, maxMomentum } = all;
  checkRange("cyclicMomentum", "at least 0 and below 1", { baseMomentum, maxMomentum });
  return overAndOver("cyclicMomentum", options, all, [maxMomentum, baseMomentum]);
}
