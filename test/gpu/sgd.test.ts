// The sgd update on the GPU, in all variants, against its twin; and what holds for every update: nothing moves after a bad
// loss, and an arena may have more blocks than one axis of the grid has groups.

import { describe, expect, test } from "vitest";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { BLOCK, layOut } from "../../src/plan/layout.ts";
import { submitSteps } from "../../src/step/replay.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { onDevice } from "./device.ts";
import { checkUpdate, prepareUpdate } from "./update.ts";

const shapes = [[1], [3], [31, 33], [257], [65, 63], [256], [3, 3, 3, 5]];

describe.each([
  ["plain", sgd()],
  ["with decay", sgd({ weightDecay: 0.1 })],
  ["with momentum", sgd({ momentum: 0.9 })],
  ["with momentum, dampening and decay", sgd({ momentum: 0.9, dampening: 0.25, weightDecay: 0.01 })],
  ["with the rate in the momentum", sgd({ momentum: 0.9, lrInMomentum: true })],
  ["with decoupled decay", sgd({ momentum: 0.9, weightDecay: 0.1, decoupled: true })],
  ["with Nesterov's momentum and decay", sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.01 })],
])("%s", (_, optimizer) => {
  test.each([1, 1e-4, 1e4])("gradients x %s", async (scale) => {
    await checkUpdate({ optimizer, shapes, scale, before: 0 });
    await checkUpdate({ optimizer, shapes, scale, before: 10 });
  });
});

test.each([4096, 4097])("%i tensors with a rate each", async (count) => {
  const many = Array.from({ length: count }, (_, i) => [1 + (i % 5)]);
  await checkUpdate({ optimizer: sgd({ momentum: 0.5 }), shapes: many, scale: 1, before: 0 });
});

test("nothing moves while a bad loss is marked", async () => {
  const optimizer = sgd({ momentum: 0.5 });
  const layout = layOut([{ name: "weight", shape: [300], layer: "" }]);
  const [weight] = layout.tensors as [(typeof layout.tensors)[0]];
  await onDevice(1, async (gpu, replay) => {
    const { store, prepared } = await prepareUpdate(gpu, replay, plainUpdate(optimizer.rule), layout);
    for (const arena of ["parameters", "gradients", "moment1"])
      store.write(arena, weight, new Float32Array(300).fill(2));
    const update = async (): Promise<number[]> => {
      const fill = (_: number, table: Float32Array) => {
        optimizer.writeRow(table, 0, 0.5, 0, 2);
        return { step: 1, start: 0, count: 1 };
      };
      await (await submitSteps(replay, prepared, 1, fill)).metrics;
      const read = async (arena: string) => (await store.read(arena)).get("weight")!.data[299]!;
      return [await read("parameters"), await read("moment1")];
    };
    gpu.device.queue.writeBuffer(replay.metrics, 0, Uint32Array.of(7, 0, 0, 0));
    expect(await update()).toEqual([2, 2]);
    replay.clearStatus();
    expect(await update()).toEqual([0.5, 3]);
    store.dispose();
  });
});

test("more blocks than one axis of the grid has groups", async () => {
  const optimizer = sgd();
  const length = 65_536 * BLOCK + 1;
  const layout = layOut([{ name: "weight", shape: [length], layer: "" }]);
  await onDevice(1, async (gpu, replay) => {
    const { store, prepared } = await prepareUpdate(gpu, replay, plainUpdate(optimizer.rule), layout);
    const numbers = Float32Array.from({ length }, (_, i) => i % 1021);
    for (const arena of ["parameters", "gradients"]) store.write(arena, layout.tensors[0]!, numbers);
    await (
      await submitSteps(replay, prepared, 1, (_, table) => {
        optimizer.writeRow(table, 0, 0.5, 0, 1);
        return { step: 1, start: 0, count: 1 };
      })
    ).metrics;
    const { data } = (await store.read("parameters")).get("weight")!;
    store.dispose();
    expect(data.findIndex((value, i) => value !== numbers[i]! / 2)).toBe(-1);
  });
});
