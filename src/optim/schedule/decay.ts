// Schedules that hold, drop, fade or follow a function: the simple ones of torch.optim.lr_scheduler, in closed form.
// In the formulas t is the step, T the length in steps.

import { checkFunction, checkList, checkRange, resolved } from "../../option.ts";
import type { Schedule, Span } from "./clock.ts";
import { schedule } from "./spec.ts";
import { timed } from "./timed.ts";

/** The base rate throughout. Throws OptionError for a rate, which is a layer's `lr`. */
export const constant = schedule("constant", (options: Readonly<Record<string, never>> = {}): Schedule => {
  resolved("constant", options, {}, "constant(), and the rate as lr");
  return () => 1;
});

/** factor(t). As LambdaLR. */
export function lambdaLR(factor: (step: number) => number): Schedule {
  checkFunction("lambdaLR", "the factor", factor);
  return ({ step }) => factor(step);
}

/**
 * factor(1) * factor(2) * ... * factor(t). As MultiplicativeLR. The product so far is kept, so `factor` must depend on
 * its step alone.
 */
export function multiplicativeLR(factor: (step: number) => number): Schedule {
  checkFunction("multiplicativeLR", "the factor", factor);
  let reached = 0;
  let product = 1;
  return ({ step }) => {
    if (step < reached) {
      reached = 0;
      product = 1;
    }
    while (reached < step) product *= factor(++reached);
    return product;
  };
}

/** How long the factor holds; default 5 steps. */
export interface ConstantOptions extends Span {
  /** Default 1/3. */
  readonly factor?: number;
}

/** factor where t < T, then 1. As ConstantLR. */
export const constantLR: (options?: ConstantOptions) => Schedule = timed<ConstantOptions>(
  "constantLR",
  () => ({ factor: [1 / 3, "from 0 to 1"] }),
  ({ factor }, t, total) => (t < total ? factor : 1),
  5,
);

/** How long the change takes; default 5 steps. */
export interface LinearOptions extends Span {
  /** Factor at step 0. Default 1/3. */
  readonly startFactor?: number;
  /** Factor from the end on. Default 1. */
  readonly endFactor?: number;
}

/** start + (end - start) * min(T, t) / T. As LinearLR, which divides by zero where it starts at 0. */
export const linearLR: (options?: LinearOptions) => Schedule = timed<LinearOptions>(
  "linearLR",
  () => ({ startFactor: [1 / 3, "from 0 to 1"], endFactor: [1, "from 0 to 1"] }),
  ({ startFactor, endFactor }, t, total) => startFactor + (endFactor - startFactor) * Math.min(1, t / total),
  5,
);

/** How long the fall to 0 takes; default 5 steps. */
export interface PolynomialOptions extends Span {
  /** Default 1. */
  readonly power?: number;
}

/** (1 - min(T, t) / T)^power. As PolynomialLR. */
export const polynomialLR: (options?: PolynomialOptions) => Schedule = timed<PolynomialOptions>(
  "polynomialLR",
  () => ({ power: [1, "at least 0"] }),
  ({ power }, t, total) => (1 - Math.min(1, t / total)) ** power,
  5,
);

/** In how long the rate falls by `gamma`; default 1 step. */
export interface ExponentialOptions extends Span {
  /** Factor of a whole span, at least 0. */
  readonly gamma: number;
}

/** gamma^(t / T). As ExponentialLR where T is 1 step; smooth where it is longer, for a drop now and then see stepLR. */
export const exponentialLR: (options: ExponentialOptions) => Schedule = timed<ExponentialOptions>(
  "exponentialLR",
  () => ({ gamma: [undefined, "at least 0"] }),
  ({ gamma }, t, total) => gamma ** (t / total),
  1,
);

/** How long a rate holds before it drops. */
export interface StepOptions extends Span {
  /** Factor of a drop. Default 0.1. */
  readonly gamma?: number;
}

/** gamma^floor(t / T). As StepLR with step_size T. */
export const stepLR: (options: StepOptions) => Schedule = timed<StepOptions>(
  "stepLR",
  () => ({ gamma: [0.1, "at least 0"] }),
  ({ gamma }, t, total) => gamma ** Math.floor(t / total),
);

/** Options of `multiStepLR`. */
export interface MultiStepOptions {
  /** Steps at which the rate drops; one that is listed twice drops it twice. */
  readonly milestones: readonly number[];
  /** Factor of a drop. Default 0.1. */
  readonly gamma?: number;
}

/** gamma^(number of milestones <= t). As MultiStepLR. */
export const multiStepLR = schedule("multiStepLR", (options: MultiStepOptions): Schedule => {
  const table = { milestones: [undefined, milestonesEntry], gamma: [0.1, "at least 0"] } as const;
  const { milestones, gamma } = resolved("multiStepLR", options, table, "multiStepLR({ milestones: [30, 60] })");
  return ({ step }) => gamma ** milestones.filter((milestone) => milestone <= step).length;
});

function milestonesEntry(place: string, name: string, milestones: unknown): void {
  checkList(place, name, milestones);
  for (const [i, milestone] of (milestones as unknown[]).entries()) {
    checkRange(place, "a whole number of at least 0", { [`${name}[${i}]`]: milestone });
  }
}
