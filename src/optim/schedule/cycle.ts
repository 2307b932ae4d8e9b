// Schedules that rise and fall: one cycle, and cycle after cycle; and the momentum that falls while the rate rises.

import { checkRange, type Resolved, resolved } from "../../option.ts";
import type { MomentumSchedule, Schedule, Span } from "./clock.ts";
import { schedule } from "./spec.ts";
import { timed } from "./timed.ts";

/** What `oneCycle` and its momentum have in common. */
interface OneCycle extends Span {
  /** Part of the cycle in which the rate rises. Default 0.3. */
  readonly pctStart?: number;
  /** Default "cos". */
  readonly anneal?: "cos" | "linear";
  /** Down to the first rate as fast as up, and only then to the last one. Default false. */
  readonly threePhase?: boolean;
}

const momentum = "at least 0 and below 1";
const shape = { pctStart: [0.3, "between 0 and 1"], anneal: ["cos", ["cos", "linear"]], threePhase: [false] } as const;

/** From `first` to `top` and back to `last`, in three phases by way of `first`; there it holds. */
function once(
  { pctStart, anneal, threePhase }: Resolved<OneCycle, typeof shape>,
  [t, total]: readonly [number, number],
  [first, top, last]: readonly [number, number, number],
): number {
  const blend = (from: number, to: number, part: number): number =>
    anneal === "linear" ? from + (to - from) * part : to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;
  const up = { end: pctStart * total - 1, from: first, to: top };
  const phases = threePhase
    ? [up, { end: 2 * pctStart * total - 2, from: top, to: first }, { end: total - 1, from: first, to: last }]
    : [up, { end: total - 1, from: top, to: last }];
  let start = 0;
  for (const { end, from, to } of phases) {
    if (t <= end) return end > start ? blend(from, to, (t - start) / (end - start)) : to;
    start = end;
  }
  return last;
}

/** Options of `oneCycle`. */
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
export const oneCycle: (options: OneCycleOptions) => Schedule = timed<OneCycleOptions>(
  "oneCycle",
  () => ({ divFactor: [25, "greater than 0"], finalDivFactor: [1e4, "greater than 0"], ...shape }),
  ({ divFactor, finalDivFactor, ...all }, ...time) =>
    once(all, time, [1 / divFactor, 1, 1 / divFactor / finalDivFactor]),
);

/** Options of `oneCycleMomentum`. */
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
export const oneCycleMomentum: (options: OneCycleMomentumOptions) => MomentumSchedule = timed<OneCycleMomentumOptions>(
  "oneCycleMomentum",
  () => ({ baseMomentum: [0.85, momentum], maxMomentum: [0.95, momentum], ...shape }),
  ({ baseMomentum, maxMomentum, ...all }, ...time) => once(all, time, [maxMomentum, baseMomentum, maxMomentum]),
);

/** By what the height of a cycle is scaled, of its number (from 0), the step and gamma. */
const heights = {
  triangular: () => 1,
  triangular2: (cycle: number) => 2 ** -cycle,
  expRange: (_cycle: number, step: number, gamma: number) => gamma ** step,
};

/** What `cyclicLR` and its momentum have in common. */
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

const waves = () =>
  ({
    up: [2000, "greater than 0"],
    down: [],
    mode: ["triangular", Object.keys(heights)],
    gamma: [1, "at least 0"],
  }) as const;

/** From `first` towards `top` and back, over and over. */
function overAndOver(
  place: string,
  { up, down = up, mode, gamma }: Resolved<Cyclic, ReturnType<typeof waves>>,
  [first, top]: readonly [number, number],
): Schedule {
  checkRange(place, "greater than 0", { down });
  const scale = heights[mode];
  return ({ step }) => {
    const cycle = Math.floor(step / (up + down));
    const into = step - cycle * (up + down);
    const height = into <= up ? into / up : (up + down - into) / down;
    return first + (top - first) * height * scale(cycle, step, gamma);
  };
}

/** Options of `cyclicLR`. */
export interface CyclicOptions extends Cyclic {
  /** Factor at which a cycle begins and ends: PyTorch's base_lr / max_lr. */
  readonly floor: number;
}

/**
 * floor + (1 - floor) h s, where h goes from 0 to 1 in `up` steps and back in `down`, over and over, and s is 1, 2^-cycle
 * or gamma^t (Smith 2017). As CyclicLR, but the base rate is its max_lr; for its momentum see cyclicMomentum.
 */
export const cyclicLR = schedule("cyclicLR", (options: CyclicOptions): Schedule => {
  const table = { floor: [undefined, "from 0 to 1"], ...waves() } as const;
  const all = resolved("cyclicLR", options, table, "cyclicLR({ floor: 0.1, up: 2000 })");
  return overAndOver("cyclicLR", all, [all.floor, 1]);
});

/** Options of `cyclicMomentum`. */
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
export const cyclicMomentum = schedule("cyclicMomentum", (options: CyclicMomentumOptions = {}): MomentumSchedule => {
  const table = { baseMomentum: [0.8, momentum], maxMomentum: [0.9, momentum], ...waves() } as const;
  const all = resolved("cyclicMomentum", options, table);
  return overAndOver("cyclicMomentum", all, [all.maxMomentum, all.baseMomentum]);
});
