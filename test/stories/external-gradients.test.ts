// Gradients in and out: what `gradients` gives and `applyGradients` takes is the same step as `step`, bit for bit.

import { expect, test } from "vitest";
import { adamw, compile, crossEntropy, dense, gelu, sequential, type Trainer } from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const batch = (salt: number) => ({
  x: Float32Array.from({ length: 20 * 7 }, (_, i) => uniform(salt, i) - 0.5),
  y: Uint8Array.from({ length: 20 }, (_, i) => (i * 7 + salt) % 3),
});

const trainerOn = (device: GPUDevice): Promise<Trainer> =>
  compile(sequential({ stem: dense(9), act: gelu(), head: dense(3) }), {
    device,
    input: [7],
    batch: 20,
    loss: crossEntropy(),
    optimizer: adamw({ lr: 0.01 }),
  });

const plain = (tensors: ReadonlyMap<string, { readonly data: Float32Array }>): Record<string, Float32Array> =>
  Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));

test("gradients out and in again are the step itself", () =>
  guarded(async (device) => {
    const [whole, parts] = [await trainerOn(device), await trainerOn(device)];
    for (let t = 0; t < 5; t++) {
      const { loss } = await whole.step(batch(t));
      const before = await parts.save();
      const found = await parts.gradients(batch(t));
      expect(await parts.save()).toEqual(before);
      expect(found.loss).toBe(loss);
      await parts.applyGradients(plain(found.gradients));
      expect(await parts.save()).toEqual(await whole.save());
    }
    expect(parts.steps).toBe(5);
  }));

test("tensors without a gradient, and frozen ones, are not in the step", () =>
  guarded(async (device) => {
    const trainer = await trainerOn(device);
    trainer.rates.freeze("stem.weight");
    const { gradients } = await trainer.gradients(batch(1));
    expect([...gradients.keys()]).toEqual(["stem.bias", "head.weight", "head.bias"]);
    const before = plain(await trainer.weights());
    await trainer.applyGradients({ "head.bias": [1, 2, 3], "stem.weight": new Float32Array(63).fill(1) });
    const after = plain(await trainer.weights());
    const moved = Object.keys(before).filter((name) => String(before[name]) !== String(after[name]));
    expect(moved).toEqual(["head.bias"]);
    expect(trainer.rates.table().map(({ updates }) => updates)).toEqual([0, 0]);
  }));

test("what does not fit is refused before anything changes", () =>
  guarded(async (device) => {
    const trainer = await trainerOn(device);
    const before = await trainer.save();
    const tries = { "head.bais": [1, 2, 3], "head.bias": [1, 2], "stem.bias": new Float32Array(9).fill(Number.NaN) };
    for (const [name, values] of Object.entries(tries)) {
      const failure = await trainer
        .applyGradients({ "head.weight": new Float32Array(27), [name]: values })
        .catch(String);
      expect(failure).toMatchSnapshot(name);
    }
    expect(await trainer.save()).toEqual(before);
  }));
