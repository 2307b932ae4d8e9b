// The training record of a checkpoint: counters, the place in the data, the rows of the layer table and the changes made to it.
// Whatever a file says here is checked before it reaches a trainer.

import { CheckpointError, GradusError, listed } from "../errors.ts";
import { type Edit, readEdit, scheduleOf } from "../optim/edit.ts";
import type { TableState } from "../optim/rates.ts";
import type { RowState } from "../optim/row.ts";
import { checkedRule, defined, type RateRule } from "../optim/rule.ts";
import { constant } from "../optim/schedule.ts";
import { isCount, isRecord } from "./json.ts";
import { ownValue } from "./signature.ts";

/** Where in the data training stands, with all that decides what these counts mean; null is what is not known. */
export interface Place {
  /** Epochs begun before the present one since training began; numbers its shuffle. */
  readonly epoch: number;
  /** Batches of the present epoch that were used. */
  readonly position: number;
  /** Epochs that the interrupted run had finished. */
  readonly runEpoch: number;
  /** Samples in a batch. Null in files of the first form, which did not say. */
  readonly batch: number | null;
  /** Batches in an update. */
  readonly accumulate: number | null;
  /** Samples or batches in an epoch; null for a stream that has no known end. */
  readonly count: number | null;
  readonly shuffle: boolean | null;
}

export interface Training extends TableState {
  /** Updates made. */
  readonly step: number;
  readonly place: Place;
}

/** A tensor that has a row, with the layer that made it. Its rate and decay here stay where its rule is not the one of the file. */
export interface Owner extends Pick<RowState, "lr" | "multiplier" | "weightDecay"> {
  readonly name: string;
  readonly layer: string;
}

const placeKeys = ["epoch", "position", "runEpoch", "batch", "accumulate", "count", "shuffle"];
const rowKeys = [
  ...["lr", "multiplier", "weightDecay", "averaging", "frozen", "from", "until", "layer", "updates", "trained"],
  ...["rest", "schedule", "scheduleOf"],
];

/** Only what is known, and nothing twice. Throws CheckpointError where a part is not as a trainer writes it, or is not known. */
export function checkedTraining(training: unknown, owners: readonly Owner[]): Training {
  const { step, place, rows, edits } = Object(training) as Training;
  checkKnown("its training state", training, ["step", "place", "rows", "edits"]);
  if (!isCount(step)) return unreadable("its number of steps");
  return { step, place: checkedPlace(place), rows: checkedRows(rows, owners), edits: checkedEdits(edits) };
}

/** A newer version adds keys because they matter: none is passed over in silence. */
function checkKnown(what: string, record: unknown, keys: readonly string[]): void {
  if (!isRecord(record)) unreadable(what);
  const odd = Object.keys(record).filter((key) => !keys.includes(key));
  if (odd.length === 0) return;
  throw new CheckpointError(
    `checkpoint: ${what} has ${listed(odd)}, which this version does not know. Use the version that wrote it, or transfer() for the weights alone.`,
  );
}

function checkedPlace(place: unknown): Place {
  checkKnown("its place in the data", place, placeKeys);
  const { epoch, position, runEpoch, batch, accumulate, count, shuffle } = place as Place;
  const valid =
    [epoch, position, runEpoch].every(isCount) &&
    [batch, accumulate, count].every((one) => one === null || isCount(one)) &&
    (shuffle === null || typeof shuffle === "boolean");
  return valid ? { epoch, position, runEpoch, batch, accumulate, count, shuffle } : unreadable("its place in the data");
}

function checkedRows(rows: unknown, owners: readonly Owner[]): Record<string, RowState> {
  const layers = owners.map(({ layer }) => layer);
  const names = owners.map(({ name }) => name);
  return Object.fromEntries(
    names.map((name) => {
      const what = `the rate of "${name}"`;
      const state = ownValue(rows, name) as RowState;
      checkKnown(what, state, rowKeys);
      const { lr, multiplier, weightDecay, averaging, frozen, from, until } = state;
      const { layer, updates, trained, rest, schedule, scheduleOf: giver } = state;
      const valid =
        [lr, multiplier, weightDecay, averaging, frozen].every((value) => value !== undefined) &&
        [updates, trained].every(isCount) &&
        (rest === undefined || (Array.isArray(rest) && rest.length === 2 && rest.every(isCount))) &&
        layers.includes(layer) &&
        (giver === undefined || names.includes(giver));
      if (!valid) unreadable(what);
      readable(what, () => {
        checkedRule(name, defined<RateRule>({ lr, multiplier, weightDecay, averaging, frozen, from, until }));
        if (schedule !== undefined) scheduleOf(schedule);
      });
      const settings = { lr, multiplier, weightDecay, averaging, frozen, layer, updates, trained, from, until };
      return [name, defined<RowState>({ ...settings, rest, schedule, scheduleOf: giver })];
    }),
  );
}

function checkedEdits(edits: unknown): Edit[] {
  if (!Array.isArray(edits)) return unreadable("its list of changes");
  let before = 0;
  return edits.map((line, i) => {
    const { edit } = readable(`change ${i}`, () => readEdit(`change ${i}`, line, constant));
    if (edit.step < before) unreadable(`change ${i}`);
    before = edit.step;
    return edit;
  });
}

export function unreadable(what: string): never {
  throw new CheckpointError(`checkpoint: ${what} cannot be read. Use another copy of the file.`);
}

/** What `read` gives; what it refuses is the file's fault. */
function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof GradusError) return unreadable(what);
    throw error;
  }
}
