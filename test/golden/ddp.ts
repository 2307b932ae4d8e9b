// A training that goes to PyTorch and comes back: the network, what trains it, and its batches, which need no random numbers. ddp.py has
// the same batches.

import {
  adamw,
  type CompileOptions,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  type Layer,
  layerNorm,
  residual,
  sequential,
  sgd,
  tanh,
  warmupCosine,
} from "../../src/index.ts";

export const input = [6, 6, 2];
export const batch = 6;

/** Steps of each of the three parts of the way. */
export const part = 20;

/** Without statistics of a batch, which several processes do not share. */
export const sentModel = (): Layer =>
  sequential({
    stem: [conv2d(4, { kernel: 3, stride: 2, padding: "same", bias: false }), layerNorm(), tanh()],
    body: residual([conv2d(4, { kernel: 3, padding: "same" }), tanh()]),
    flat: flatten(),
    head: dense(3),
  });

/** Two rules, three rates, two decays, a schedule and a frozen tensor. */
export const sentOptions: Omit<CompileOptions, "device"> = {
  input,
  batch,
  loss: crossEntropy(),
  optimizer: adamw({ lr: 5e-3, weightDecay: 0.1 }),
  rates: [
    ["stem", { multiplier: 0.2 }],
    ["body.0.weight", { lr: 2e-3 }],
    ["body.0.bias", { frozen: true }],
    ["head", { lr: 0.02, optimizer: sgd({ lr: 0.02, momentum: 0.9 }) }],
  ],
  schedule: warmupCosine({ warmup: 4, steps: 3 * part }),
};

export function sentBatch(step: number): { readonly x: Float32Array<ArrayBuffer>; readonly y: number[] } {
  const size = batch * input.reduce((all, one) => all * one, 1);
  const x = Float32Array.from({ length: size }, (_, i) => (((i + step * size) * 7919) % 1009) / 504.5 - 1);
  const y = Array.from({ length: batch }, (_, row) => (row * row + step) % 3);
  return { x, y };
}
