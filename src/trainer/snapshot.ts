// A trainer as a checkpoint, and back: weights, moments, what the controllers know, rates, counters and the place in the data.

import { bug } from "../errors.ts";
import { baseDtype } from "../graph/base.ts";
import { isLoss } from "../graph/term.ts";
import { encodeCheckpoint, encodeWeights } from "../io/checkpoint.ts";
import { decodeCheckpoint } from "../io/load.ts";
import { type Signature, signatureOf } from "../io/signature.ts";
import { startState } from "../kernels/control.ts";
import { moments as allMoments } from "../kernels/update.ts";
import type { Objective } from "../op/layer.ts";
import { settled } from "../optim/counts.ts";
import type { RateTable } from "../optim/rates.ts";
import type { HostTensor } from "../step/store.ts";
import type { RawArena } from "../step/update.ts";
import type { Settings } from "./options.ts";
import type { Parts } from "./parts.ts";
import type { CheckedState, TensorState, TrainerState } from "./state.ts";

/** What a checkpoint is taken of. */
export interface Subject extends Pick<Parts, "settings" | "runner" | "rates" | "ledger"> {
  /** As `compile` left the trainer. */
  readonly signature: Signature;
}

/** All that decides the bits of a training beside what its checkpoints restore; to be taken before anything changes. */
export function signed(
  { input, batch, objectives, seed, momentum, update, base: ofBase, tuning, precision }: Settings,
  table: RateTable,
): Signature {
  const { rows, base } = table;
  const { clip, clamp, batches, average, controllers } = update;
  const [[, main] = [], ...named] = objectives;
  return signatureOf({
    ...{ input, batch, seed, accumulate: batches.spec, momentum },
    loss: lossSpec(main as Objective),
    losses: named.length === 0 ? undefined : Object.fromEntries(named.map(([name, one]) => [name, lossSpec(one)])),
    clip: clip ?? clamp,
    control: controllers.map(({ name, layers, constants }) => ({ name, layers, constants })),
    averaging: average,
    autotune: tuning?.signature,
    precision: precision?.signature,
    base,
    baseDtype: baseDtype(ofBase) === "f32" ? undefined : baseDtype(ofBase),
    rules: Object.fromEntries(rows.map(({ name, optimizer }) => [name, optimizer.spec])),
    schedules: Object.fromEntries(rows.map(({ name, schedule }) => [name, schedule])),
  });
}

/** A loss as plain JSON; of a function only "custom" can be said. */
function lossSpec(loss: Objective): unknown {
  if (typeof loss === "function") return "custom";
  if (!isLoss(loss)) return Object.fromEntries(Object.entries(loss).map(([name, one]) => [name, lossSpec(one)]));
  const { op, integerTarget, weight, reduction, attributes, classWeights } = loss;
  return {
    ...{ op: op.name, integerTarget },
    ...(weight !== 1 && { weight }),
    ...(reduction !== "mean" && { reduction }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(classWeights && { classWeights }),
  };
}

/** As of the steps submitted so far; to be called when it is its turn. */
export async function save({ settings, signature, runner, rates, ledger }: Subject): Promise<Uint8Array<ArrayBuffer>> {
  await ledger.settle();
  const { store } = runner;
  const { step, draws, place, counts } = ledger.known;
  const training = { step, draws, place, choices: settings.tuning?.choices, ...rates.state(counts) };
  const [raw, ...arenas] = await Promise.all([
    store.readRaw(),
    ...store.saved.map(async (name) => [name, await store.read(name)] as const),
  ]);
  const control = [...raw].map(([name, data]) => [name, { shape: [data.length], data }] as const);
  return encodeCheckpoint({ sections: new Map([...arenas, ["control", new Map(control)]]), signature, training });
}

export const saveWeights = async ({ runner, settings }: Subject): Promise<Uint8Array<ArrayBuffer>> =>
  encodeWeights(await runner.store.readWeights(), settings.input);

/** Throws CheckpointError, with nothing changed, where the checkpoint does not fit. */
export function load(subject: Subject, bytes: Uint8Array | ArrayBuffer, allow: readonly string[] = []): void {
  const { settings, signature, runner, rates, ledger } = subject;
  const { store } = runner;
  const kept = store.saved.flatMap((role) =>
    store.tensorsOf(role).map(({ name, shape, length }, i) => {
      const { initial = 0 } = role === "moment1" ? (rates.rows[i]?.optimizer.rule ?? {}) : {};
      return { role, name, shape, start: () => new Float32Array(length).fill(initial) };
    }),
  );
  const control = store.raw.map((arena) => ({
    ...{ role: "control", name: arena.name, shape: [arena.length] },
    start: () => startOf(arena),
  }));
  const expected = {
    tensors: [...kept, ...control],
    rows: rates.rows.map((row) => ({ ...row, layer: row.home })),
    signature,
  };
  const { sections, training } = decodeCheckpoint(bytes, expected, allow);
  if (settings.tuning?.restore(training.choices)) runner.forgetPrograms();
  for (const arena of store.saved) {
    for (const placed of store.tensorsOf(arena)) {
      const tensor = sections.get(arena)?.get(placed.name) ?? bug(`"${placed.name}" was not read`);
      store.write(arena, placed, tensor.data);
    }
  }
  runner.forgetFeatures();
  for (const [name, { data }] of sections.get("control") ?? []) store.set(name, data);
  forgetAlarms(subject);
  const { step, draws = step, place } = training;
  ledger.restore({ step, draws, place, into: 0, counts: rates.restore(training, step) });
}

/** What controllers know before the first step. */
const startOf = ({ name, length }: RawArena): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => (name === "state" ? (startState[i % 16] as number) : 0));

function forgetAlarms({ settings, runner, ledger }: Subject): void {
  runner.setAlarms(new Uint32Array(settings.update.layers));
  ledger.forgetAlarms();
}

/** Controllers begin anew. */
function restartControl(subject: Subject): void {
  const { store } = subject.runner;
  for (const arena of store.raw) store.set(arena.name, startOf(arena));
  forgetAlarms(subject);
}

/** Takes a state over; what controllers have learned begins anew. Only while nothing is on its way. */
export function takeState(subject: Subject, { step, moments, counts }: CheckedState): void {
  const { runner, ledger } = subject;
  for (const { role, placed, values } of moments) runner.store.write(role, placed, values);
  restartControl(subject);
  const { head } = ledger;
  const now = settled(head.counts);
  const [updates, trained] = [now.updates.slice(), now.trained.slice()];
  for (const [row, had] of counts) updates[row] = trained[row] = had;
  const next = step ?? Math.max(head.step, ...counts.values());
  const draws = Math.max(head.draws, next);
  ledger.moveTo({ ...head, step: next, draws, counts: { ...now, updates, trained, rests: new Map() } });
}

/** As of the steps submitted so far; to be called when it is its turn. */
export async function stateNow({ runner, rates, ledger }: Subject): Promise<TrainerState> {
  await ledger.settle();
  const { step, counts } = ledger.known;
  const { updates } = settled(counts);
  const { store } = runner;
  const kept = allMoments.filter((role) => store.saved.includes(role));
  const arenas = await Promise.all(kept.map(async (role) => [role, await store.read(role)] as const));
  const tensors = rates.rows.map(({ name, optimizer }, row): [string, TensorState<HostTensor>] => {
    const own = arenas.filter(([role]) => optimizer.rule.moments.includes(role));
    return [
      name,
      { step: updates[row] as number, ...Object.fromEntries(own.map(([role, all]) => [role, all.get(name)])) },
    ];
  });
  return { step, tensors: new Map(tensors) };
}
