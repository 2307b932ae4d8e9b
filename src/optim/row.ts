// A row of the layer table: a tensor's settings, and when it trains. What it has counted stands in counts.ts.
//
//   active    the rate applies; at rate 0 moments and counters still advance
//   resting   active, but written as zeros for some steps: a guard's doing
//   frozen    nothing is written, and it leaves the program; waiting is frozen before its `from`

import { OptionError } from "../errors.ts";
import { MOST_F32, shown } from "../option.ts";
import type { Counts } from "./counts.ts";
import type { Optimizer } from "./optimizer.ts";
import type { When } from "./rule.ts";
import { stepsIn } from "./schedule/clock.ts";
import type { Clock, Schedule, ScheduleSpec } from "./schedule.ts";

/** What all tensors of a layer usually share, and a tensor takes over from the layer that it is assigned to. */
export interface Settings {
  /** Base learning rate, before multiplier and schedule. */
  lr: number;
  multiplier: number;
  weightDecay: number;
  /** Decay of the running average of the weights. */
  averaging: number;
  schedule: Schedule;
  frozen: boolean;
  from: When | undefined;
  until: When | undefined;
}

export interface Row extends Settings {
  readonly name: string;
  /** The layer that made the tensor. */
  readonly home: string;
  readonly shape: readonly number[];
  readonly length: number;
  optimizer: Optimizer;
  /** The layer whose settings it has, and under which patterns find it. */
  layer: string;
}

/** What a checkpoint keeps of a row. */
export interface RowState {
  readonly lr: number;
  readonly multiplier: number;
  readonly weightDecay: number;
  readonly averaging: number;
  readonly frozen: boolean;
  readonly from?: When;
  readonly until?: When;
  readonly layer: string;
  readonly updates: number;
  readonly trained: number;
  readonly rest?: readonly [from: number, until: number];
  /** A schedule that was changed while training went on; "custom" where nothing describes it. */
  readonly schedule?: ScheduleSpec;
  /** The tensor from whose layer the schedule was taken. */
  readonly scheduleOf?: string;
}

/** The clock that all rows share. */
export type StepClock = Pick<Clock, "step" | "stepsPerEpoch">;

/** Whether a tensor trains: waiting is frozen before `from`, resting left alone by a guard. */
export type Phase = "active" | "resting" | "waiting" | "frozen";

/** How patterns find a tensor: by its own name at home, else below the layer that it was assigned to. The model itself has no name. */
export const addressOf = ({ name, home, layer }: Row): string =>
  layer === home || layer === "" ? name : `${layer}.${name}`;

/** The layers that made the tensors. */
export const layersOf = (rows: readonly Row[]): string[] => [...new Set(rows.map(({ home }) => home))];

/** What of the settings a checkpoint keeps as it is. */
export const settingKeys = ["lr", "multiplier", "weightDecay", "averaging", "frozen", "from", "until"] as const;

export const picked = <T, Key extends keyof T>(record: T, keys: readonly Key[]): Pick<T, Key> =>
  Object.fromEntries(keys.map((key) => [key, record[key]])) as Pick<T, Key>;

/** The first step at or after a point in training. */
export function stepOf(row: Row, when: When, clock: StepClock): number {
  if (typeof when === "number") return when;
  return (
    when.epochs && Math.ceil(stepsIn(`rates: "${row.name}" from or until ${when.epochs} epochs`, when.epochs, clock))
  );
}

/** `rests` are those of the layers. */
export function phaseOf(row: Row, clock: StepClock, rests: Counts["rests"]): Phase {
  if (row.frozen || (row.until !== undefined && clock.step >= stepOf(row, row.until, clock))) return "frozen";
  if (row.from !== undefined && clock.step < stepOf(row, row.from, clock)) return "waiting";
  const rest = rests.get(row.layer);
  return rest !== undefined && clock.step >= rest[0] && clock.step < rest[1] ? "resting" : "active";
}

const noRests: Counts["rests"] = new Map();

export function isFrozen(row: Row, clock: StepClock): boolean {
  const phase = phaseOf(row, clock, noRests);
  return phase === "frozen" || phase === "waiting";
}

/** The steps at which a row thaws or freezes by itself. */
export const turnsOf = (row: Row, clock: StepClock): number[] =>
  [row.from, row.until].flatMap((when) => (when === undefined ? [] : stepOf(row, when, clock)));

/** Whether it trains at a step or after it, as far as can be known without the length of an epoch. */
export const canTrain = ({ frozen, until }: Row, step: number): boolean =>
  !frozen && (typeof until !== "number" || until > step);

/** Refuses a row that would end before it begins. */
export function checkSpan(place: string, { name, from, until }: Row): void {
  if (from === undefined || until === undefined || typeof from !== typeof until) return;
  const [begin, end] = [from, until].map((when) => (typeof when === "number" ? when : when.epochs)) as [number, number];
  if (begin < end) return;
  throw new OptionError(
    `${place}: "${name}" would train from ${JSON.stringify(from)} until ${JSON.stringify(until)}. Give a "from" below "until".`,
  );
}

/** Refuses a rate of a step that is none in f32. */
export function checkRate({ name, lr, multiplier }: Row, rate: number, step: number): void {
  if (rate >= 0 && rate <= MOST_F32) return;
  throw new OptionError(
    `schedule: at step ${step + 1} the rate of "${name}" is ${shown(rate)}, it must be a finite number of at least 0 in f32. Look at what its schedule returns for lr ${lr} and multiplier ${multiplier}.`,
  );
}

/** Refuses a written row whose numbers are beyond f32, such as a rate of 1e38 that Adam's first step divides by 0.1. */
export function checkRow({ name, lr, weightDecay }: Row, table: Float32Array, at: number, step: number): void {
  let sum = 0;
  for (let i = at; i < at + 4; i++) sum += table[i] as number;
  if (Number.isFinite(sum)) return;
  throw new OptionError(
    `rates: at step ${step + 1} the update of "${name}" with lr ${lr} and weightDecay ${weightDecay} is beyond f32. Give smaller ones.`,
  );
}
