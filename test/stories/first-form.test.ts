// Checkpoints that version 0.1 wrote: weights, moments, means, what the controllers know, rates, counters and changes are those
// that they held, since the next steps on given batches are the steps that version 0.1 made.

import { expect, test } from "vitest";
import {
  adamw,
  compile,
  cosineAnnealingLR,
  crossEntropy,
  dense,
  guard,
  hypergradient,
  relu,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import onward from "../golden/gradus-1.json";
import epochFile from "../golden/gradus-1-epoch.safetensors?url";
import midstFile from "../golden/gradus-1-midst.safetensors?url";
import { guarded } from "./guarded.ts";

const files = { epoch: epochFile, midst: midstFile };

const samples = (count: number, from = 0) => ({
  x: Float32Array.from({ length: count * 6 }, (_, i) => (((i + from) * 7919) % 101) / 101 - 0.5),
  y: Uint8Array.from({ length: count }, (_, i) => ((i + from) % 3 === 0 ? 1 : 0)),
});

/** The trainer that saved them, from another seed's weights where one is given. */
const trainerOn = (device: GPUDevice, options = {}): Promise<Trainer> =>
  compile(sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) }), {
    device,
    input: [6],
    batch: 8,
    loss: crossEntropy(),
    optimizer: adamw({ lr: 0.01 }),
    rates: { stem: { multiplier: 0.5 }, head: { optimizer: sgd({ lr: 0.05, momentum: 0.9 }) } },
    schedule: cosineAnnealingLR({ steps: 100 }),
    averaging: 0.9,
    clip: { norm: 5 },
    control: [guard({ warmup: 3, rest: 6, layers: "stem" }), hypergradient({ layers: "body" })],
    seed: 5,
    ...options,
  });

test.each(["epoch", "midst"] as const)("a checkpoint of version 0.1 at or in an %s goes on as it did there", (name) =>
  guarded(async (device) => {
    const trainer = await trainerOn(device);
    trainer.load(new Uint8Array(await (await fetch(files[name])).arrayBuffer()));
    const steps = name === "epoch" ? 16 : 29;
    expect([trainer.steps, trainer.rates.edits().length]).toEqual([steps, name === "epoch" ? 2 : 4]);
    const { losses, averaged, updates, lr } = onward[name];
    for (const [i, right] of losses.entries()) {
      const { step, loss } = await trainer.step(samples(8, 100 * i));
      expect(step).toBe(steps + i + 1);
      expect(Math.abs(loss / right - 1), `step ${step}`).toBeLessThan(1e-5);
    }
    const found = await trainer.evaluate(samples(64), { averaged: true });
    // In the midst a guard rests the stem: its means go on towards its weights now, which 0.1 left alone.
    expect(Math.abs(found.loss / averaged - 1)).toBeLessThan(name === "epoch" ? 1e-5 : 5e-3);
    const table = trainer.rates.table();
    expect(Object.fromEntries(table.map((row) => [row.name, row.updates]))).toEqual(updates);
    expect(Object.fromEntries(table.map((row) => [row.name, row.lr]))).toEqual(lr);
  }),
);

test("a checkpoint of version 0.1 belongs to its rules and its seed", () =>
  guarded(async (device) => {
    const bytes = new Uint8Array(await (await fetch(epochFile)).arrayBuffer());
    const seed = await trainerOn(device, { seed: 6 });
    expect(() => seed.load(bytes)).toThrow("checkpoint: it was made otherwise: seed is 5, here 6.");
    const rules = await trainerOn(device, { optimizer: sgd({ lr: 0.05, momentum: 0.9 }), rates: undefined });
    expect(() => rules.load(bytes)).toThrow('checkpoint: it was made otherwise: rules is "adamw, sgd", here "sgd".');
  }));
