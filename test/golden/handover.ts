// A training that is handed on to PyTorch: the network, what trains it, and its data, which need no random numbers. handover.py goes on.

import {
  adamw,
  batchNorm,
  type CompileOptions,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  type Layer,
  relu,
  residual,
  sequential,
  sgd,
  tanh,
  warmupCosine,
} from "../../src/index.ts";

export const input = [6, 6, 2];
export const batch = 6;

export const handedModel = (): Layer =>
  sequential({
    stem: [conv2d(4, { kernel: 3, stride: 2, padding: "same", bias: false }), batchNorm(), relu()],
    body: residual([conv2d(4, { kernel: 3, padding: "same" }), tanh()]),
    flat: flatten(),
    head: dense(3),
  });

/** Two rules, three rates, two decays, a schedule and a frozen tensor. */
export const handedOptions: Omit<CompileOptions, "device"> = {
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
  schedule: warmupCosine({ warmup: 4, steps: 40 }),
};

/** The batch of a step: numbers of a whole-number rule about 0, and classes that depend on them. */
export function handedBatch(step: number): { readonly x: Float32Array<ArrayBuffer>; readonly y: number[] } {
  const size = batch * input.reduce((all, one) => all * one, 1);
  const x = Float32Array.from({ length: size }, (_, i) => (((i + step * size) * 7919) % 1009) / 504.5 - 1);
  const y = Array.from({ length: batch }, (_, row) => ((row * row + step) % 3) as number);
  return { x, y };
}

/** Steps before the hand-over, and behind it. */
export const before = 5;
export const behind = 20;
