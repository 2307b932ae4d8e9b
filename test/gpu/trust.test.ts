// Trust ratios on the GPU: LARS and LAMB with norms of each tensor, alone and after clipping and controllers, against f64.

import { describe, expect, test } from "vitest";
import { guard } from "../../src/optim/controller/guard.ts";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { adamw, lamb } from "../../src/optim/rule/adam.ts";
import { lars, sgd } from "../../src/optim/rule/sgd.ts";
import type { UpdateSettings } from "../../src/step/update.ts";
import { checkSequence, type Sequence } from "./sequence.ts";

/** Tensors of very different size in number and in length, one of them 0. */
const sizes = [1, 1000, 1e-3, 0, 30];
const base = {
  layers: [[300, 3], [257], [1], [1000]],
  weights: (usual, row) => usual.map((value) => Math.fround(value * sizes[row]!)),
  gradient: (usual, step, row) => (row === 4 && step === 2 ? usual.map(() => 0) : usual),
  isFrozen: (step, row) => row === 2 && step > 2 && step < 5,
  steps: 5,
} satisfies Partial<Sequence>;

const optimizers = [
  ["lars", lars({ weightDecay: 0.01 })],
  [
    "lars, decoupled, by Nesterov",
    lars({ weightDecay: 0.01, decoupled: true, nesterov: true, trustCoefficient: 0.02 }),
  ],
  ["lars with the rate in the momentum", lars({ lrInMomentum: true, dampening: 0.5 })],
  ["lamb", lamb({ lr: 0.01 })],
  ["lamb without decay", lamb({ lr: 0.02, weightDecay: 0 })],
] as const;

const halving = lossPlateau({ steps: 1, patience: 0, factor: 0.5 });

describe.each(optimizers)("%s", (_, optimizer) => {
  test.each<[string, Partial<UpdateSettings>]>([
    ["alone", {}],
    ["with clipping by the norm of all gradients", { clip: { most: 0.5, byLayer: false } }],
    ["with clipping by layer and by value", { clip: { most: 0.5, byLayer: true }, clamp: 1 }],
    ["at a rate that falls", { controllers: [halving] }],
    ["with all of that", { controllers: [guard({ warmup: 1 }), halving], clip: { most: 0.1, byLayer: true } }],
  ])("%s", async (_, settings) => {
    for (const scale of [1, 1e-4, 1e4]) {
      await checkSequence({ ...base, optimizers: [optimizer], settings, scale, rateOf: (_, lr) => lr });
    }
  });

  test("takes the norms of the tensor: alone it gets the same row", async () => {
    const rows = async (layers: Sequence["layers"]) =>
      (await checkSequence({ ...base, layers, optimizers: [optimizer], steps: 1 }))[0]!.rows.subarray(0, 4);
    const [alone, beside] = [await rows([[300]]), await rows([[300], [5000]])];
    expect(beside).toEqual(alone);
    expect(new Set(alone).size).toBeGreaterThan(1);
  });
});

test("side by side with rules that have none", async () => {
  const settings = { clip: { most: 1, byLayer: false } };
  const ruleOf = (row: number): number => row % 4;
  const four = [lamb({ lr: 0.01 }), adamw({ lr: 0.01 }), lars(), sgd({ momentum: 0.9, lr: 0.1 })];
  const one: Sequence = {
    ...base,
    optimizers: four,
    ruleOf,
    layers: [[300, 3], [257], [1], [1000, 255, 256], [511]],
    weights: (usual) => usual,
  };
  await checkSequence({ ...one, settings });
  await checkSequence(one);
});
