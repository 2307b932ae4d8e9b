// Larger batches as training goes on: how many batches make an update, by update or by epoch.

import { checkKind, say } from "../foreign/options.ts";
import { type BatchSchedule, OptionError } from "../index.ts";

/** Where training stands, both counted from 0 over all fits. */
export interface BatchClock {
  /** Updates made. */
  readonly step: number;
  /** Epochs begun before this one. */
  readonly epoch: number;
}

/** Batches of an update, by update or by epoch: the number of the last entry that is not ahead. */
export type BatchSteps =
  | { readonly steps: readonly (readonly [from: number, batches: number])[] }
  | { readonly epochs: readonly (readonly [from: number, batches: number])[] };

/**
 * How many batches make an update as training goes on, for `accumulate` of `compile`: `{ steps: [[0, 1], [500, 4]] }` takes four from the 500th update
 * on, `{ epochs: [[0, 1], [3, 4]] }` from the third epoch on, and a function says it of where training stands. An update keeps its number, and ends with its
 * epoch. In checkpoints its table stands in the signature; of a function these can say only "custom". Schedules of rates count in steps then,
 * since epochs differ in theirs. Throws OptionError.
 *
 * @example
 * compile(model, { ..., batch: 32, accumulate: batchSchedule({ epochs: [[0, 1], [2, 4], [4, 16]] }) });
 */
export function batchSchedule(given: BatchSteps | ((clock: BatchClock) => number)): BatchSchedule {
  if (typeof given === "function") {
    return {
      ...{ spec: "custom", most: Number.MAX_SAFE_INTEGER },
      batches(step, epoch) {
        const batches = given({ step, epoch });
        checkKind(
          `batchSchedule: after ${step} steps, in epoch ${epoch}`,
          "the number",
          batches,
          "a whole number of at least 1",
        );
        return batches;
      },
    };
  }
  const [[unit, table] = ["", undefined], ...more] = Object.entries(Object(given)) as [string, unknown][];
  if (!["steps", "epochs"].includes(unit) || more.length > 0 || !Array.isArray(table) || table.length === 0)
    throw new OptionError(
      `batchSchedule: it is ${say(given)}. Give { steps: [[0, 1], [500, 4]] }, { epochs: [[0, 1], [3, 4]] } or a function.`,
    );
  let last = -1;
  for (const [i, entry] of table.entries()) {
    const [from, batches] = Array.isArray(entry) && entry.length === 2 ? entry : [];
    const isFirst = i === 0;
    if (!(Number.isSafeInteger(from) && (isFirst ? from === 0 : from > last)))
      throw new OptionError(
        `batchSchedule: entry ${i} of ${unit} is ${say(entry)}. Give [from, batches], the first from 0, each from later than the one before.`,
      );
    checkKind("batchSchedule", `the number from ${from} on`, batches, "a whole number of at least 1");
    last = from;
  }
  const entries = table as readonly (readonly [number, number])[];
  return {
    spec: { [unit]: entries.map((entry) => [...entry]) },
    most: Math.max(...entries.map(([, batches]) => batches)),
    batches(step, epoch) {
      const at = unit === "steps" ? step : epoch;
      return entries.findLast(([from]) => from <= at)?.[1] ?? 1;
    },
  };
}
