// What every schedule is made of: the clock it reads, and how long it runs.

import { OptionError } from "../../errors.ts";
import { shown } from "../../option.ts";

/** Where a run stands when a schedule is asked. */
export interface Clock {
  /** Updates made so far: 0 at the first one. */
  readonly step: number;
  /** Updates that this layer has had since it last began to train. */
  readonly updates: number;
  /** Steps of an epoch; absent for data of unknown length. */
  readonly stepsPerEpoch: number | undefined;
}

/** The factor on a layer's base rate. */
export type Schedule = (clock: Clock) => number;

/** The momentum itself, at least 0 and below 1: SGD's and RMSprop's momentum, the first of Adam's betas. */
export type MomentumSchedule = (clock: Clock) => number;

/** How long a schedule runs: give one of the two. */
export interface Span {
  /** In updates, greater than 0. */
  readonly steps?: number;
  /** In epochs, greater than 0; fractions too. */
  readonly epochs?: number;
}

/** Checks a span and returns what tells its length in steps. Where it names neither unit, `fallback` steps are meant. */
export function lengthOf(place: string, options: Span, fallback?: number): (clock: Clock) => number {
  const { epochs } = options;
  // What JSON makes of NaN is no missing length.
  const steps = options.steps === undefined && epochs === undefined ? fallback : options.steps;
  const given = steps ?? epochs;
  if ((steps === undefined) === (epochs === undefined) || !(typeof given === "number" && given > 0)) {
    throw new OptionError(
      `${place}: steps is ${shown(steps)} and epochs is ${shown(epochs)}. Give exactly one of them, greater than 0.`,
    );
  }
  if (epochs === undefined) return () => given;
  return (clock) => stepsIn(place, epochs, clock);
}

/** Steps of so many epochs. Throws OptionError where nobody knows how long one is. */
export function stepsIn(place: string, epochs: number, { stepsPerEpoch }: Pick<Clock, "stepsPerEpoch">): number {
  if (stepsPerEpoch !== undefined) return epochs * stepsPerEpoch;
  throw new OptionError(`${place}: epochs cannot be counted, since the data has no known length. Give steps instead.`);
}
