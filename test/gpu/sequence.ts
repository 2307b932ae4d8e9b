// Runs a sequence of updates on the GPU, with all that may stand around them, and gives what each of them left: twice from the
// same start, with equal bits. `checkSequence` holds it against the simulation in f64, step by step.

import { expect } from "vitest";
import type { Controller } from "../../src/kernels/control.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import { layOut } from "../../src/plan/layout.ts";
import { stream } from "../../src/random.ts";
import type { Metrics } from "../../src/step/metrics.ts";
import { submitSteps } from "../../src/step/replay.ts";
import { readBack } from "../../src/step/store.ts";
import { isControlled, plainUpdate, type UpdateSettings } from "../../src/step/update.ts";
import { accumulate } from "../reference/accumulate.ts";
import { complaint } from "../reference/compare.ts";
import { numbersOf } from "../reference/control.ts";
import { normals } from "../reference/numbers.ts";
import { type SimulatedTensor, simulate, startOf } from "../reference/simulate.ts";
import { exact, type Round, single } from "../reference/twin.ts";
import { onDevice } from "./device.ts";
import { fillArenas, prepareUpdate } from "./update.ts";

export interface Sequence {
  /** Lengths of the tensors, layer by layer. */
  readonly layers: readonly (readonly number[])[];
  /** Rules side by side. */
  readonly optimizers: readonly Optimizer[];
  /** Number of a row's rule. Default 0. */
  readonly ruleOf?: (row: number) => number;
  readonly settings?: Partial<UpdateSettings>;
  /** Default: all controllers steer all layers. */
  readonly steers?: (layer: number, name: Controller["name"]) => boolean;
  /** Default 6. */
  readonly steps?: number;
  /** What gradients are multiplied by. Default 1. */
  readonly scale?: number;
  /** The gradient of a row at a step, from 1, made of the usual one. */
  readonly gradient?: (usual: Float64Array, step: number, row: number) => Float64Array;
  /** The weights of a row at the start, made of the usual ones. */
  readonly weights?: (usual: Float64Array, row: number) => Float64Array;
  readonly isFrozen?: (step: number, row: number) => boolean;
  /** Default 1 / (1 + row % 3) of the optimizer's. */
  readonly rateOf?: (row: number, lr: number) => number;
  readonly momentumAt?: (step: number) => number;
  /** Default 1; undefined where the step has none. */
  readonly lossAt?: (step: number) => number | undefined;
  /** Share of the new weights in a row's running mean. Default 1 / (2 + row % 3). */
  readonly shareOf?: (row: number) => number;
  /** Steps whose loss is marked as bad. */
  readonly isBad?: (step: number) => boolean;
  /** Weights of the micro-batches of an update. */
  readonly micro?: readonly number[];
  /** Arenas to look at beside the usual ones. */
  readonly reads?: readonly string[];
  readonly mostBlocks?: number;
  /** Whether each step leaves statistics. */
  readonly sampled?: boolean;
  /** Sums of blocks as on a CPU adapter. Default true. */
  readonly software?: boolean;
}

/** What one step left, arenas row by row. */
export interface Left {
  readonly arenas: ReadonlyMap<string, readonly Float32Array[]>;
  readonly rows: Float32Array;
  readonly state: Float32Array;
  readonly alarms: readonly number[];
  /** The bad step, and the row that was bad, from 1. */
  readonly status: readonly [number, number];
  readonly statistics: Float32Array | undefined;
  /** Arenas that were asked for, whole. */
  readonly read: ReadonlyMap<string, Float32Array>;
}

export const settingsOf = ({ layers, optimizers, settings, micro }: Sequence): UpdateSettings => ({
  ...plainUpdate(...optimizers.map(({ rule }) => rule)),
  layers: layers.length,
  accumulate: micro?.length ?? 1,
  ...settings,
});

