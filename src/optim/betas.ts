// The decays of two running means, and what they lack at the start: what the rules of the Adam family have in common.

import type { RowNumber } from "./optimizer.ts";
import { decays, noDecay, normal, type RuleOptions } from "./rule-options.ts";

/** Options of update rules with two running means. */
export interface BetaOptions extends RuleOptions {
  /** Decays of the running means. */
  readonly betas?: readonly [number, number];
}

/** Their options, as a table. */
export const adamLike = {
  betas: decays(0.9, 0.999),
  eps: normal(1e-8),
  ...noDecay,
} as const;
/** 1 - beta^t from the integer t in f64: the same bits after a resume, and exact at t = 1. */
export const oneMinusPower = (beta: number, t: number): number => -Math.expm1(t * Math.log(beta));

/** The rate over what the mean of the gradients lacks at the start. */
export const meanScale =
  ([beta1]: Betas): RowNumber =>
  (rate, t, momentum = beta1) =>
    rate / oneMinusPower(momentum, t);

/** One over the root of what the mean of the squares lacks at the start. */
export const squareScale =
  ([, beta2]: Betas): RowNumber =>
  (_, t) =>
    1 / Math.sqrt(oneMinusPower(beta2, t));

type Betas = readonly [number, number];

/** The decays of two running means; 1 - beta comes from f64, since 1 - 0.999 in f32 is off by 1e-5. */
export const betaConstants = ([beta1, beta2]: Betas, eps: number): Readonly<Record<string, number>> => ({
  BETA1: beta1,
  BETA2: beta2,
  ONE_MINUS_BETA1: 1 - beta1,
  ONE_MINUS_BETA2: 1 - beta2,
  EPSILON: eps,
});
