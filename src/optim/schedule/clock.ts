// What every schedule is made of: the clock it reads, how long it runs, and the checks of its options.

import { OptionError } from "../../errors.ts";

export interface Clock {
  /** Updates made so far: 0 at the first one. */
  readonly step: number;
  /** Steps of an epoch; absent for data of unknown length. */
  readonly stepsPerEpoch: number | undefined;
  /** Updates that this layer has had since it last began to train. */
  readonly updates?: number;
}

export type Schedule = (clock: Clock) => number;

/** How long a schedule runs: give one of the two. */
export interface Span {
  readonly steps?: number;
  readonly epochs?: number;
}

const ranges = {
  "at least 0": (value: number) => value >= 0,
  "greater than 0": (value: number) => value > 0,
  "from 0 to 1": (value: number) => value >= 0 && value <= 1,
  "between 0 and 1": (value: number) => value > 0 && value < 1,
  "a whole number of at least 0": (value: number) => Number.isSafeInteger(value) && value >= 0,
  "a whole number of at least 1": (value: number) => Number.isSafeInteger(value) && value >= 1,
};

/** Refuses the first of these options that is out of the range; NaN is in none. */
export function check(place: string, range: keyof typeof ranges, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!ranges[range](value)) throw new OptionError(`${place}: ${name} is ${value}, it must be ${range}.`);
  }
}

/** Refuses what is not a function, such as the number 0.5 in the place of a schedule. */
export function checkFunction(place: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new OptionError(`${place}: ${name} is ${JSON.stringify(value)}, it must be a function.`);
}

/** Checks a span and returns what tells its length in steps. Where it names neither unit, `fallback` steps are meant. */
export function lengthOf(place: string, span: Span, fallback?: number): (clock: Clock) => number {
  const { epochs } = span;
  const steps = span.steps ?? (epochs === undefined ? fallback : undefined);
  const given = steps ?? epochs;
  if ((steps === undefined) === (epochs === undefined) || !(given !== undefined && given > 0)) {
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
