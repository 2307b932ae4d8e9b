// A trainer as a checkpoint, and back: weights, moments, what the controllers know, rates, counters and the place in the data.

import { bug, CheckpointError, GradusError } from "../errors.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../io/checkpoint.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Placed } from "../plan/layout.ts";
import type { Runner } from "../step/runner.ts";
import type { UpdateSettings } from "../step/update.ts";
import type { Course } from "./course.ts";
import type { Settings } from "./options.ts";

/** What a checkpoint is taken of. */
export interface Subject {
  readonly settings: Settings;
  readonly tensors: readonly Placed[];
  readonly runner: Runner;
  readonly rates: RateTable;
  readonly course: Course;
}

/** The names of the rules. */
const rulesOf = ({ rules }: UpdateSettings): string => [...new Set(rules.map(({ name }) => name))].join(", ");

export async function save({ settings, runner, rates, course }: Subject): Promise<Uint8Array<ArrayBuffer>> {
  const { seed, update } = settings;
  const { store } = runner;
  if (update.controllers.some(({ name }) => name === "guard") && course.isUnderWay) {
    throw new GradusError(
      "save: a guard may still take back steps that are on their way. Call it from onEpoch, or stop() and await fit first.",
    );
  }
  const state = { seed, optimizer: rulesOf(update), progress: course.whole, ...rates.state() };
  const raw = store.readRaw();
  const arenas = await Promise.all(store.saved.map(async (name) => [name, await store.read(name)] as const));
  return encodeCheckpoint(new Map(arenas), state, await raw);
}

/** Throws CheckpointError, with nothing changed, where the checkpoint does not fit. */
export function load({ settings, tensors, runner, rates, course }: Subject, bytes: Uint8Array): void {
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
  course.forgetAlarms();
  rates.restore(state, state.progress.step);
  course.progress = state.progress;
}
