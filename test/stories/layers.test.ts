// Layers on the GPU: values, gradients and running statistics of PyTorch in f64.

import { expect, test } from "vitest";
import { compile, sgd } from "../../src/index.ts";
import { errorOf, layerCases, lossOf, modelOf, nameOf } from "../golden/layers.ts";
import { guarded } from "./guarded.ts";

test.each(layerCases.map((one) => [nameOf(one), one] as const))("%s is that of PyTorch", (_, one) =>
  guarded(async (device) => {
    const batch = one.shape[0]!;
    const trainer = await compile(modelOf(one), {
      ...{ device, input: [1], batch, loss: lossOf(one), optimizer: sgd({ lr: 0 }) },
    });
    const samples = { x: new Float32Array(batch), y: Float32Array.from(one.target) };
    trainer.setWeights({ ...one.weights, x: one.x });
    const first = await trainer.gradients(samples);
    const loss = one.y.reduce((sum, y, i) => sum + (y - one.target[i]!) ** 2 / 2, 0);
    expect(Math.abs(first.loss / loss - 1)).toBeLessThan(1e-5);
    expect(await trainer.gradients(samples)).toEqual(first);
    for (const [name, expected] of Object.entries(one.gradients))
      expect(errorOf(first.gradients.get(name)!.data, expected), name).toBeLessThan(2e-5);
    for (const x of one.before ?? []) {
      trainer.setWeights({ x });
      await trainer.step(samples);
    }
    if (one.states === undefined) return;
    trainer.setWeights({ x: one.x });
    await trainer.step(samples);
    const weights = await trainer.weights();
    for (const [name, expected] of Object.entries(one.states))
      expect(errorOf(weights.get(name)!.data, expected), name).toBeLessThan(1e-5);
  }),
);
