// The workloads as TensorFlow.js writes them. Not `tf.fused`: its gradients include that of the first layer's input, which costs more here
// than the fusion saves.

import * as tf from "@tensorflow/tfjs-core";
import { gptSize, type WorkloadName } from "../../demo/bench/workload.ts";

/** The weight of a name. */
type Weights = (name: string) => tf.Tensor;

const dense = (x: tf.Tensor, weights: Weights, name: string): tf.Tensor =>
  tf.add(tf.matMul(x, weights(`${name}.weight`)), weights(`${name}.bias`));

const convolve = (x: tf.Tensor, weights: Weights, name: string): tf.Tensor4D => {
  const features = tf.conv2d(x as tf.Tensor4D, weights(`${name}.weight`) as tf.Tensor4D, 1, "same");
  return tf.maxPool(tf.relu(tf.add<tf.Tensor4D>(features, weights(`${name}.bias`))), 2, 2, "valid");
};

/** Layer norm or that of a batch, with PyTorch's epsilon. */
function norm(x: tf.Tensor, weights: Weights, name: string, axes: number | number[] = -1): tf.Tensor {
  const { mean, variance } = tf.moments(x, axes, true);
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

/** A transformer block over rows of [batch length, units]. */
function block(rows: tf.Tensor, weights: Weights, name: string, isCausal: boolean): tf.Tensor {
  const { heads, units } = gptSize;
  const length = isCausal ? gptSize.length : PATCHES;
  const normed = norm(rows, weights, `${name}.norm1`);
  const part = (which: string): tf.Tensor => {
    const all = dense(normed, weights, `${name}.attention.${which}`);
    return tf.transpose(tf.reshape(all, [-1, length, heads, units / heads]), [0, 2, 1, 3]);
  };
  const scores = tf.mul(tf.matMul(part("query"), part("key"), false, true), 1 / Math.sqrt(units / heads));
  const seen = tf.matMul(tf.softmax(isCausal ? tf.add(scores, maskOf(length)) : scores), part("value"));
  const joined = tf.reshape(tf.transpose(seen, [0, 2, 1, 3]), [-1, units]);
  const after = tf.add(rows, dense(joined, weights, `${name}.attention.output`));
  const hidden = dense(norm(after, weights, `${name}.norm2`), weights, `${name}.hidden`);
  return tf.add(after, dense(gelu(hidden), weights, `${name}.output`));
}

const blocks = (rows: tf.Tensor, weights: Weights, names: readonly string[], isCausal: boolean): tf.Tensor =>
  names.reduce((value, name) => block(value, weights, name, isCausal), rows);

/** What tokens stand for, as rows. A product with one-hot rows finds them: the gradient of `gather` has no WebGPU kernel. */
function found(x: tf.Tensor, table: tf.Tensor): tf.Tensor {
  const { vocabulary } = gptSize;
  return tf.matMul(tf.reshape(tf.oneHot(tf.cast(x, "int32"), vocabulary), [-1, vocabulary]), table);
}

function gpt(x: tf.Tensor, weights: Weights): tf.Tensor {
  const { length, units } = gptSize;
  const table = weights("tokens.weight");
  const placed = tf.add(tf.reshape(found(x, table), [-1, length, units]), weights("places.weight"));
  const names = Array.from({ length: gptSize.blocks }, (_, i) => `block${i}`);
  const rows = blocks(tf.reshape(placed, [-1, units]), weights, names, true);
  return tf.matMul(norm(rows, weights, "norm"), table, false, true);
}

/** Patches of an image of the vit, and its blocks. */
const [PATCHES, BLOCKS] = [16, 3];

function vit(x: tf.Tensor, weights: Weights): tf.Tensor {
  const { units } = gptSize;
  const convolved = tf.conv2d(x as tf.Tensor4D, weights("patches.0.weight") as tf.Tensor4D, 7, "valid");
  const patches = tf.reshape(tf.add(convolved, weights("patches.0.bias")), [-1, PATCHES, units]);
  const rows = tf.reshape(tf.add(patches, weights("patches.2.weight")), [-1, units]);
  const names = Array.from({ length: BLOCKS }, (_, i) => `blocks.${i}`);
  const seen = tf.reshape(norm(blocks(rows, weights, names, false), weights, "norm"), [-1, PATCHES, units]);
  return dense(tf.mean(seen, 1), weights, "head");
}

/** A convolution and a norm of the batch. */
function normed(x: tf.Tensor, weights: Weights, name: string, stride = 1): tf.Tensor {
  const filter = weights(`${name}.conv.weight`) as tf.Tensor4D;
  return norm(tf.conv2d(x as tf.Tensor4D, filter, stride, "same"), weights, `${name}.norm`, [0, 1, 2]);
}

function resnet(x: tf.Tensor, weights: Weights): tf.Tensor {
  let features = tf.relu(normed(x, weights, "stem.one"));
  for (const [stage, stride] of [1, 2, 2].entries()) {
    const name = `stage${stage + 1}`;
    const one = tf.relu(normed(features, weights, `${name}.inner.one`, stride));
    const around = stride === 1 ? features : normed(features, weights, `${name}.around`, stride);
    features = tf.relu(tf.add(normed(one, weights, `${name}.inner.two`), around));
  }
  return dense(tf.mean(features, [1, 2]), weights, "head");
}

/** Units of the lstm. */
const HIDDEN = 128;

/** Place by place; the input's part of all gates is one product. */
function lstm(x: tf.Tensor, weights: Weights): tf.Tensor {
  const { length } = gptSize;
  const gates = dense(found(x, weights("tokens.weight")), weights, "read");
  const places = tf.unstack(tf.reshape(gates, [-1, length, 4 * HIDDEN]), 1);
  const recurrent = weights("read.recurrentWeight");
  let [hidden, cell] = [undefined as tf.Tensor | undefined, undefined as tf.Tensor | undefined];
  const seen = places.map((place) => {
    const all = hidden === undefined ? place : tf.add(place, tf.matMul(hidden, recurrent));
    const [input, forget, held, output] = tf.split(all, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const fresh = tf.mul(tf.sigmoid(input), tf.tanh(held));
    cell = cell === undefined ? fresh : tf.add(tf.mul(tf.sigmoid(forget), cell), fresh);
    hidden = tf.mul(tf.sigmoid(output), tf.tanh(cell));
    return hidden;
  });
  return dense(tf.reshape(tf.stack(seen, 1), [-1, HIDDEN]), weights, "head");
}

/** Of each workload that TensorFlow.js plays: inputs, and weights by name, to scores. */
export const forwards: Partial<Record<WorkloadName, (x: tf.Tensor, weights: Weights) => tf.Tensor>> = {
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
  ...{ gpt, vit, resnet, lstm },
};
