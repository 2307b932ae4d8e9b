// Federated averaging on one page: three trainers with data of their own exchange arrays of weights in order, and their numbers of
// samples, as Flower's NumPyClient does.

import { expect, test } from "vitest";
import {
  adam,
  type CompileOptions,
  compile,
  crossEntropy,
  dense,
  type Layer,
  type Samples,
  sequential,
  sgd,
  type Trainer,
  tanh,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";

type Arrays = readonly Float32Array<ArrayBuffer>[];

/** What a client gives: arrays in the order of its tensors, and how many samples they were made of. */
type Update = readonly [arrays: Arrays, samples: number];

const arraysOf = async (trainer: Trainer): Promise<Arrays> =>
  [...(await trainer.weights()).values()].map(({ data }) => data);

async function setArrays(trainer: Trainer, arrays: Arrays): Promise<void> {
  const names = [...(await trainer.weights()).keys()];
  expect(arrays.length).toBe(names.length);
  trainer.setWeights(new Map(names.map((name, i) => [name, arrays[i]!])));
}

/** Means by the number of samples. */
function averaged(updates: readonly Update[]): Arrays {
  const all = updates.reduce((sum, [, samples]) => sum + samples, 0);
  return updates[0]![0].map((first, at) =>
    first.map((_, i) => updates.reduce((sum, [arrays, samples]) => sum + (arrays[at]![i]! * samples) / all, 0)),
  );
}

/** Points around three centres, those of a class `only`, or of all in turn. */
function samplesOf(begin: number, count: number, only?: number): Samples {
  const y = Array.from({ length: count }, (_, i) => only ?? (begin + i) % 3);
  const x = Float32Array.from({ length: 2 * count }, (_, at) => {
    const [i, axis] = [begin + Math.floor(at / 2), at % 2];
    const angle = (2 * Math.PI * y[Math.floor(at / 2)]!) / 3;
    return (axis === 0 ? Math.cos(angle) : Math.sin(angle)) + (((2 * i + axis) * 7919) % 1009) / 1009 - 0.5;
  });
  return { x, y };
}

const joined = (parts: readonly Samples[]): Samples => ({
  x: Float32Array.from(parts.flatMap(({ x }) => [...(x as Float32Array)])),
  y: parts.flatMap(({ y }) => y as number[]),
});

/** Three clients that differ in all but the model, and one beside them. */
async function trainers(device: GPUDevice, model: Layer, options: Omit<CompileOptions, "input" | "loss">) {
  const made = [0, 1, 2, 3].map((seed) =>
    compile(model, { device, input: [2], loss: crossEntropy(), batch: 32, seed, ...options }),
  );
  const [alone, ...clients] = await Promise.all(made);
  return { alone: alone!, clients };
}

test("with one full-batch step of each client the mean is a step on all data, round for round", () =>
  guarded(async (device) => {
    const model = sequential({ body: [dense(8), tanh()], head: dense(3) });
    const { alone, clients } = await trainers(device, model, { optimizer: sgd({ lr: 0.5 }) });
    const parts = [samplesOf(0, 5), samplesOf(5, 8), samplesOf(13, 19)];
    let shared = await arraysOf(alone);
    const start = shared;
    for (let round = 0; round < 5; round++) {
      const updates = clients.map(async (client, i): Promise<Update> => {
        await setArrays(client, shared);
        const { step } = await client.step(parts[i]!);
        expect(step).toBe(round + 1);
        return [await arraysOf(client), (parts[i]!.y as number[]).length];
      });
      shared = averaged(await Promise.all(updates));
      await alone.step(joined(parts));
      for (const [at, expected] of (await arraysOf(alone)).entries()) {
        const away = Math.max(...expected.map((value, i) => Math.abs(value - shared[at]![i]!)));
        expect(away, `tensor ${at} in round ${round}`).toBeLessThan(1e-6);
      }
    }
    const moved = Math.max(
      ...shared.map((array, at) => Math.max(...array.map((v, i) => Math.abs(v - start[at]![i]!)))),
    );
    expect(moved).toBeGreaterThan(0.1);
    for (const one of [alone, ...clients]) one.dispose();
  }));

test("clients that know one class each learn all three together", () =>
  guarded(async (device) => {
    const model = sequential({ body: [dense(8), tanh()], head: dense(3) });
    const { alone, clients } = await trainers(device, model, { optimizer: adam({ lr: 0.05 }) });
    const parts = [samplesOf(0, 20, 0), samplesOf(20, 30, 1), samplesOf(50, 25, 2)];
    const all = joined([samplesOf(100, 90)]);
    const start = await arraysOf(alone);
    let shared = start;
    for (let round = 0; round < 12; round++) {
      const updates = clients.map(async (client, i): Promise<Update> => {
        await setArrays(client, shared);
        await client.fit(parts[i]!, { epochs: 1 });
        return [await arraysOf(client), (parts[i]!.y as number[]).length];
      });
      shared = averaged(await Promise.all(updates));
    }
    await setArrays(alone, shared);
    const { accuracy } = await alone.evaluate(all);
    expect(accuracy).toBeGreaterThan(0.9);
    // One that never heard of the others knows its own class.
    await setArrays(clients[0]!, start);
    await clients[0]!.fit(parts[0]!, { epochs: 12 });
    expect((await clients[0]!.evaluate(all)).accuracy).toBeLessThan(0.5);
    for (const one of [alone, ...clients]) one.dispose();
  }));
