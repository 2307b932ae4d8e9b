// tensorgrad, the way its readme says: a module of layers, a loss as a free function, and `step` for each batch, which always reads the loss back.
// It computes in a worker of its own, so that neither its calls nor its buffers are counted here. It is on no registry: the command serves it
// from a folder (tensorgrad-folder.ts). Images and filters are in NCHW, as in jax.ts.

import { adam, type CreateEngine } from "../../demo/bench/engine.ts";
import { BATCHES, batchOf, startingWeights, type Workload, type WorkloadName } from "../../demo/bench/workload.ts";
import { rowMajor, walk } from "../../src/foreign/strided.ts";

type Tensor = object;
type Layer = { fwd(x: Tensor): Tensor };
type Declared = readonly number[] | { readonly shape: readonly number[]; readonly dtype: "i32" };
type Step = { readonly kind: "completed"; readonly loss: number } | { readonly kind: string; readonly error?: Error };

/** What is used of it. */
interface Tensorgrad {
  readonly Module: new () => object;
  readonly Linear: new (inputs: number, outputs: number) => Layer;
  readonly Conv2d: new (inputs: number, outputs: number, kernel: number, options: { padding: number }) => Layer;
  relu(x: Tensor): Tensor;
  maxPool2d(x: Tensor, size: number): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  crossEntropy(scores: Tensor, labels: Tensor): Tensor;
  compile(settings: {
    model: object;
    loss(model: object, inputs: { x: Tensor; y: Tensor }): Tensor;
    inputs: { x: Declared; y: Declared };
    optimizer: { kind: "adam"; lr: number; beta1: number; beta2: number; eps: number };
  }): Promise<{
    uploadParams(all: Record<string, Float32Array>): Promise<void>;
    step(inputs: { x: Float32Array; y: Int32Array }): Promise<Step>;
    destroy(): void;
  }>;
}

/** Layers by the workload's names. */
type Layers = Readonly<Record<string, Layer>>;

/** The layer of a name on x. */
const on = (layers: Layers, name: string, x: Tensor): Tensor => (layers[name] as Layer).fwd(x);

const forwards: Partial<Record<WorkloadName, (tg: Tensorgrad, layers: Layers, x: Tensor) => Tensor>> = {
  mlp: ({ relu }, layers, x) => on(layers, "fc3", relu(on(layers, "fc2", relu(on(layers, "fc1", x))))),
  deep: ({ relu }, layers, x) => {
    const names = Array.from({ length: 32 }, (_, i) => `fc${i}`);
    const value = names.reduce((value, name) => relu(on(layers, name, value)), x);
    return on(layers, "head", value);
  },
  cnn: ({ relu, maxPool2d, reshape }, layers, x) => {
    const convolve = (from: Tensor, name: string): Tensor => maxPool2d(relu(on(layers, name, from)), 2);
    return on(layers, "head", reshape(convolve(convolve(x, "conv1"), "conv2"), [-1, 784]));
  },
};

export const plays = (workload: Workload): boolean => workload.name in forwards;

/** A module of the workload's layers, which declare their tensors themselves. */
function modelOf({ Module, Linear, Conv2d }: Tensorgrad, { tensors }: Workload): object {
  const layers = tensors.flatMap(({ name, shape: [a = 0, b = 0, inputs = 0, filters] }) => {
    if (!name.endsWith(".weight")) return [];
    const layer = filters === undefined ? new Linear(a, b) : new Conv2d(inputs, filters, a, { padding: 1 });
    return [[name.replace(".weight", ""), layer] as const];
  });
  return Object.assign(new (class extends Module {})(), Object.fromEntries(layers));
}

/** Numbers of a tensor with its axes in another order. */
function permuted(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = rowMajor(shape);
  const of = (numbers: readonly number[]): number[] => order.map((axis) => numbers[axis] as number);
  const made = new Float32Array(data.length);
  walk(of(shape), of(strides), 0, (place, from) => {
    made[place] = data[from] as number;
  });
  return made;
}

/** NHWC to NCHW for the tensors of the cnn that have images in them. */
function startOf(workload: Workload, index: number): Float32Array {
  const data = startingWeights(workload, index);
  const { name, shape } = workload.tensors[index] as Workload["tensors"][number];
  if (workload.name !== "cnn") return data;
  if (shape.length === 4) return permuted(data, shape, [3, 2, 0, 1]);
  return name === "head.weight" ? permuted(data, [7, 7, 16, 10], [2, 0, 1, 3]) : data;
}

/** It adds epsilon before it corrects the second moment, by sqrt(1 - 0.999^t): about this much in the steps in which losses are compared. */
const EARLY = 0.07;

export const create: CreateEngine = async (workload) => {
  const forward = forwards[workload.name];
  if (forward === undefined) throw new Error(`tensorgrad: it does not play ${workload.name}`);
  const address = "/tensorgrad.js"; // not what vite should look for
  const tg: Tensorgrad = await import(/* @vite-ignore */ address);
  const { batch, tensors } = workload;
  const [height, width, channels] = workload.input;
  const input = workload.name === "cnn" ? [channels as number, height as number, width as number] : workload.input;
  const train = await tg.compile({
    model: modelOf(tg, workload),
    loss: (layers, { x, y }) => tg.crossEntropy(forward(tg, layers as Layers, x), y),
    inputs: { x: [batch, ...input], y: { shape: [batch], dtype: "i32" } },
    optimizer: { kind: "adam", lr: adam.lr, beta1: adam.beta1, beta2: adam.beta2, eps: adam.epsilon * EARLY },
  });
  const start = tensors.map(({ name }, i) => [name.replace("weight", "W").replace("bias", "b"), startOf(workload, i)]);
  await train.uploadParams(Object.fromEntries(start));
  const batches = Array.from({ length: BATCHES }, (_, k) => {
    const { x, y } = batchOf(workload, k);
    return { x: Float32Array.from(x), y: Int32Array.from(y) };
  });
  return {
    backend: "webgpu",
    uncounted: true,
    async run(first, steps) {
      let loss = Number.NaN;
      for (let index = first; index < first + steps; index++) {
        const told = await train.step(batches[index % BATCHES] as (typeof batches)[number]);
        if (!("loss" in told)) throw told.error ?? new Error(`tensorgrad: a step is ${told.kind}`);
        loss = told.loss;
      }
      return loss;
    },
    dispose: () => train.destroy(),
  };
};
