// TensorFlow.js on its WebGPU backend, the way its guide says: variables, an optimizer, and `minimize` once
// per step. Its layouts are those of the workloads, so weights and images go in as they are. Not `tf.fused`:
// its gradients include that of the first layer's input, which costs more here than the fusion saves.

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-backend-webgpu";
import { adam, type CreateEngine } from "./engine.ts";
import { BATCHES, batchOf, startingWeights, type Workload } from "./workload.ts";

type Variable = tf.Variable<tf.Rank>;
type Weights = [w1: Variable, b1: Variable, w2: Variable, b2: Variable, w3: Variable, b3: Variable];

const dense = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor => tf.add(tf.matMul(x, weight), bias);

const convolve = (x: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor): tf.Tensor4D => {
  const features = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same");
  return tf.maxPool(tf.relu(tf.add<tf.Tensor4D>(features, bias)), 2, 2, "valid");
};

const forwards: Readonly<Record<Workload["name"], (x: tf.Tensor, weights: Weights) => tf.Tensor>> = {
  mlp: (x, [w1, b1, w2, b2, w3, b3]) => dense(tf.relu(dense(tf.relu(dense(x, w1, b1)), w2, b2)), w3, b3),
  cnn: (x, [w1, b1, w2, b2, w3, b3]) => {
    const features = convolve(convolve(x, w1, b1), w2, b2);
    return dense(tf.reshape(features, [-1, 784]), w3, b3);
  },
};

export const create: CreateEngine = async (workload) => {
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs: its WebGPU backend did not start");
  const weights = workload.tensors.map((tensor, index) =>
    tf.variable(tf.tensor(startingWeights(workload, index), [...tensor.shape])),
  ) as Weights;
  const batches = Array.from({ length: BATCHES }, (_, k) => {
    const { x, y } = batchOf(workload, k);
    return {
      x: tf.tensor(x, [workload.batch, ...workload.input]),
      y: tf.oneHot(tf.tensor1d(Int32Array.from(y), "int32"), workload.classes),
    };
  });
  const optimizer = tf.train.adam(adam.lr, adam.beta1, adam.beta2, adam.epsilon);
  const forward = forwards[workload.name];

  const step = (index: number, lossWanted: boolean): tf.Scalar | null => {
    const { x, y } = batches[index % BATCHES] as (typeof batches)[number];
    const lossOf = (): tf.Scalar => tf.losses.softmaxCrossEntropy(y, forward(x, weights));
    return optimizer.minimize(lossOf, lossWanted, weights);
  };
  return {
    backend: tf.getBackend(),
    async run(first, steps) {
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
};
