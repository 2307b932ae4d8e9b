// The training record of a checkpoint: counters, the place in the data, the rows of the layer table and the changes made to it.
// Whatever a file says here is checked before it reaches a trainer.

import { CheckpointError, GradusError, listed, NameError } from "../errors.ts";
import { type Edit, readEdit, scheduleOf } from "../optim/edit.ts";
import type { TableState } from "../optim/rates.ts";
import type { RowState } from "../optim/row.ts";
import { checkedRule, defined } from "../optim/rule.ts";
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
  /** Batches since training began. Not in files that were written before there were random numbers in steps. */
  readonly draws?: number;
  readonly place: Place;
  /** How kernels were chosen by measurement, where bits depend on it; looked at by who measures. */
  readonly choices?: unknown;
}

/** A tensor that has a row, with the layer that made it. Its rate and decay here stay where its rule is not the one of the file. */
export interface Owner extends Pick<RowState, "lr" | "multiplier" | "weightDecay"> {
  readonly name: string;
  readonly layer: string;
}

type Parts = Readonly<Record<string, (value: unknown) => boolean>>;

/** What stands where nothing needs to be known. */
const or =
  (nothing: unknown, valid: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === nothing || valid(value);
const isSwitch = (value: unknown): boolean => typeof value === "boolean";
/** What is looked at elsewhere. */
const isOpen = (): boolean => true;
const isGiven = (value: unknown): boolean => value !== undefined;

const placeParts: Parts = {
  ...{ epoch: isCount, position: isCount, runEpoch: isCount },
  ...{ batch: or(null, isCount), accumulate: or(null, isCount), count: or(null, isCount), shuffle: or(null, isSwitch) },
};

/** Only what is known, and nothing twice. Throws CheckpointError where a part is not as a trainer writes it, or is not known. */
export function checkedTraining(training: unknown, owners: readonly Owner[]): Training {
  const { step, draws, place, choices, rows, edits } = Object(training) as Training;
  checkParts("its training state", training, {
    step: isOpen,
    draws: or(undefined, isCount),
    place: isOpen,
    choices: isOpen,
    rows: isOpen,
    edits: isOpen,
  });
  if (!isCount(step)) return unreadable("its number of steps");
  checkParts("its place in the data", place, placeParts);
  return {
    step,
    ...(draws !== undefined && { draws }),
    place,
    choices,
    rows: checkedRows(rows, owners),
    edits: checkedEdits(edits),
  };
}

/** Refuses what is not made of these parts. A newer version adds keys because they matter: none is passed over in silence. */
function checkParts(what: string, record: unknown, parts: Parts): void {
  if (!isRecord(record)) unreadable(what);
  const odd = Object.keys(record).filter((key) => !Object.hasOwn(parts, key));
  if (odd.length > 0) {
    throw new CheckpointError(
      `checkpoint: ${what} has ${listed(odd)}, which this version does not know. Use the version that wrote it, or transfer() for the weights alone.`,
    );
  }
  if (!Object.entries(parts).every(([key, valid]) => valid(ownValue(record, key)))) unreadable(what);
}

function checkedRows(rows: unknown, owners: readonly Owner[]): Record<string, RowState> {
  const layers: readonly unknown[] = owners.map(({ layer }) => layer);
  const names: readonly unknown[] = owners.map(({ name }) => name);
  const isRest = (value: unknown): boolean => Array.isArray(value) && value.length === 2 && value.every(isCount);
  const parts: Parts = {
    // What a rule says of them is checked as a rule.
    ...{ lr: isGiven, multiplier: isGiven, weightDecay: isGiven, averaging: isGiven, frozen: isGiven },
    ...{ from: isOpen, until: isOpen, schedule: isOpen },
    ...{ updates: isCount, trained: isCount, rest: or(undefined, isRest) },
    layer: (value) => layers.includes(value),
    scheduleOf: or(undefined, (value) => names.includes(value)),
  };
  return Object.fromEntries(
    owners.map(({ name }) => {
      const what = `the rate of "${name}"`;
      const state = ownValue(rows, name) as RowState;
      checkParts(what, state, parts);
      const { layer, updates, trained, rest, schedule, scheduleOf: giver, ...rule } = state;
      readable(what, () => {
        checkedRule(name, rule);
        if (schedule !== undefined) scheduleOf(what, schedule);
      });
      return [name, defined<RowState>(state)];
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
    if (error instanceof NameError) throw new CheckpointError(`checkpoint: ${error.message}`);
    if (error instanceof GradusError) return unreadable(what);
    throw error;
  }
}
