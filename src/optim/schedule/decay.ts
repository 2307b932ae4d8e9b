// Schedules that hold, drop, fade or follow a function: the simple ones of torch.optim.lr_scheduler, in closed form.
// In the formulas t is the step, T the length in steps.

import { checkFunction, checkList, checkRange } from "../../option.ts";
import { resolved } from "../resolved.ts";
import { lengthOf, type Schedule, type Span, spanned } from "./clock.ts";
import { named } from "./spec.ts";

/** The base rate throughout. Throws OptionError for a rate, which is a layer's `lr`. */
export function constant(options: Readonly<Record<string, never>> = {}): Schedule {
  resolved("constant", options, {}, "constant(), and the rate as lr");
  return named("constant", {}, () => 1);
}

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
export function constantLR(options: ConstantOptions = {}): Schedule {
  const { factor } = spanned("constantLR", options, { factor: 1 / 3 });
  const total = lengthOf("constantLR", options, 5);
  checkRange("constantLR", "from 0 to 1", { factor });
  return named("constantLR", options, (clock) => (clock.step < total(clock) ? factor : 1));
}

/** How long the change takes; default 5 steps. */
export interface LinearOptions extends Span {
  /** Factor at step 0. Default 1/3. */
  readonly startFactor?: number;
  /** Factor from the end on. Default 1. */
  readonly endFactor?: number;
}

/** start + (end - start) * min(T, t) / T. As LinearLR, which divides by zero where it starts at 0. */
export function linearLR(options: LinearOptions = {}): Schedule {
  const { startFactor, endFactor } = spanned("linearLR", options, { startFactor: 1 / 3, endFactor: 1 });
  const total = lengthOf("linearLR", options, 5);
  checkRange("linearLR", "from 0 to 1", { startFactor, endFactor });
  return named(
    "linearLR",
    options,
    (clock) => startFactor + (endFactor - startFactor) * Math.min(1, clock.step / total(clock)),
  );
}

/** How long the fall to 0 takes; default 5 steps. */
export interface PolynomialOptions extends Span {
  /** Default 1. */
  readonly power?: number;
}

/** (1 - min(T, t) / T)^power. As PolynomialLR. */
export function polynomialLR(options: PolynomialOptions = {}): Schedule {
  const { power } = spanned("polynomialLR", options, { power: 1 });
  const total = lengthOf("polynomialLR", options, 5);
  checkRange("polynomialLR", "at least 0", { power });
  return named("polynomialLR", options, (clock) => (1 - Math.min(1, clock.step / total(clock))) ** power);
}

/** In how long the rate falls by `gamma`; default 1 step. */
export interface ExponentialOptions extends Span {
  readonly gamma: number;
}

/** gamma^(t / T). As ExponentialLR where T is 1 step; smooth where it is longer, for a drop now and then see stepLR. */
export function exponentialLR(options: ExponentialOptions): Schedule {
  const { gamma } = spanned("exponentialLR", options, { gamma: undefined });
  const period = lengthOf("exponentialLR", options, 1);
  checkRange("exponentialLR", "at least 0", { gamma });
  return named("exponentialLR", options, (clock) => gamma ** (clock.step / period(clock)));
}

/** How long a rate holds before it drops. */
export interface StepOptions extends Span {
  /** Factor of a drop. Default 0.1. */
  readonly gamma?: number;
}

/** gamma^floor(t / T). As StepLR with step_size T. */
export function stepLR(options: StepOptions): Schedule {
  const { gamma } = spanned("stepLR", options, { gamma: 0.1 });
  const period = lengthOf("stepLR", options);
  checkRange("stepLR", "at least 0", { gamma });
  return named("stepLR", options, (clock) => gamma ** Math.floor(clock.step / period(clock)));
}

export interface MultiStepOptions {
  /** Steps at which the rate drops; one that is listed twice drops it twice. */
  readonly milestones: readonly number[];
  /** Factor of a drop. Default 0.1. */
  readonly gamma?: number;
}

/** gamma^(number of milestones <= t). As MultiStepLR. */
export function multiStepLR(options: MultiStepOptions): Schedule {
  const example = "multiStepLR({ milestones: [30, 60] })";
  const { milestones, gamma } = resolved("multiStepLR", options, { milestones: undefined, gamma: 0.1 }, example);
  checkList("multiStepLR", "milestones", milestones);
  for (const [i, milestone] of milestones.entries()) {
    checkRange("multiStepLR", "a whole number of at least 0", { [`milestones[${i}]`]: milestone });
  }
  checkRange("multiStepLR", "at least 0", { gamma });
  return named(
    "multiStepLR",
    options,
    ({ step }) => gamma ** milestones.filter((milestone) => milestone <= step).length,
  );
}
