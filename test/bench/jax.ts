// jax-js on its WebGPU device, the way its readme says: one `jit` around loss, gradient and Adam update.
// It computes in NCHW, so images, filters and the rows of the head are put into that order once, before the
// first step. Every call takes over its arguments; `.ref` keeps one for another use.

import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { adam, type CreateEngine, type Engine } from "../../demo/bench/engine.ts";
import {
  BATCHES,
  batchOf,
  gptSize,
  labelsOf,
  startingWeights,
  type Workload,
  type WorkloadName,
} from "../../demo/bench/workload.ts";

/** The weight of a name; each may be taken once. */
type Weights = (name: string) => np.Array;
type Slot = { weight: np.Array; moment1: np.Array; moment2: np.Array };
export type State = { slots: Slot[]; count: np.Array };

const dense = (x: np.Array, weights: Weights, name: string): np.Array =>
  np.dot(x, weights(`${name}.weight`)).add(weights(`${name}.bias`));

const convolve = (x: np.Array, weights: Weights, name: string): np.Array => {
  const convolved = lax.convGeneralDilated(x, weights(`${name}.weight`), [1, 1], "SAME");
  return lax.reduceWindow(nn.relu(convolved.add(weights(`${name}.bias`))), np.max, [2, 2], [2, 2]);
};

const norm = (x: np.Array, weights: Weights, name: string): np.Array =>
  nn
    .standardize(x, -1)
    .mul(weights(`${name}.gamma`))
    .add(weights(`${name}.beta`));

/** Tokens as rows of [batch length, units]. */
function transform(x: np.Array, weights: Weights): np.Array {
  const { vocabulary, length, units, heads, blocks } = gptSize;
  const table = weights("tokens.weight");
  const found = np.dot(nn.oneHot(x, vocabulary).reshape([-1, vocabulary]), table.ref);
  let rows = found.reshape([-1, length, units]).add(weights("places.weight")).reshape([-1, units]);
  for (let i = 0; i < blocks; i++) {
    const normed = norm(rows.ref, weights, `block${i}.norm1`);
    const part = (name: string, from: np.Array): np.Array =>
      dense(from, weights, `block${i}.attention.${name}`).reshape([-1, length, heads, units / heads]);
    const [query, key, value] = [part("query", normed.ref), part("key", normed.ref), part("value", normed)] as const;
    const seen = nn.dotProductAttention(query, key, value, { isCausal: true }).reshape([-1, units]);
    rows = rows.add(dense(seen, weights, `block${i}.attention.output`));
    const hidden = dense(norm(rows.ref, weights, `block${i}.norm2`), weights, `block${i}.hidden`);
    rows = rows.add(dense(nn.gelu(hidden, { approximate: false }), weights, `block${i}.output`));
  }
  return np.dot(norm(rows, weights, "norm"), table.transpose());
}

const forwards: Partial<Record<WorkloadName, (x: np.Array, weights: Weights) => np.Array>> = {
  mlp: (x, weights) => dense(nn.relu(dense(nn.relu(dense(x, weights, "fc1")), weights, "fc2")), weights, "fc3"),
  deep: (x, weights) => {
    const layers = Array.from({ length: 32 }, (_, i) => `fc${i}`);
    return dense(
      layers.reduce((value, name) => nn.relu(dense(value, weights, name)), x),
      weights,
      "head",
    );
  },
  cnn: (x, weights) => {
    const features = convolve(convolve(x, weights, "conv1"), weights, "conv2");
    return dense(features.reshape([-1, 784]), weights, "head");
  },
  gpt: transform,
};

export const plays = (workload: Workload): boolean => workload.name in forwards;

/** NHWC to NCHW for each tensor of the cnn: filters, biases that add along the channels, rows of the head. */
const toNchw: Readonly<Record<string, (tensor: np.Array) => np.Array>> = {
  "conv1.weight": (filter) => filter.transpose([3, 2, 0, 1]),
  "conv1.bias": (bias) => bias.reshape([-1, 1, 1]),
  "conv2.weight": (filter) => filter.transpose([3, 2, 0, 1]),
  "conv2.bias": (bias) => bias.reshape([-1, 1, 1]),
  "head.weight": (rows) => rows.reshape([7, 7, 16, 10]).transpose([2, 0, 1, 3]).reshape([784, 10]),
};

