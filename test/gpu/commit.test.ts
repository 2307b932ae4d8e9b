// How states move on the GPU: each run of blocks by itself, nothing beside them, and back where an update is refused.

import { describe, expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/device.ts";
import * as Usage from "../../src/gpu/usage.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { BLOCK, layOut } from "../../src/plan/layout.ts";
import { commitCommands } from "../../src/step/commit.ts";
import { type Replay, submitSteps } from "../../src/step/replay.ts";
import { createStore, readBack } from "../../src/step/store.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { onDevice } from "./device.ts";

const lengths = [5, 300, 256, 1, 257];
const layout = layOut(lengths.map((length, i) => ({ name: `s${i}`, shape: [length], layer: "" })));
const moves = [true, false, true, true, false];
/** Whether a number of the arena is moved. */
const isMoved = (i: number): boolean =>
  moves[layout.tensors.findLastIndex(({ offset }) => offset <= Math.floor(i / BLOCK) * BLOCK)] === true;

interface Batch {
  readonly first: boolean;
  readonly refused: boolean;
}

/** What states are after batches, each of which makes its own number, 1, 2, ..., of all of them. */
async function left(batches: readonly Batch[], inParts: boolean): Promise<Float32Array> {
  return onDevice(1, (gpu: Gpu, replay: Replay) => run(gpu, replay, batches, inParts));
}

async function run(gpu: Gpu, replay: Replay, batches: readonly Batch[], inParts: boolean): Promise<Float32Array> {
  const update = { ...plainUpdate(sgd().rule), accumulate: inParts ? 2 : 1 };
  const store = createStore(gpu, layOut([{ name: "w", shape: [1], layer: "" }]), update, () => 0, { states: layout });
  const status = gpu.buffer("status", 16, Usage.STORAGE | Usage.COPY_DST);
  store.lend("metrics", status);
  const commands = commitCommands(layout, moves, inParts);
  const recording = { name: "commit", commands, arenas: new Map(), memory: { planned: 0, naive: 0, lowerBound: 0 } };
  const prepared = await replay.prepare({ ...recording, results: {} }, store.buffers);
  const size = layout.blocks * BLOCK;
  for (const [i, { first, refused }] of batches.entries()) {
    gpu.device.queue.writeBuffer(store.arena("next"), 0, new Float32Array(size).fill(i + 1));
    gpu.device.queue.writeBuffer(status, 0, Uint32Array.of(Number(refused), 0, 0, 0));
    const micro = { weight: 1, first, last: false };
    await submitSteps(replay, prepared, 1, () => ({ step: 1, start: 0, count: 1, micro }));
  }
  const found = new Float32Array(await readBack(gpu, store.arena("states"), 0, size * 4));
  store.dispose();
  return found;
}

const batch = (first: boolean, refused = false): Batch => ({ first, refused });
const expected = (value: number): Float32Array =>
  Float32Array.from({ length: layout.blocks * BLOCK }, (_, i) => (isMoved(i) ? value : 0));

test("is a dispatch for each run of states that move", () => {
  const grids = (all: readonly boolean[]) => commitCommands(layout, all, false).map(({ grid }) => grid[0]);
  expect(grids(moves)).toEqual([1, 2]);
  expect(grids(moves.map(() => true))).toEqual([layout.blocks]);
  expect(grids(moves.map(() => false))).toEqual([]);
});

describe("a state", () => {
  test("becomes what a batch made of it, and nothing beside it moves", async () => {
    expect(await left([batch(true), batch(true)], false)).toEqual(expected(2));
  });

  test("stays where the batch is refused", async () => {
    expect(await left([batch(true), batch(true, true)], false)).toEqual(expected(1));
  });

  test.each<[string, readonly Batch[], number]>([
    ["moves with each batch", [batch(true), batch(false), batch(false)], 3],
    ["goes back with the second", [batch(true), batch(true), batch(false, true), batch(false, true)], 1],
    ["goes back with the first", [batch(true), batch(false), batch(true, true), batch(false, true)], 2],
    ["goes on from there", [batch(true), batch(true), batch(false, true), batch(true), batch(false)], 5],
  ])("in an update of several batches %s", async (_, batches, value) => {
    expect(await left(batches, true)).toEqual(expected(value));
  });
});
