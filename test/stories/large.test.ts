// Large images and long rows: no grid is too long for WebGPU, and no sum so long that it loses its digits.

import { expect, test } from "vitest";
import { compile, conv2d, dense, flatten, meanSquaredError, sequential, sgd } from "../../src/index.ts";
import { guarded } from "./guarded.ts";

/** Filters that leave an image as it is. */
const eye = (shape: readonly number[]): Float32Array<ArrayBuffer> => {
  const [, , channels, filters] = shape as [number, number, number, number];
  return Float32Array.from({ length: channels * filters }, (_, i) => (Math.floor(i / filters) === i % filters ? 1 : 0));
};

test("the squared error of an image of 1024 x 1024 x 3 keeps its digits, and so do its gradients", () =>
  guarded(async (device) => {
    const count = 1024 * 1024 * 3;
    const trainer = await compile(sequential({ conv: conv2d(3, { kernel: 1, initializer: eye }) }), {
      device,
      input: [1024, 1024, 3],
      batch: 1,
      loss: meanSquaredError(),
      optimizer: sgd({ lr: 1 }),
    });
    const data = { x: new Float32Array(count).fill(1), y: new Float32Array(count).fill(0.9) };
    expect((await trainer.evaluate(data)).loss).toBeCloseTo(0.01, 6);
    const { gradients } = await trainer.gradients(data);
    // 2 (1 - 0.9) / 3 for each channel, over all positions.
    for (const value of gradients.get("conv.bias")?.data ?? []) expect(value).toBeCloseTo(0.2 / 3, 6);
    expect(gradients.get("conv.weight")?.data[0]).toBeCloseTo(0.2 / 3, 5);
  }));

test.each([32_771, 70_001])(
  "a dense layer learns from %i rows: weights and bias have the gradients of all of them",
  (rows) =>
    guarded(async (device) => {
      const trainer = await compile(sequential({ dense: dense(2) }), {
        device,
        input: [rows, 3],
        batch: 1,
        loss: meanSquaredError(),
        optimizer: sgd({ lr: 1 }),
      });
      const weights = [0.5, -0.25, 0.125, 1, -1, 0.75];
      trainer.setWeights({ "dense.weight": weights, "dense.bias": [0.25, -0.5] });
      const x = Float32Array.from({ length: rows * 3 }, (_, i) => Math.sin(i));
      const y = Float32Array.from({ length: rows * 2 }, (_, i) => Math.cos(i));
      const expected = { weight: new Float64Array(6), bias: new Float64Array(2) };
      for (let row = 0; row < rows; row++)
        for (let n = 0; n < 2; n++) {
          const at = (k: number): number => x[3 * row + k] as number;
          const sum = [0, 1, 2].reduce(
            (total, k) => total + at(k) * (weights[2 * k + n] as number),
            n === 0 ? 0.25 : -0.5,
          );
          const slope = (2 * (sum - (y[2 * row + n] as number))) / (2 * rows);
          expected.bias[n] = (expected.bias[n] as number) + slope;
          for (let k = 0; k < 3; k++)
            expected.weight[2 * k + n] = (expected.weight[2 * k + n] as number) + slope * at(k);
        }
      const { gradients } = await trainer.gradients({ x, y });
      for (const [name, values] of Object.entries(expected))
        for (const [i, value] of values.entries())
          expect(gradients.get(`dense.${name}`)?.data[i], `${name} ${i}`).toBeCloseTo(value, 6);
    }),
);

test("a convolution trains and predicts on one image of 3000 x 3000", () =>
  guarded(async (device) => {
    const side = 3000;
    const trainer = await compile(sequential({ conv: conv2d(1, { kernel: 1, initializer: "ones" }) }), {
      device,
      input: [side, side, 1],
      batch: 1,
      loss: meanSquaredError(),
      optimizer: sgd({ lr: 0.5 }),
    });
    const x = Uint8Array.from({ length: side ** 2 }, (_, i) => i % 251);
    const { data } = await trainer.predict(x);
    const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - (x[i] as number) / 255)), 0);
    expect(worst).toBeLessThan(1e-6);
    const { loss } = await trainer.step({ x, y: new Float32Array(side ** 2) });
    expect(loss).toBeCloseTo(x.reduce((sum, value) => sum + (value / 255) ** 2, 0) / side ** 2, 5);
    expect((await trainer.weights()).get("conv.weight")?.data[0]).toBeCloseTo(1 - loss, 5);
  }));

test("a dense layer reads a million numbers, and a bias alone learns from as many rows", () =>
  guarded(async (device) => {
    const side = 1024;
    const trainer = await compile(sequential({ conv: conv2d(1, { kernel: 1 }), flatten: flatten(), head: dense(1) }), {
      device,
      input: [side, side, 1],
      batch: 1,
      loss: meanSquaredError(),
      optimizer: sgd({ lr: 0 }),
    });
    trainer.setWeights({
      "conv.weight": [1],
      "head.weight": new Float32Array(side ** 2).fill(2 ** -10),
      "head.bias": [0],
    });
    trainer.rates.freeze("**.weight");
    const data = { x: new Float32Array(side ** 2).fill(2 ** -10), y: [0] };
    const { gradients } = await trainer.gradients(data);
    expect(gradients.get("conv.bias")?.data[0]).toBeCloseTo(2 * side ** 2 * 2 ** -10, 2);
    expect((await trainer.step(data)).loss).toBeCloseTo(1, 5);
  }));
