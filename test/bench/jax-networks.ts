// The workloads as jax-js writes them: what is in NHWC there is in NCHW here. Every call takes over its arguments; `.ref` keeps one for
// another use.

import { lax, nn, numpy as np } from "@jax-js/jax";
import { gptSize, type WorkloadName } from "../../demo/bench/workload.ts";

/** The weight of a name; each may be taken once. */
type Weights = (name: string) => np.Array;

const dense = (x: np.Array, weights: Weights, name: string): np.Array =>
  np.dot(x, weights(`${name}.weight`)).add(weights(`${name}.bias`));

/** What adds along the channels of an image. */
const along = (channels: np.Array): np.Array => channels.reshape([-1, 1, 1]);

const convolve = (x: np.Array, weights: Weights, name: string): np.Array => {
  const convolved = lax.convGeneralDilated(x, weights(`${name}.weight`), [1, 1], "SAME");
  return lax.reduceWindow(nn.relu(convolved.add(along(weights(`${name}.bias`)))), np.max, [2, 2], [2, 2]);
};

const norm = (x: np.Array, weights: Weights, name: string): np.Array =>
  nn
    .standardize(x, -1)
    .mul(weights(`${name}.gamma`))
    .add(weights(`${name}.beta`));

/** A transformer block over rows of [batch length, units]. */
function block(rows: np.Array, weights: Weights, name: string, isCausal: boolean): np.Array {
  const { heads, units } = gptSize;
  const length = isCausal ? gptSize.length : PATCHES;
  const normed = norm(rows.ref, weights, `${name}.norm1`);
  const part = (which: string, from: np.Array): np.Array =>
    dense(from, weights, `${name}.attention.${which}`).reshape([-1, length, heads, units / heads]);
  const [query, key, value] = [part("query", normed.ref), part("key", normed.ref), part("value", normed)] as const;
  const seen = nn.dotProductAttention(query, key, value, { isCausal }).reshape([-1, units]);
  const after = rows.add(dense(seen, weights, `${name}.attention.output`));
  const hidden = dense(norm(after.ref, weights, `${name}.norm2`), weights, `${name}.hidden`);
  return after.add(dense(nn.gelu(hidden, { approximate: false }), weights, `${name}.output`));
}

const blocks = (rows: np.Array, weights: Weights, names: readonly string[], isCausal: boolean): np.Array =>
  names.reduce((value, name) => block(value, weights, name, isCausal), rows);

/** What tokens stand for, as rows of [batch length, numbers]. */
const found = (x: np.Array, table: np.Array): np.Array =>
  np.dot(nn.oneHot(x, gptSize.vocabulary).reshape([-1, gptSize.vocabulary]), table);

function gpt(x: np.Array, weights: Weights): np.Array {
  const { length, units } = gptSize;
  const table = weights("tokens.weight");
  const placed = found(x, table.ref).reshape([-1, length, units]).add(weights("places.weight"));
  const names = Array.from({ length: gptSize.blocks }, (_, i) => `block${i}`);
  return np.dot(norm(blocks(placed.reshape([-1, units]), weights, names, true), weights, "norm"), table.transpose());
}

/** Patches of an image of the vit, and its blocks. */
const [PATCHES, BLOCKS] = [16, 3];

function vit(x: np.Array, weights: Weights): np.Array {
  const { units } = gptSize;
  const convolved = lax.convGeneralDilated(x, weights("patches.0.weight"), [7, 7], "VALID");
  const patches = convolved.add(along(weights("patches.0.bias"))).reshape([-1, units, PATCHES]);
  const rows = patches.transpose([0, 2, 1]).add(weights("patches.2.weight")).reshape([-1, units]);
  const names = Array.from({ length: BLOCKS }, (_, i) => `blocks.${i}`);
  const seen = norm(blocks(rows, weights, names, false), weights, "norm").reshape([-1, PATCHES, units]);
  return dense(np.mean(seen, 1), weights, "head");
}

/** A convolution and a norm of the batch. */
function normed(x: np.Array, weights: Weights, name: string, stride = 1): np.Array {
  const convolved = lax.convGeneralDilated(x, weights(`${name}.conv.weight`), [stride, stride], "SAME");
  return nn
    .standardize(convolved, [0, 2, 3])
    .mul(along(weights(`${name}.norm.gamma`)))
    .add(along(weights(`${name}.norm.beta`)));
}

function resnet(x: np.Array, weights: Weights): np.Array {
  let features = nn.relu(normed(x, weights, "stem.one"));
  for (const [stage, stride] of [1, 2, 2].entries()) {
    const name = `stage${stage + 1}`;
    const one = nn.relu(normed(features.ref, weights, `${name}.inner.one`, stride));
    const inner = normed(one, weights, `${name}.inner.two`);
    features = nn.relu(inner.add(stride === 1 ? features : normed(features, weights, `${name}.around`, stride)));
  }
  return dense(np.mean(features, [2, 3]), weights, "head");
}

/** Units of the lstm. */
const HIDDEN = 128;

/** There is no scan: each place is written out. The input's part of all gates is one product. */
function lstm(x: np.Array, weights: Weights): np.Array {
  const { length } = gptSize;
  const gates = dense(found(x, weights("tokens.weight")), weights, "read").reshape([-1, length, 4 * HIDDEN]);
  const recurrent = weights("read.recurrentWeight");
  const places = np.split(gates, length, 1).map((place) => place.reshape([-1, 4 * HIDDEN]));
  let [hidden, cell] = [undefined as np.Array | undefined, undefined as np.Array | undefined];
  const seen = places.map((place) => {
    const all = hidden === undefined ? place : place.add(np.dot(hidden, recurrent.ref));
    const [input, forget, held, output] = np.split(all, 4, 1) as [np.Array, np.Array, np.Array, np.Array];
    const fresh = nn.sigmoid(input).mul(np.tanh(held));
    const open = nn.sigmoid(forget);
    if (cell === undefined) open.dispose();
    cell = cell === undefined ? fresh : open.mul(cell).add(fresh);
    hidden = nn.sigmoid(output).mul(np.tanh(cell.ref));
    return hidden.ref;
  });
  for (const kept of [hidden, cell, recurrent]) kept?.dispose();
  return dense(np.stack(seen, 1).reshape([-1, HIDDEN]), weights, "head");
}

/** Of each workload that jax-js plays: inputs, and weights by name, to scores. */
export const forwards: Partial<Record<WorkloadName, (x: np.Array, weights: Weights) => np.Array>> = {
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
  ...{ gpt, vit, resnet, lstm },
};