const lengthsOf = ({ layers }: Sequence): number[] => layers.flat();
const layerOf = ({ layers }: Sequence): number[] => layers.flatMap((own, layer) => own.map(() => layer));
const optimizerOf = ({ optimizers, ruleOf }: Sequence, row: number): Optimizer => optimizers[ruleOf?.(row) ?? 0]!;
const shareOf = (one: Sequence, row: number): number => Math.fround(one.shareOf?.(row) ?? 1 / (2 + (row % 3)));

function weightsOf(one: Sequence): Float64Array[] {
  return lengthsOf(one).map((length, row) => {
    const usual = normals(length, stream(row, "weights"));
    return one.weights?.(usual, row) ?? usual;
  });
}

/** Gradients with a part that stays and a part that changes. */
export function gradientsAt(one: Sequence, step: number, part = 0): Float64Array[] {
  return lengthsOf(one).map((length, row) => {
    const [stays, moves] = [
      normals(length, stream(row, "stays")),
      normals(length, stream(row, `step ${step} ${part}`)),
    ];
    const usual = stays.map((value, i) => Math.fround((value + moves[i]!) * (one.scale ?? 1)));
    return one.gradient?.(usual, step, row) ?? usual;
  });
}

/** The host's table; a row's own count of updates leaves out those at which it was frozen. */
export function fillTable(one: Sequence, table: Float32Array, step: number): void {
  const isFrozen = (at: number, row: number): boolean => one.isFrozen?.(at, row) === true;
  for (const row of lengthsOf(one).keys()) {
    const { lr, weightDecay, ...optimizer } = optimizerOf(one, row);
    const rate = one.rateOf?.(row, lr) ?? lr / (1 + (row % 3));
    const updates = Array.from({ length: step }, (_, i) => isFrozen(i + 1, row)).filter((frozen) => !frozen).length;
    if (isFrozen(step, row)) table.fill(0, row * 4, row * 4 + 4);
    else optimizer.writeRow(table, row * 4, rate, weightDecay, updates, one.momentumAt?.(step));
  }
}

/** Cheaper than a deep comparison, and stricter: zeros have a sign. */
export function expectSameBits(got: readonly Left[], expected: readonly Left[]): void {
  const words = ({ arenas, read, rows, state, alarms, statistics }: Left): (readonly [string, Uint32Array])[] =>
    [
      ...[...arenas].flatMap(([name, all]) => all.map((one, row) => [`${name} of row ${row}`, one] as const)),
      ...[...read, ["rows", rows] as const, ["state", state] as const],
      ...[["alarms", Float32Array.from(alarms)] as const, ["statistics", statistics ?? new Float32Array()] as const],
    ].map(([name, one]) => [name, new Uint32Array(one.buffer, one.byteOffset, one.length)]);
  expect(got.length).toBe(expected.length);
  for (const [i, left] of got.entries()) {
    const others = words(expected[i]!);
    for (const [k, [name, own]] of words(left).entries()) {
      const other = others[k]![1];
      const at = own.length === other.length ? own.findIndex((word, j) => word !== other[j]) : 0;
      if (at >= 0) throw new Error(`step ${i + 1}: ${name} has other bits, first at ${at} of ${own.length}.`);
    }
  }
}

const stepsOf = ({ steps = 6 }: Sequence): number[] => Array.from({ length: steps }, (_, i) => i + 1);

/** For each layer its first row number's place, how many rows and the bits of its controllers; then all row numbers. */
function layerWords(one: Sequence): Uint32Array<ArrayBuffer> {
  const { controllers } = settingsOf(one);
  let first = one.layers.length * 3;
  const heads = one.layers.flatMap((own, layer) => {
    const steering = controllers.filter(({ name }) => steers(one, layer, name));
    const head = [first, own.length, steering.reduce((bits, { part }) => bits | part.bit, 0)];
    first += own.length;
    return head;
  });
  return Uint32Array.from([...heads, ...lengthsOf(one).keys()]);
}

const steers = (one: Sequence, layer: number, name: Controller["name"]): boolean =>
  settingsOf(one).controllers.some((controller) => controller.name === name) && (one.steers?.(layer, name) ?? true);

