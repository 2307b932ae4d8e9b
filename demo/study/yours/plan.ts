// What the study of the page asks: after how many steps, in which way and at which rates, DoodleNet knows a few classes of ten examples
// each. Plain data, for the command and for where it trains.

import type { Judged } from "../../yours/given.ts";
import { type Plan, type Rates, type WayName, wayNames } from "../../yours/plan.ts";

/** The bytes of files by their paths in demo/data.json. */
export type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** One training. */
export interface Trial extends Plan {
  readonly steps: number;
  /** Steps from one judgement to the next. */
  readonly every: number;
  readonly learnt: Judged;
  readonly others: Judged;
}

export interface Point {
  readonly step: number;
  /** Of training, compiling included, judging not. */
  readonly seconds: number;
  /** Part of the others that it knows. */
  readonly accuracy: number;
}

export const tasks = {
  digits: { title: "five digits, ten examples each", others: 500 },
  drawings: { title: "three kinds of drawings, ten examples each", others: 600 },
} as const;
export type TaskName = keyof typeof tasks;

/** What is tried in each way: the base rate, and the parts of it below the head and at the input. */
const alone = 20;
const tried: Readonly<Record<WayName, readonly Rates[]>> = {
  head: [0.003, 0.01, 0.03].map((lr) => ({ lr, body: 0, first: 1, alone })),
  layers: [
    { lr: 0.01, body: 0.03, first: 0.1, alone },
    { lr: 0.01, body: 0.1, first: 0.1, alone },
    { lr: 0.01, body: 0.1, first: 1, alone },
    { lr: 0.01, body: 0.3, first: 0.1, alone },
  ],
  scratch: [0.0003, 0.001, 0.003].map((lr) => ({ lr, body: 1, first: 1, alone: 0 })),
};

export interface Asked extends Rates {
  readonly task: TaskName;
  readonly way: WayName;
  readonly seed: number;
}

export interface Budget {
  readonly steps: number;
  readonly every: number;
  readonly asked: readonly Asked[];
}

/** All that is asked of so many seeds; `quick` has one rate of each way, and steps that mean nothing. */
export function budgetOf(seeds: number, quick: boolean): Budget {
  const asked = (Object.keys(tasks) as TaskName[]).flatMap((task) =>
    [...Array(seeds).keys()].flatMap((seed) =>
      wayNames.flatMap((way) =>
        tried[way].slice(0, quick ? 1 : undefined).map((rates) => ({ task, way, seed, ...rates })),
      ),
    ),
  );
  return quick ? { steps: 2, every: 1, asked } : { steps: 60, every: 20, asked };
}
