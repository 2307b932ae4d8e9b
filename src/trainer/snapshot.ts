// A trainer as a checkpoint, and back: weights, moments, what the controllers know, rates, counters and the place in the data.

import { bug, CheckpointError } from "../errors.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../io/checkpoint.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Placed } from "../plan/layout.ts";
import type { Runner } from "../step/runner.ts";
import type { UpdateSettings } from "../step/update.ts";
import type { Ledger } from "./ledger.ts";
import type { Settings } from "./options.ts";

/** What a checkpoint is taken of. */
export interface Subject {
  readonly settings: Settings;
  readonly tensors: readonly Placed[];
  readonly runner: Runner;
  readonly rates: RateTable;
  readonly ledger: Ledger;
}

/** The names of the rules. */
const rulesOf = ({ rules }: UpdateSettings): string => [...new Set(rules.map(({ name }) => name))].join(", ");

/** As of the steps submitted so far; to be called when it is its turn. */
export async function save({ settings, runner, rates, ledger }: Subject): Promise<Uint8Array<ArrayBuffer>> {
  await ledger.settle();
  const { seed, update } = settings;
  const { store } = runner;
  const { step, place, counts } = ledger.known;
  const state = { seed, optimizer: rulesOf(update), progress: { step, ...place }, ...rates.state(counts) };
  const raw = store.readRaw();
  const arenas = await Promise.all(store.saved.map(async (name) => [name, await store.read(name)] as const));
  return encodeCheckpoint(new Map(arenas), state, await raw);
}

/** Throws CheckpointError, with nothing changed, where the checkpoint does not fit. */
export function load({ settings, tensors, runner, rates, ledger }: Subject, bytes: Uint8Array): void {
  const { seed, update } = settings;
  const { store } = runner;
  const expected = { arenas: store.saved, tensors, optimizer: rulesOf(update), raw: store.raw };
  const { arenas, state, raw } = decodeCheckpoint(bytes, expected);
  if (state.seed !== seed) {
    throw new CheckpointError(
      `checkpoint: it was made with seed ${state.seed}, this trainer has ${seed}. Compile with seed ${state.seed}.`,
    );
  }
  for (const [arena, byName] of arenas) {
    for (const placed of tensors) {
      const tensor = byName.get(placed.name) ?? bug(`"${placed.name}" was not read`);
      store.write(arena, placed, Float32Array.from(tensor.data));
    }
  }
  runner.forgetFeatures();
  for (const [name, words] of raw) store.set(name, words);
  runner.setAlarms(new Uint32Array(update.layers));
  ledger.forgetAlarms();
  const { step, ...place } = state.progress;
  const counts = rates.restore(state, step);
  ledger.moveTo({ step, counts, place: { ...ledger.known.place, ...place } });
}