/** What every step left on the GPU. */
export async function runSequence(one: Sequence): Promise<Left[]> {
  const settings = settingsOf(one);
  const rows = lengthsOf(one).length;
  const layout = layOut(lengthsOf(one).map((length, i) => ({ name: `row ${i}`, shape: [length], layer: "" })));
  const controlled = isControlled(settings);
  return onDevice(
    rows,
    async (gpu, replay) => {
      const { store, prepared } = await prepareUpdate(gpu, replay, settings, layout, one);
      const initialState = await store.readRaw();
      const arenas = store.saved;
      const { reads = [] } = one;
      const floats = async (name: string, length: number): Promise<Float32Array> =>
        new Float32Array(await readBack(gpu, store.buffers.get(name)!, 0, length * 4));
      const run = async (): Promise<Left[]> => {
        const weights = weightsOf(one);
        const zeros = weights.map(({ length }) => new Float64Array(length));
        const starts = weights.map((own, i) => arenas.map((name) => (name === "parameters" ? own : zeros[i]!)));
        fillArenas(gpu, store, layout, arenas, starts);
        for (const [name, words] of initialState) store.set(name, words);
        if (controlled) store.set("layers", layerWords(one));
        if (settings.average)
          store.set(
            "shares",
            Float32Array.from({ length: rows }, (_, row) => shareOf(one, row)),
          );
        // What was left over in the sums is no number.
        if (one.micro !== undefined)
          fillArenas(
            gpu,
            store,
            layout,
            ["accumulated"],
            zeros.map(() => [Float64Array.of()]),
          );
        replay.setAlarms(new Uint32Array(Math.ceil(one.layers.length / 4) * 4));
        const left: Left[] = [];
        for (const step of stepsOf(one)) {
          // The loss stands where the metrics leave it, beside the status and in the first slot of the submission.
          const given = one.lossAt === undefined ? 1 : one.lossAt(step);
          const loss = new Uint32Array(Float32Array.of(given ?? 1).buffer)[0]!;
          const bad = one.isBad?.(step) === true ? step : 0;
          gpu.device.queue.writeBuffer(
            replay.metrics,
            0,
            Uint32Array.of(bad, 0, given === undefined ? 0 : step, loss, step, loss, 0, 1),
          );
          const momentum = one.momentumAt?.(step);
          const parts = one.micro ?? [1];
          let metrics: Metrics | undefined;
          for (const [part, weight] of parts.entries()) {
            const gradients = gradientsAt(one, step, part).map((values) => [values]);
            fillArenas(gpu, store, layout, ["gradients"], gradients);
            const micro = { weight, first: part === 0, last: part === parts.length - 1 };
            const submitted = await submitSteps(replay, prepared, 1, (_, table) => {
              fillTable(one, table, step);
              return {
                ...{ step, start: 0, count: 1, sampled: one.sampled === true && micro.last },
                ...(momentum !== undefined && { momentum }),
                ...(one.micro !== undefined && { micro }),
              };
            });
            metrics = await submitted.metrics;
          }
          const { alarms, statistics, badStep, badRow } = metrics!;
          const [tensors, words, rowWords, state] = await Promise.all([
            Promise.all(arenas.map((arena) => store.read(arena))),
            Promise.all(reads.map((name) => floats(name, store.buffers.get(name)!.size / 4))),
            controlled ? floats("effective", rows * 4) : new Float32Array(),
            controlled ? floats("state", one.layers.length * 16) : new Float32Array(),
          ]);
          left.push({
            arenas: new Map(arenas.map((arena, i) => [arena, [...tensors[i]!.values()].map(({ data }) => data)])),
            read: new Map(reads.map((name, i) => [name, words[i]!])),
            rows: rowWords,
            state,
            alarms: one.layers.map((_, layer) => alarms[layer] ?? 0),
            status: [badStep, badRow],
            statistics: statistics.get(step),
          });
        }
        return left;
      };
      const [first, second] = [await run(), await run()];
      store.dispose();
      expectSameBits(second, first);
      return first;
    },
    one.layers.length,
  );
}

