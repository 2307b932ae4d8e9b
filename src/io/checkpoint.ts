// A checkpoint: weights under their own names, the optimizer's moments beside them, and the trainer's progress as JSON in
// the metadata. It holds all that decides the next step, so training goes on to the same bits.

import { CheckpointError, GradusError, listed } from "../errors.ts";
import { type Edit, readEdit, scheduleOf } from "../optim/edit.ts";
import type { TableState } from "../optim/rates.ts";
import type { RowState } from "../optim/row.ts";
import { checkedRule, defined, type RateRule } from "../optim/rule.ts";
import { constant } from "../optim/schedule.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.ts";

/** Where training stands. */
export interface Progress {
  /** Updates made. */
  readonly step: number;
  /** Epochs begun before the present one; numbers its shuffle. */
  readonly epoch: number;
  /** Batches of the present epoch that were used. */
  readonly position: number;
  /** Epochs that the interrupted run had finished. */
  readonly runEpoch: number;
}

export interface CheckpointState extends TableState {
  readonly seed: number;
  /** Name of the update rule. */
  readonly optimizer: string;
  readonly progress: Progress;
}

/** Arenas by name ("parameters", "moment1", "moment2"), each with its tensors by name. */
export type Arenas = ReadonlyMap<string, ReadonlyMap<string, StoredTensor>>;

const FORMAT = "gradus-1";
const PARAMETERS = "parameters";

const rawKey = (name: string): string => `control/${name}`;
const keyOf = (arena: string, name: string): string => (arena === PARAMETERS ? name : `${arena}/${name}`);

/** `raw` are numbers that belong to no tensor, by name. */
export function encodeCheckpoint(
  arenas: Arenas,
  state: CheckpointState,
  raw: ReadonlyMap<string, Float32Array> = new Map(),
): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, data] of raw) tensors.set(rawKey(name), { shape: [data.length], data });
  for (const [arena, byName] of arenas) {
    for (const [name, tensor] of byName) tensors.set(keyOf(arena, name), tensor);
  }
  return encodeSafetensors({ tensors, metadata: { format: FORMAT, gradus: JSON.stringify(state) } });
}

/** The weights alone, of whatever model. Throws CheckpointError where the file is none. */
export function weightsOf(bytes: Uint8Array): Map<string, StoredTensor> {
  const { tensors } = decodeSafetensors(bytes);
  return new Map([...tensors].filter(([key]) => !key.includes("/")));
}

/** What the present trainer expects a checkpoint to hold. */
export interface Expected {
  readonly arenas: readonly string[];
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly layer: string }[];
  readonly optimizer: string;
  /** Numbers that belong to no tensor. */
  readonly raw?: readonly { readonly name: string; readonly length: number }[];
}

export interface Decoded {
  readonly arenas: Arenas;
  readonly state: CheckpointState;
  readonly raw: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

/** Reads a checkpoint and holds it against the trainer. Throws CheckpointError before anything is changed. */
export function decodeCheckpoint(bytes: Uint8Array, expected: Expected): Decoded {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== FORMAT) {
    throw new CheckpointError(
      `checkpoint: its format is "${metadata.format ?? "unknown"}", this version reads "${FORMAT}". Use a file that trainer.save() wrote.`,
    );
  }
  const state = parseState(metadata.gradus);
  if (state.optimizer !== expected.optimizer) {
    throw new CheckpointError(
      `checkpoint: it was made with ${state.optimizer}, this trainer uses ${expected.optimizer}. Compile with the same optimizer.`,
    );
  }
  const wanted = expected.arenas.flatMap((arena) =>
    expected.tensors.map(({ name, shape }) => ({ key: keyOf(arena, name), arena, name, shape })),
  );
  const rawArenas = (expected.raw ?? []).map(({ name, length }) => ({ key: rawKey(name), name, shape: [length] }));
  checkNames(
    [...tensors.keys()],
    [...wanted, ...rawArenas].map(({ key }) => key),
  );
  const arenas = new Map(expected.arenas.map((arena) => [arena, new Map<string, StoredTensor>()]));
  const read = ({ key, shape }: { readonly key: string; readonly shape: readonly number[] }): StoredTensor => {
    const tensor = tensors.get(key) as StoredTensor;
    if (String(tensor.shape) === String(shape)) return tensor;
    throw new CheckpointError(
      `checkpoint: "${key}" has shape [${tensor.shape}], this model needs [${shape}]. Load it into the model that saved it.`,
    );
  };
  for (const one of wanted) arenas.get(one.arena)?.set(one.name, read(one));
  const raw = new Map(rawArenas.map((one) => [one.name, Float32Array.from(read(one).data)]));
  const edits = checkedEdits(state.edits);
  return { arenas, raw, state: { ...state, rows: checkedRows(state.rows, expected), edits } };
}

function checkNames(found: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.filter((key) => !found.includes(key));
  if (missing.length > 0) {
    throw new CheckpointError(
      `checkpoint: it lacks ${listed(missing)}. It holds ${listed(found)}. Load it into the model that saved it.`,
    );
  }
  const extra = found.filter((key) => !wanted.includes(key));
  if (extra.length > 0) {
    throw new CheckpointError(`checkpoint: this model has no ${listed(extra)}. Load it into the model that saved it.`);
  }
}

function parseState(text: string | undefined): CheckpointState {
  const fail = (): never => unreadable("its training state");
  try {
    const state = JSON.parse(text ?? "") as CheckpointState;
    const { seed, optimizer, rows, edits } = state;
    const { step, epoch, position, runEpoch } = state.progress;
    const valid = [step, epoch, position, runEpoch].every(isCount) && Number.isSafeInteger(seed);
    if (!valid || typeof optimizer !== "string") return fail();
    return { seed, optimizer, progress: { step, epoch, position, runEpoch }, rows, edits };
  } catch {
    return fail();
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Only what is known of known rows, so that nothing else of the file reaches the trainer. */
function checkedRows(rows: Readonly<Record<string, RowState>>, { tensors }: Expected): Record<string, RowState> {
  const layers = tensors.map(({ layer }) => layer);
  const names = tensors.map(({ name }) => name);
  return Object.fromEntries(
    names.map((name) => {
      const state: RowState = Object(Object(rows)[name]);
      const { lr, multiplier, weightDecay, averaging, frozen, from, until } = state;
      const { layer, updates, trained, rest, schedule, scheduleOf: giver } = state;
      const what = `the rate of "${name}"`;
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

function checkedEdits(edits: readonly Edit[]): Edit[] {
  if (!Array.isArray(edits)) return unreadable("its list of changes");
  let before = 0;
  return edits.map((line, i) => {
    const { edit } = readable(`change ${i}`, () => readEdit(`change ${i}`, line, constant));
    if (edit.step < before) unreadable(`change ${i}`);
    before = edit.step;
    return edit;
  });
}

function unreadable(what: string): never {
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
