// What the race is asked on the tasks of the study: copies that begin where the six ways begin, each with rates drawn for what these ways tell
// apart, the first layer, the head, and what lies between. Plain data, for the command and for its page.

import { type Budget, full, quick, type Task } from "../plan.ts";

/** Rates that are drawn from, down to where a layer rests. */
const ranges = { "**": [1e-5, 1e-1], conv1: [1e-5, 1e-1], head: [1e-3, 1e-1] } as const;

export interface RaceBudget extends Budget {
  readonly copies: number;
  readonly ranges: typeof ranges;
  /** How many times the copies are compared, on the images of the validation part. */
  readonly rungs: number;
}

/** As many trainings at once as a sweep of one of the six ways has one after the other, and more. */
export const fullRace: RaceBudget = { ...full, copies: 16, ranges, rungs: 5 };
export const quickRace: RaceBudget = { ...quick, copies: 4, ranges, rungs: 2 };

/** One race. */
export interface Asked {
  readonly task: Task;
  readonly seed: number;
  readonly budget: RaceBudget;
}

/** What came of one. */
export interface Raced {
  /** Of the winner, on the test images, which no race saw. */
  readonly accuracy: number;
  /** Updates that each copy made. */
  readonly steps: number;
  /** The rates with which its weights were trained: one line for each time that it followed another. */
  readonly lineage: readonly {
    readonly step: number;
    readonly copy: number;
    readonly conv1: number;
    readonly body: number;
    readonly head: number;
  }[];
}
