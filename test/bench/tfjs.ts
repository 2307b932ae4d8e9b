// TensorFlow.js on its WebGPU backend, the way its guide says: variables, an optimizer, and `minimize` once
// per step. Its layouts are those of the workloads, so weights and images go in as they are. Not `tf.fused`:
// its gradients include that of the first layer's input, which costs more here than the fusion saves.

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-backend-webgpu";
import { adam, type CreateEngine, type Engine } from "../../demo/bench/engine.ts";
import {
  BATCHES,
  batchOf,
  gptSize,
  startingWeights,
  type Workload,
  type WorkloadName,
} from "../../demo/bench/workload.ts";

/** The weight of a name. */
type Weights = (name: string) => tf.Tensor;

const dense = (x: tf.Tensor, weights: Weights, name: string): tf.Tensor =>
  tf.add(tf.matMul(x, weights(`${name}.weight`)), weights(`${name}.bias`));

const convolve = (x: tf.Tensor, weights: Weights, name: string): tf.Tensor4D => {
  const features = tf.conv2d(x as tf.Tensor4D, weights(`${name}.weight`) as tf.Tensor4D, 1, "same");
  return tf.maxPool(tf.relu(tf.add<tf.Tensor4D>(features, weights(`${name}.bias`))), 2, 2, "valid");
};

/** Layer norm with PyTorch's epsilon. */
function norm(x: tf.Tensor, weights: Weights, name: string): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  const standard = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
  return tf.add(tf.mul(standard, weights(`${name}.gamma`)), weights(`${name}.beta`));
}

const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

const masks = new Map<string, tf.Tensor>();

/** What is added to scores: much below 0 for what comes later. It stays on its backend. */
function maskOf(length: number): tf.Tensor {
  const numbers = Array.from({ length: length ** 2 }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0));
  const key = `${tf.getBackend()} ${length}`;
  const mask = masks.get(key) ?? tf.keep(tf.tensor2d(numbers, [length, length]));
  masks.set(key, mask);
  return mask;
}

/** Tokens as rows of [batch length, units]. A product with one-hot rows finds them: the gradient of `gather` has no WebGPU kernel. */
function transform(x: tf.Tensor, weights: Weights): tf.Tensor {
  const { vocabulary, length, units, heads, blocks } = gptSize;
  const table = weights("tokens.weight");
  const found = tf.matMul(tf.reshape(tf.oneHot(tf.cast(x, "int32"), vocabulary), [-1, vocabulary]), table);
  let rows = tf.reshape(tf.add(tf.reshape(found, [-1, length, units]), weights("places.weight")), [-1, units]);
  const hidden = maskOf(length);
  for (let i = 0; i < blocks; i++) {
    const normed = norm(rows, weights, `block${i}.norm1`);
    const part = (name: string): tf.Tensor => {
      const all = dense(normed, weights, `block${i}.attention.${name}`);
      return tf.transpose(tf.reshape(all, [-1, length, heads, units / heads]), [0, 2, 1, 3]);
    };
    const scores = tf.mul(tf.matMul(part("query"), part("key"), false, true), 1 / Math.sqrt(units / heads));
    const seen = tf.matMul(tf.softmax(tf.add(scores, hidden)), part("value"));
    const joined = tf.reshape(tf.transpose(seen, [0, 2, 1, 3]), [-1, units]);
    rows = tf.add(rows, dense(joined, weights, `block${i}.attention.output`));
    const inner = dense(norm(rows, weights, `block${i}.norm2`), weights, `block${i}.hidden`);
    rows = tf.add(rows, dense(gelu(inner), weights, `block${i}.output`));
  }
  return tf.matMul(norm(rows, weights, "norm"), table, false, true);
}

const forwards: Partial<Record<WorkloadName, (x: tf.Tensor, weights: Weights) => tf.Tensor>> = {
  mlp: (x, weights) => dense(tf.relu(dense(tf.relu(dense(x, weights, "fc1")), weights, "fc2")), weights, "fc3"),
  deep: (x, weights) => {
    const layers = Array.from({ length: 32 }, (_, i) => `fc${i}`);
    return dense(
      layers.reduce((value, name) => tf.relu(dense(value, weights, name)), x),
      weights,
      "head",
    );
  },
  cnn: (x, weights) => {
    const features = convolve(convolve(x, weights, "conv1"), weights, "conv2");
    return dense(tf.reshape(features, [-1, 784]), weights, "head");
  },
  gpt: transform,
};

export const plays = (workload: Workload): boolean => workload.name in forwards;

export const create: CreateEngine = (workload) => on("webgpu", workload);

/** One backend of a page is the current one, so each run says which it means. */
export async function on(backend: "webgpu" | "wasm", workload: Workload): Promise<Engine> {
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs: its backend ${backend} did not start`);
  const forward = forwards[workload.name];
  if (forward === undefined) throw new Error(`tfjs: it does not play ${workload.name}`);
  const weights = workload.tensors.map((tensor, index) =>
    tf.variable(tf.tensor(startingWeights(workload, index), [...tensor.shape])),
  );
  const named = new Map(workload.tensors.map(({ name }, i) => [name, weights[i] as tf.Tensor]));
  const batches = Array.from({ length: BATCHES }, (_, k) => {
    const { x, y } = batchOf(workload, k);
    return {
      x: tf.tensor(workload.tokens === undefined ? x : Int32Array.from(x), [workload.batch, ...workload.input]),
      y: tf.oneHot(tf.tensor1d(Int32Array.from(y), "int32"), workload.classes),
    };
  });
  const optimizer = tf.train.adam(adam.lr, adam.beta1, adam.beta2, adam.epsilon);

  const step = (index: number, lossWanted: boolean): tf.Scalar | null => {
    const { x, y } = batches[index % BATCHES] as (typeof batches)[number];
    const lossOf = (): tf.Scalar =>
      tf.losses.softmaxCrossEntropy(
        y,
        forward(x, (wanted) => named.get(wanted) as tf.Tensor),
      );
    return optimizer.minimize(lossOf, lossWanted, weights);
  };
  return {
    backend,
    async run(first, steps) {
      await tf.setBackend(backend);
      const last = first + steps - 1;
      for (let index = first; index < last; index++) step(index, false);
      const tensor = step(last, true) as tf.Scalar;
      const [loss] = await tensor.data();
      tensor.dispose();
      return loss as number;
    },
    dispose() {
      optimizer.dispose();
      tf.dispose([weights, batches]);
    },
  };
}
