// A checkpoint: weights under their own names, the optimizer's moments beside them, and the trainer's progress as JSON in
// the metadata. It holds all that decides the next step, so training goes on to the same bits.

import { CheckpointError, listed } from "../errors.ts";
import type { RowState } from "../optim/rates.ts";
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

export interface CheckpointState {
  readonly seed: number;
  /** Name of the update rule. */
  readonly optimizer: string;
  readonly progress: Progress;
  readonly rows: Readonly<Record<string, RowState>>;
}

/** Arenas by name ("parameters", "moment1", "moment2"), each with its tensors by name. */
export type Arenas = ReadonlyMap<string, ReadonlyMap<string, StoredTensor>>;

const FORMAT = "gradus-1";
const PARAMETERS = "parameters";

const keyOf = (arena: string, name: string): string => (arena === PARAMETERS ? name : `${arena}/${name}`);

export function encodeCheckpoint(arenas: Arenas, state: CheckpointState): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, StoredTensor>();
  for (const [arena, byName] of arenas) {
    for (const [name, tensor] of byName) tensors.set(keyOf(arena, name), tensor);
  }
  return encodeSafetensors({ tensors, metadata: { format: FORMAT, gradus: JSON.stringify(state) } });
}

/** What the present trainer expects a checkpoint to hold. */
export interface Expected {
  readonly arenas: readonly string[];
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly optimizer: string;
}

/** Reads a checkpoint and holds it against the trainer. Throws CheckpointError before anything is changed. */
export function decodeCheckpoint(bytes: Uint8Array, expected: Expected): { arenas: Arenas; state: CheckpointState } {
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
  checkNames(
    [...tensors.keys()],
    wanted.map(({ key }) => key),
  );
  const arenas = new Map(expected.arenas.map((arena) => [arena, new Map<string, StoredTensor>()]));
  for (const { key, arena, name, shape } of wanted) {
    const tensor = tensors.get(key) as StoredTensor;
    if (String(tensor.shape) !== String(shape)) {
      throw new CheckpointError(
        `checkpoint: "${key}" has shape [${tensor.shape}], this model needs [${shape}]. Load it into the model that saved it.`,
      );
    }
    arenas.get(arena)?.set(name, tensor);
  }
  return { arenas, state: { ...state, rows: checkedRows(state.rows, expected) } };
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
  const fail = (): never => {
    throw new CheckpointError("checkpoint: its training state cannot be read. Use another copy of the file.");
  };
  try {
    const state = JSON.parse(text ?? "") as CheckpointState;
    const { seed, optimizer, rows } = state;
    const { step, epoch, position, runEpoch } = state.progress;
    const valid = [step, epoch, position, runEpoch].every(isCount) && Number.isSafeInteger(seed);
    if (!valid || typeof optimizer !== "string") return fail();
    return { seed, optimizer, progress: { step, epoch, position, runEpoch }, rows };
  } catch {
    return fail();
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Only the known numbers of known rows, so that nothing else of the file reaches the trainer. */
function checkedRows(rows: Readonly<Record<string, RowState>>, { tensors }: Expected): Record<string, RowState> {
  return Object.fromEntries(
    tensors.map(({ name }) => {
      const { lr, multiplier, weightDecay, frozen, updates } = Object(rows)[name] ?? {};
      const valid = [lr, multiplier, weightDecay].every((value) => Number.isFinite(value) && value >= 0);
      if (!valid || !isCount(updates) || typeof frozen !== "boolean") {
        throw new CheckpointError(`checkpoint: the rate of "${name}" cannot be read. Use another copy of the file.`);
      }
      return [name, { lr, multiplier, weightDecay, frozen, updates }];
    }),
  );
}
