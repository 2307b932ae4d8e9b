// The claim that Gradus is named for: one dispatch updates any number of tensors, each at its own rate, and gives each
// the bits that it would have got alone.

import { expect, test } from "vitest";
import { connect, type Gpu } from "../../src/gpu/device.ts";
import { adamw, type Optimizer, sgd } from "../../src/index.ts";
import { type Layout, layOut } from "../../src/plan/layout.ts";
import { uniform } from "../../src/random.ts";
import { recordUpdate } from "../../src/step/record.ts";
import { createReplay, submitSteps } from "../../src/step/replay.ts";
import { createStore } from "../../src/step/store.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { guarded } from "./guarded.ts";

const rules = { adamw: adamw(), momentum: sgd({ momentum: 0.9 }) };
/** Lengths around the block of 256 and its quarters. */
const lengths = [1, 2, 3, 4, 5, 255, 256, 257, 511, 512, 700];
const lengthOf = (i: number): number => lengths[i % lengths.length] as number;

/** Three updates of the tensors `chosen`; gives the weights of each afterwards and the dispatches of a step. */
async function update(gpu: Gpu, optimizer: Optimizer, chosen: readonly number[]) {
  const layout: Layout = layOut(chosen.map((i) => ({ name: `t${i}`, shape: [lengthOf(i)], layer: `t${i}` })));
  const store = createStore(gpu, layout, plainUpdate(optimizer.rule));
  const replay = createReplay(gpu, { rows: chosen.length });
  store.lend("metrics", replay.metrics);
  for (const [row, i] of chosen.entries()) {
    const values = (salt: number) => Float32Array.from({ length: lengthOf(i) }, (_, at) => uniform(salt + i, at) - 0.5);
    const placed = layout.tensors[row] as Layout["tensors"][number];
    store.write("parameters", placed, values(1000));
    store.write("gradients", placed, values(5000));
  }
  const recording = recordUpdate(plainUpdate(optimizer.rule), layout);
  const prepared = await replay.prepare(recording, store.buffers);
  for (let t = 1; t <= 3; t++) {
    await submitSteps(replay, prepared, 1, (_, table) => {
      for (const [row, i] of chosen.entries()) optimizer.writeRow(table, row * 4, 1e-3 * (i + 1), 0.01 * (i % 3), t);
      return { step: t, start: 0, count: 1 };
    });
  }
  const weights = await store.read("parameters");
  replay.dispose();
  store.dispose();
  return { dispatches: recording.commands.length, weights };
}

test.each(Object.entries(rules))("%s: 300 rows in one dispatch give the bits of 300 runs of one row", (_, optimizer) =>
  guarded(async (device) => {
    const gpu = await connect({ device });
    for (const count of [1, 10, 300]) {
      const all = Array.from({ length: count }, (_, i) => i);
      const together = await update(gpu, optimizer, all);
      expect(together.dispatches).toBe(1);
      for (const i of all) {
        const alone = await update(gpu, optimizer, [i]);
        const [ours, theirs] = [together.weights.get(`t${i}`)?.data, alone.weights.get(`t${i}`)?.data];
        expect(new Uint32Array(ours?.buffer as ArrayBuffer), `tensor ${i} of ${count}`).toEqual(
          new Uint32Array(theirs?.buffer as ArrayBuffer),
        );
        expect(ours?.some((value, at) => value !== Math.fround(uniform(1000 + i, at) - 0.5))).toBe(true);
      }
    }
  }),
);
