// jax-js on its WebGPU device, the way its readme says: one `jit` around loss, gradient and Adam update.
// It computes in NCHW, so images, filters and the rows of the head are put into that order once, before the
// first step. Every call takes over its arguments; `.ref` keeps one for another use.

import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { adam, type CreateEngine, type Engine } from "../../demo/bench/engine.ts";
import { BATCHES, batchOf, labelsOf, startingWeights, type Workload } from "../../demo/bench/workload.ts";
import { forwards } from "./jax-networks.ts";

type Slot = { weight: np.Array; moment1: np.Array; moment2: np.Array };
export type State = { slots: Slot[]; count: np.Array };

export const plays = (workload: Workload): boolean => workload.name in forwards;

/** NHWC to NCHW: filters, and the rows of the cnn's head, which reads an image. */
function toNchw(workload: Workload, name: string, tensor: np.Array): np.Array {
  if (tensor.ndim === 4) return tensor.transpose([3, 2, 0, 1]);
  if (workload.name !== "cnn" || name !== "head.weight") return tensor;
  return tensor.reshape([7, 7, 16, 10]).transpose([2, 0, 1, 3]).reshape([784, 10]);
}

function startingState(workload: Workload): State {
  const slots = workload.tensors.map(({ name, shape }, index) => {
    const values = np.array(startingWeights(workload, index)).reshape([...shape]);
    const weight = toNchw(workload, name, values);
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
