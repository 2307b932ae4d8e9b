// Runs optimizer updates on the GPU, several tensors in one dispatch with a rate each, and holds every arena against the
// twin: three updates in one submission, twice from the same start.

import { expect } from "vitest";
import type { Gpu } from "../../src/gpu/device.ts";
import { size } from "../../src/op/tensor.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import { BLOCK, type Layout, layOut } from "../../src/plan/layout.ts";
import { stream } from "../../src/random.ts";
import { recordUpdate } from "../../src/step/record.ts";
import { MOST_STEPS, type Prepared, type Replay, submitSteps } from "../../src/step/replay.ts";
import { createStore, type Store } from "../../src/step/store.ts";
import { plainUpdate, type UpdateSettings } from "../../src/step/update.ts";
import { complaint } from "../reference/compare.ts";
import { between, normals } from "../reference/numbers.ts";
import { exact, type Round, single } from "../reference/twin.ts";
import { updateTwins } from "../reference/twins.ts";
import { onDevice } from "./device.ts";

export interface UpdateCase {
  readonly optimizer: Optimizer;
  readonly shapes: readonly (readonly number[])[];
  /** What the gradients are multiplied by. */
  readonly scale: number;
  /** Updates that came before; their moments are made up. */
  readonly before: number;
}

const STEPS = 3;

/** The moments of each rule that may be negative; the others are means or sums of squares. */
const signed: Readonly<Record<string, readonly string[]>> = {
  sgd: ["moment1"],
  adam: ["moment1"],
  adagrad: [],
  adadelta: [],
  rmsprop: ["moment2"],
  adamax: ["moment1"],
  nadam: ["moment1"],
  radam: ["moment1"],
  lion: ["moment1"],
};

/** A rate for each tensor; the fourth stands still with rate 0 and the fifth is frozen. */
const rateOf = (tensor: number): number => (tensor === 3 ? 0 : 0.1 / (1 + (tensor % 7)));
const isFrozen = (tensor: number): boolean => tensor === 4;

export async function checkUpdate(one: UpdateCase): Promise<void> {
  const { optimizer, shapes } = one;
  const { moments } = optimizer.rule;
  const layout = layOut(shapes.map((shape, i) => ({ name: `tensor ${i}`, shape, layer: "" })));
  const starts = shapes.map((shape, i) => startOf(one, shape, i));
  const arenas = ["parameters", ...moments];

  const [first, second] = await onDevice(shapes.length, async (gpu, replay) => {
    const { store, prepared } = await prepareUpdate(gpu, replay, plainUpdate(optimizer.rule), layout);
    const runs = [];
    for (let run = 0; run < 2; run++) {
      fillArenas(gpu, store, layout, ["parameters", "gradients", ...moments], starts);
      await (await submitSteps(replay, prepared, STEPS, (i, table) => fillTable(one, table, i))).metrics;
      runs.push(await Promise.all(arenas.map((arena) => store.read(arena))));
    }
    store.dispose();
    return runs;
  });
  expect(second).toEqual(first);

  const tables = Array.from({ length: STEPS }, () => new Float32Array(shapes.length * 4));
  for (const [i, table] of tables.entries()) fillTable(one, table, i);
  const complaints: string[] = [];
  for (const [i, { name, shape }] of layout.tensors.entries()) {
    const rows = tables.map((table) => table.subarray(i * 4, i * 4 + 4));
    const [expected, sequential] = [exact, single].map((round) => trained(one, starts[i]!, rows, round));
    for (const [k, arena] of arenas.entries()) {
      const got = first![k]!.get(name)!.data;
      const text = complaint({
        name: `${arena} of ${name}`,
        shape,
        got,
        expected: expected![k]!,
        sequential: isFrozen(i) ? undefined : sequential![k]!,
      });
      if (text !== undefined) complaints.push(text);
    }
  }
  if (complaints.length > 0) throw new Error(complaints.slice(0, 5).join("\n"));
}

/** How an update is recorded, and which rule each tensor has. */
export interface PrepareOptions {
  readonly ruleOf?: (row: number) => number;
  readonly mostBlocks?: number;
  readonly sampled?: boolean;
  /** Sums of blocks as on a CPU adapter. Default true. */
  readonly software?: boolean;
}

/** The update alone as a recording, with its arenas. */
export async function prepareUpdate(
  gpu: Gpu,
  replay: Replay,
  update: UpdateSettings,
  layout: Layout,
  { ruleOf, software = true, ...options }: PrepareOptions = {},
) {
  const recording = recordUpdate(update, layout, { ...options, software });
  const store = createStore(gpu, layout, update, ruleOf);
  if (options.sampled === true) store.prepareStatistics(MOST_STEPS);
  const buffers = new Map(store.buffers).set("metrics", replay.metrics);
  const prepared: Prepared = await replay.prepare(recording, buffers);
  return { store, prepared };
}

/** Parameters, gradients and moments of one tensor. */
function startOf({ scale, before, optimizer }: UpdateCase, shape: readonly number[], tensor: number): Float64Array[] {
  const count = size(shape);
  const key = (draw: number) => stream(tensor, "update", draw);
  const scaled = (values: Float64Array, by: number): Float64Array => values.map((value) => Math.fround(value * by));
  const used = before > 0 ? 1 : 0;
  const moments = optimizer.rule.moments.map((name, k) =>
    signed[optimizer.rule.kernel]!.includes(name)
      ? scaled(normals(count, key(2 + k)), scale * used)
      : scaled(between(0.1, 2)(count, key(2 + k)), scale ** 2 * used),
  );
  return [normals(count, key(0)), scaled(normals(count, key(1)), scale), ...moments];
}

/** Writes what stands behind the last number of each tensor as NaN, which must stay there. */
export function fillArenas(
  gpu: Gpu,
  store: Store,
  layout: Layout,
  arenas: readonly string[],
  starts: readonly Float64Array[][],
) {
  for (const [k, arena] of arenas.entries()) {
    const words = new Float32Array(layout.blocks * BLOCK).fill(Number.NaN);
    for (const [i, { offset }] of layout.tensors.entries()) words.set(starts[i]![k]!, offset);
    gpu.device.queue.writeBuffer(store.buffers.get(arena)!, 0, words);
  }
}

function fillTable({ optimizer, shapes, before }: UpdateCase, table: Float32Array, i: number) {
  for (const tensor of shapes.keys()) {
    if (isFrozen(tensor)) table.fill(0, tensor * 4, tensor * 4 + 4);
    else optimizer.writeRow(table, tensor * 4, rateOf(tensor), optimizer.weightDecay, before + 1 + i);
  }
  return { step: 1 + i, start: 0, count: 1 };
}

/** The arenas of one tensor after all updates, by the twin. */
function trained(
  { optimizer: { rule } }: UpdateCase,
  start: readonly Float64Array[],
  rows: readonly ArrayLike<number>[],
  round: Round,
): readonly Float64Array[] {
  let arrays = start;
  for (const row of rows) {
    const [parameters, ...moments] = updateTwins[rule.kernel]!(arrays, rule, row, round);
    arrays = [parameters!, start[1]!, ...moments];
  }
  return [arrays[0]!, ...arrays.slice(2)];
}