/** The same sequence in plain loops. */
function simulated(one: Sequence, round: Round) {
  const settings = settingsOf(one);
  const layers = layerOf(one);
  const tensors = weightsOf(one).map((weights, row): SimulatedTensor => {
    const { rule } = optimizerOf(one, row);
    const moments = rule.moments.map(() => new Float64Array(weights.length));
    const mean = new Float64Array(weights.length);
    return { rule, layer: layers[row]!, share: shareOf(one, row), arrays: [weights, ...moments], mean, moved: 0 };
  });
  const world = startOf(tensors, one.layers.length, (layer, name) => steers(one, layer, name));
  return stepsOf(one).map((step) => {
    const table = new Float32Array(tensors.length * 4);
    fillTable(one, table, step);
    const [loss, momentum] = [Math.fround(one.lossAt?.(step) ?? 1), one.momentumAt?.(step)];
    const gradients = (one.micro ?? [1])
      .map((_, part) => gradientsAt(one, step, part))
      .reduce<Float64Array[] | undefined>(
        (sums, own, part) =>
          one.micro === undefined ? own : own.map((g, row) => accumulate(sums?.[row], g, one.micro![part]!, round)),
        undefined,
      )!;
    const given = { step, table, gradients, loss, momentum };
    const rows =
      one.isBad?.(step) === true ? tensors.map(() => [0, 0, 0, 0]) : simulate(world, settings, given, round).rows;
    return {
      rows,
      arenas: tensors.map(({ rule, arrays, mean }) => {
        const named = ["parameters", ...rule.moments].map((name, i) => [name, arrays[i]!] as const);
        return new Map<string, Float64Array>([...named, ["average", mean]]);
      }),
      state: world.memories.map(numbersOf),
      alarms: world.memories.map(({ alarm }) => alarm),
    };
  });
}

/** Holds everything that each step leaves against the simulation in f64. */
export async function checkSequence(one: Sequence): Promise<Left[]> {
  const [expected, sequential] = [simulated(one, exact), simulated(one, single)];
  const left = await runSequence(one);
  const complaints: string[] = [];
  for (const [i, got] of left.entries()) {
    const [truth, plain] = [expected[i]!, sequential[i]!];
    const compare = (what: string, values: ArrayLike<number>, right: Float64Array, near: Float64Array): void => {
      const text = complaint({
        name: `step ${i + 1}: ${what}`,
        shape: [values.length],
        got: values,
        expected: right,
        sequential: near,
      });
      if (text !== undefined) complaints.push(text);
    };
    // Numbers of different sizes that one formula made: each relative to its own, all by one yardstick, for a single number may
    // come out of f32 exact by chance.
    const compareEach = (
      what: string,
      values: ArrayLike<number>,
      right: readonly number[],
      near: readonly number[],
    ) => {
      const relative = (all: ArrayLike<number>): Float64Array =>
        Float64Array.from(right, (value, k) => (value === 0 ? all[k]! : all[k]! / value));
      compare(what, relative(values), relative(right), relative(near));
    };
    expect(got.alarms, `alarms at step ${i + 1}`).toEqual(truth.alarms);
    if (got.rows.length > 0) compareEach("rows", got.rows, truth.rows.flat(), plain.rows.flat());
    if (got.state.length > 0 && settingsOf(one).controllers.length > 0)
      compareEach("state", got.state, truth.state.flat(), plain.state.flat());
    for (const [arena, rows] of got.arenas) {
      for (const [row, values] of rows.entries()) {
        const right = truth.arenas[row]!.get(arena);
        if (right !== undefined) compare(`${arena} of row ${row}`, values, right, plain.arenas[row]!.get(arena)!);
      }
    }
    if (complaints.length > 0) break;
  }
  if (complaints.length > 0) throw new Error(complaints.slice(0, 6).join("\n"));
  return left;
}
