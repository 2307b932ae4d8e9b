// Layers of arithmetic on a GPU: operands that are repeated, sums over axes and over the samples of a short batch, dense layers on
// rows of rows.

import { expect, test } from "vitest";
import {
  checkGradients,
  compile,
  dense,
  gelu,
  type Layer,
  meanSquaredError,
  ops,
  sequential,
} from "../../src/index.ts";
import { normed, positions } from "../reference/model-case.ts";

const input = [5, 3];
const pooled: Layer = { kind: "pooled", apply: (scope, x) => scope.op(ops.mean, { x }, { axes: [1] }).y };
const model = sequential({
  first: dense(6, { bias: false }),
  positions,
  batch: normed({ axes: [0, 1], keepDims: true, batch: true }),
  second: [dense(4), gelu(), normed({ axes: [-1], keepDims: true })],
  last: [pooled, dense(2)],
});

test("have gradients that are those of their loss", async () => {
  const errors = await checkGradients(model, { input });
  for (const [name, error] of errors) expect(error, name).toBeLessThan(0.01);
});

/** Losses of a few steps on three samples, and the weights after them. */
async function trained(batch: number) {
  const trainer = await compile(model, { input, batch, loss: meanSquaredError(), seed: 3 });
  const x = Float32Array.from({ length: 45 }, (_, i) => Math.sin(i));
  const y = Float32Array.from({ length: 6 }, (_, i) => Math.cos(i));
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push((await trainer.step({ x, y })).loss);
  const weights = [...(await trainer.weights())].flatMap(([, { data }]) => [...data]);
  trainer.dispose();
  return { losses, weights };
}

test("leave out what is not in a short batch, and give the same bits each time", async () => {
  const [whole, short, again] = [await trained(3), await trained(5), await trained(5)];
  expect(again).toEqual(short);
  for (const [i, loss] of whole.losses.entries()) expect(short.losses[i]).toBeCloseTo(loss, 5);
  expect(whole.losses.at(-1)).toBeLessThan(whole.losses[0] as number);
  for (const [i, weight] of whole.weights.entries()) expect(short.weights[i]).toBeCloseTo(weight, 4);
});
