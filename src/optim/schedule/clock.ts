// What every schedule is made of: the clock it reads, how long it runs, and the checks of its options.

import { didYouMean, OptionError } from "../../errors.ts";

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
  readonly steps?: number;
  readonly epochs?: number;
}

const ranges = {
  "at least 0": (value: number) => value >= 0,
  "greater than 0": (value: number) => value > 0,
  "from 0 to 1": (value: number) => value >= 0 && value <= 1,
  "at least 0 and below 1": (value: number) => value >= 0 && value < 1,
  "between 0 and 1": (value: number) => value > 0 && value < 1,
  "a whole number of at least 0": (value: number) => Number.isSafeInteger(value) && value >= 0,
  "a whole number of at least 1": (value: number) => Number.isSafeInteger(value) && value >= 1,
};

/** Refuses the first of these options that is out of the range; NaN and what is no number are in none. */
export function check(place: string, range: keyof typeof ranges, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    const isNumber = typeof value === "number";
    if (isNumber && ranges[range](value)) continue;
    throw new OptionError(`${place}: ${name} is ${isNumber ? value : JSON.stringify(value)}, it must be ${range}.`);
  }
}

/** Refuses what is not a function, such as the number 0.5 in the place of a schedule. */
export function checkFunction(place: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new OptionError(`${place}: ${name} is ${JSON.stringify(value)}, it must be a function.`);
}

/** Refuses a name that is none of these. */
export function checkName(place: string, option: string, value: string, names: readonly string[]): void {
  if (names.includes(value)) return;
  throw new OptionError(
    `${place}: ${option} is ${JSON.stringify(value)}, it must be ${names.map((name) => `"${name}"`).join(" or ")}.${didYouMean(String(value), names)}`,
  );
}

/** Refuses what is not a list, such as the number 30 in the place of milestones. */
export function checkList(place: string, name: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw new OptionError(`${place}: ${name} is ${JSON.stringify(value)}, it must be a list.`);
}

/** Checks a span and returns what tells its length in steps. Where it names neither unit, `fallback` steps are meant. */
export function lengthOf(place: string, span: Span, fallback?: number): (clock: Clock) => number {
  const { epochs } = span;
  const steps = span.steps ?? (epochs === undefined ? fallback : undefined);
  const given = steps ?? epochs;
  if ((steps === undefined) === (epochs === undefined) || !(typeof given === "number" && given > 0)) {
    throw new OptionError(
      `${place}: steps is ${steps} and epochs is ${epochs}. Give exactly one of them, greater than 0.`,
    );
  }
  if (epochs === undefined) return () => given;
  return ({ stepsPerEpoch }) => {
    if (stepsPerEpoch !== undefined) return epochs * stepsPerEpoch;
    throw new OptionError(
      `${place}: epochs cannot be counted, since the data has no known length. Give steps instead.`,
    );
  };
}
