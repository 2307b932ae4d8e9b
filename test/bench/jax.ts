// jax-js on its WebGPU device, the way its readme says: one `jit` around loss, gradient and Adam update.
// It computes in NCHW, so images, filters and the rows of the head are put into that order once, before the
// first step. Every call takes over its arguments; `.ref` keeps one for another use.

import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { adam, type CreateEngine } from "./engine.ts";
import { BATCHES, batchOf, startingWeights, type Workload } from "./workload.ts";

type Weights = [w1: np.Array, b1: np.Array, w2: np.Array, b2: np.Array, w3: np.Array, b3: np.Array];
type Slot = { weight: np.Array; moment1: np.Array; moment2: np.Array };
export type State = { slots: Slot[]; count: np.Array };

const dense = (x: np.Array, weight: np.Array, bias: np.Array): np.Array => np.dot(x, weight).add(bias);

const convolve = (x: np.Array, filter: np.Array, bias: np.Array): np.Array => {
  const activation = nn.relu(lax.convGeneralDilated(x, filter, [1, 1], "SAME").add(bias));
  return lax.reduceWindow(activation, np.max, [2, 2], [2, 2]);
};

const forwards: Readonly<Record<Workload["name"], (x: np.Array, weights: Weights) => np.Array>> = {
  mlp: (x, [w1, b1, w2, b2, w3, b3]) => dense(nn.relu(dense(nn.relu(dense(x, w1, b1)), w2, b2)), w3, b3),
  cnn: (x, [w1, b1, w2, b2, w3, b3]) => {
    const features = convolve(convolve(x, w1, b1), w2, b2);
    return dense(features.reshape([-1, 784]), w3, b3);
  },
};

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
    const weight = toNchw[name]?.(values) ?? values;
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

function jitStep({ name, batch, classes }: Workload) {
  const lossOf = (weights: np.Array[], x: np.Array, y: np.Array): np.Array => {
    const scores = nn.logSoftmax(forwards[name](x, weights as Weights));
    return scores
      .mul(nn.oneHot(y, classes))
      .sum()
      .mul(-1 / batch);
  };
  return jit(({ slots, count }: State, x: np.Array, y: np.Array): { loss: np.Array; state: State } => {
    const weights = slots.map((slot) => slot.weight.ref);
    const [loss, gradients] = valueAndGrad(lossOf)(weights, x, y);
    const next = count.add(1);
    const updates = slots.map((slot, i) => updated(slot, gradients[i] as np.Array, next.ref));
    return { loss, state: { slots: updates, count: next } };
  });
}

export const create: CreateEngine = async (workload) => {
  if (!(await init("webgpu")).includes("webgpu")) throw new Error("jax-js: its WebGPU device did not start");
  const backend = defaultDevice("webgpu");
  const batches = Array.from({ length: BATCHES }, (_, k) => {
    const { x, y } = batchOf(workload, k);
    const inputs = np.array(x).reshape([workload.batch, ...workload.input]);
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
};