function startingState(workload: Workload): State {
  const slots = workload.tensors.map(({ name, shape }, index) => {
    const values = np.array(startingWeights(workload, index)).reshape([...shape]);
    const weight = (workload.name === "cnn" ? toNchw[name]?.(values) : undefined) ?? values;
    return { weight, moment1: np.zeros(weight.shape), moment2: np.zeros(weight.shape) };
  });
  return { slots, count: np.array(0) };
}

/** A tensor after one step of Adam; `count` numbers it from 1. */
export function updated(slot: Slot, gradient: np.Array, count: np.Array): Slot {
  const moment1 = slot.moment1.mul(adam.beta1).add(gradient.ref.mul(1 - adam.beta1));
  const moment2 = slot.moment2.mul(adam.beta2).add(gradient.ref.mul(gradient).mul(1 - adam.beta2));
  // The corrections are written out for each tensor, so that they fuse; shared, they are kernels of their own.
  const mean = moment1.ref.div(np.subtract(1, np.power(adam.beta1, count.ref)));
  const square = moment2.ref.div(np.subtract(1, np.power(adam.beta2, count)));
  const weight = slot.weight.sub(mean.div(np.sqrt(square).add(adam.epsilon)).mul(adam.lr));
  return { weight, moment1, moment2 };
}

function jitStep(workload: Workload) {
  const { name, tensors, classes } = workload;
  const forward = forwards[name];
  if (forward === undefined) throw new Error(`jax-js: it does not play ${name}`);
  const lossOf = (weights: np.Array[], x: np.Array, y: np.Array): np.Array => {
    const named = new Map(tensors.map((tensor, i) => [tensor.name, weights[i] as np.Array]));
    const scores = nn.logSoftmax(forward(x, (wanted) => named.get(wanted) as np.Array));
    return scores
      .mul(nn.oneHot(y, classes))
      .sum()
      .mul(-1 / labelsOf(workload));
  };
  return jit(({ slots, count }: State, x: np.Array, y: np.Array): { loss: np.Array; state: State } => {
    const weights = slots.map((slot) => slot.weight.ref);
    const [loss, gradients] = valueAndGrad(lossOf)(weights, x, y);
    const next = count.add(1);
    const updates = slots.map((slot, i) => updated(slot, gradients[i] as np.Array, next.ref));
    return { loss, state: { slots: updates, count: next } };
  });
}

export const create: CreateEngine = (workload) => on("webgpu", workload);

/** One device of a page is the default, so each run says which it means. */
export async function on(device: "webgpu" | "wasm", workload: Workload): Promise<Engine> {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js: its device ${device} did not start`);
  const backend = defaultDevice(device);
  const batches = Array.from({ length: BATCHES }, (_, k) => {
    const { x, y } = batchOf(workload, k);
    const numbers = workload.tokens === undefined ? x : Int32Array.from(x);
    const inputs = np.array(numbers as Float32Array | Int32Array).reshape([workload.batch, ...workload.input]);
    return {
      x: inputs.ndim === 4 ? inputs.transpose([0, 3, 1, 2]) : inputs,
      y: np.array(Int32Array.from(y)),
    };
  });
  let state = startingState(workload);
  await blockUntilReady([batches, state]);
  const jitted = jitStep(workload);

  const step = (index: number): np.Array => {
    const { x, y } = batches[index % BATCHES] as (typeof batches)[number];
    const after = jitted(state, x.ref, y.ref);
    state = after.state;
    return after.loss;
  };
  return {
    backend,
    async run(first, steps) {
      defaultDevice(device);
      const last = first + steps - 1;
      for (let index = first; index < last; index++) step(index).dispose();
      const [loss] = await step(last).data();
      return loss as number;
    },
    dispose() {
      tree.dispose([batches, state]);
      jitted.dispose();
    },
  };
}
