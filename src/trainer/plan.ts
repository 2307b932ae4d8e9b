// The plan of a batch: from where training stands to the values of its step, the rows of the layer table and the standing after
// it. Nothing is changed but the table that is handed in, so a schedule may throw here without harm.

import { OptionError } from "../errors.ts";
import type { Noise } from "../kernels/control.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Clock, MomentumSchedule } from "../optim/schedule.ts";
import { describeRows } from "../optim/statistics.ts";
import type { Program } from "../step/program.ts";
import type { StepValues } from "../step/replay.ts";
import type { Sent } from "./ledger.ts";
import type { Settings } from "./options.ts";
import type { Standing } from "./standing.ts";

/** A batch as it lies in its source. */
export interface PlannedBatch {
  /** First entry of the order, and samples from there. */
  readonly start: number;
  readonly count: number;
  /** Its part in an update of several batches. */
  readonly micro?: NonNullable<StepValues["micro"]> | undefined;
  /** Whether the place in the data moves on. */
  readonly moves: boolean;
}

export interface Planner {
  readonly rates: RateTable;
  readonly momentum: MomentumSchedule | undefined;
  readonly stepsPerEpoch: number | undefined;
  /** Whether the program gives a row a gradient, and what it tells. */
  readonly program: Pick<Program, "takesPart" | "labels" | "reports">;
  /** Every so many updates leave statistics. */
  readonly every?: number | undefined;
  readonly noise?: Noise | undefined;
}

export function planBatch(
  { rates, momentum, stepsPerEpoch, program, every, noise }: Planner,
  standing: Standing,
  { start, count, micro, moves }: PlannedBatch,
  table: Float32Array,
): Sent {
  const { step, draws, place, counts, into } = standing;
  const clock = { step, stepsPerEpoch, updates: step };
  const applied = micro?.last !== false;
  const moved = momentumAt(momentum, clock);
  const after: Standing = {
    step: step + (applied ? 1 : 0),
    draws: draws + 1,
    place: moves ? { ...place, position: place.position + 1 } : place,
    into: applied ? 0 : into + 1,
    counts: applied ? rates.plan(clock, counts, program.takesPart, table, moved) : counts,
  };
  const sampled = every !== undefined && (step + 1) % every === 0;
  const describe = sampled && applied ? describeRows(rates, clock, counts, noise) : undefined;
  const values = { step: step + 1, start, count, momentum: moved, micro, sampled, draw: after.draws };
  return { values, after, describe, telling: program };
}

function momentumAt(momentum: MomentumSchedule | undefined, clock: Clock): number | undefined {
  if (momentum === undefined) return undefined;
  const value = momentum(clock);
  if (value >= 0 && value < 1) return value;
  throw new OptionError(
    `momentum: at step ${clock.step + 1} the schedule gives ${value}, it must be at least 0 and below 1.`,
  );
}

/** How samples become batches and these updates. */
type Batching = Pick<Settings, "batch" | "update">;

/** The part in its update of batch `at` of an epoch of `count` samples, where training stands before it. */
export function microOf(at: number, standing: Standing, { batch, update }: Batching, count: number) {
  const { step, place, into } = standing;
  const first = at - into;
  const end = Math.min(first + update.batches.batches(step, place.epoch), Math.ceil(count / batch));
  const samples = Math.min(end * batch, count) - first * batch;
  return { weight: Math.min(batch, count - at * batch) / samples, first: at === first, last: at === end - 1 };
}
