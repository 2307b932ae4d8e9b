// Small models of every class of layers that gradus/keras reads and TensorFlow.js has, as that saves them, with what it makes of an
// input: keras.json. Weights and inputs follow a rule of whole numbers, so they need no random numbers.
//
//   mkdir /tmp/tfjs && cd /tmp/tfjs && npm init -y && npm install @tensorflow/tfjs@4.22.0
//   NODE_PATH=/tmp/tfjs/node_modules node test/golden/keras.mjs

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const tf = createRequire(`${process.env.NODE_PATH ?? "."}/`)("@tensorflow/tfjs");
const { layers: l } = tf;

/** The rule of the data page: fractions of 1009. */
const rule = (shape, scaled) => {
  const length = shape.reduce((all, one) => all * one, 1);
  return tf.tensor(
    Float32Array.from({ length }, (_, i) => scaled(((i * 7919) % 1009) / 1009)),
    shape,
  );
};

const image = { shape: [7, 6, 4], scaled: (x) => 2 * x - 1 };
const input = ({ shape }) => tf.input({ shape });

function model(inputs, outputs) {
  return tf.model({ inputs, outputs });
}

const chain = (first, layers) => {
  const x = input(first);
  return model(
    x,
    layers.reduce((y, layer) => layer.apply(y), x),
  );
};

const cases = {
  convolutions: () => [
    chain(image, [
      l.conv2d({ filters: 5, kernelSize: [4, 2], strides: 2, padding: "same", activation: "tanh", name: "strided" }),
      l.conv2d({ filters: 6, kernelSize: 3, dilationRate: 2, padding: "same", useBias: false, name: "dilated" }),
      l.depthwiseConv2d({
        kernelSize: 3,
        strides: 2,
        padding: "same",
        depthMultiplier: 2,
        activation: "relu",
        name: "depths",
      }),
      l.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same", name: "spread" }),
      l.conv2dTranspose({
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: "valid",
        activation: "sigmoid",
        name: "spread_valid",
      }),
      l.separableConv2d({
        filters: 5,
        kernelSize: 3,
        padding: "valid",
        activation: "elu",
        name: "parted",
      }),
    ]),
    [image],
  ],
  pools: () => {
    const first = input(image);
    const x = l.conv2d({ filters: 4, kernelSize: 1, name: "first" }).apply(first);
    const ways = [
      [l.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }), l.flatten()],
      [l.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }), l.flatten()],
      [
        l.zeroPadding2d({
          padding: [
            [0, 1],
            [2, 3],
          ],
        }),
        l.globalMaxPooling2d({}),
      ],
      [
        l.cropping2D({
          cropping: [
            [1, 0],
            [2, 1],
          ],
        }),
        l.globalAveragePooling2d({}),
      ],
      [l.upSampling2d({ size: [2, 3] }), l.maxPooling2d({ poolSize: [2, 3], strides: [1, 2] }), l.flatten()],
      [l.reshape({ targetShape: [7, 24] }), l.permute({ dims: [2, 1] }), l.flatten()],
      [
        l.reshape({ targetShape: [42, 4] }),
        l.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" }),
        l.globalMaxPooling1d({}),
      ],
      [
        l.reshape({ targetShape: [42, 4] }),
        l.averagePooling1d({ poolSize: 4 }),
        l.globalAveragePooling1d({}),
        l.repeatVector({ n: 3 }),
        l.flatten(),
      ],
    ];
    const outputs = ways.map((layers) => layers.reduce((y, layer) => layer.apply(y), x));
    return [model(first, l.concatenate().apply(outputs)), [image]];
  },
  norms: () => [
    chain(image, [
      l.batchNormalization({ epsilon: 0.01, name: "whole" }),
      l.batchNormalization({ scale: false, name: "shifted" }),
      l.layerNormalization({ name: "rows" }),
      l.batchNormalization({ center: false, axis: 3, name: "scaled" }),
      l.layerNormalization({ scale: false, epsilon: 0.1, name: "rows_shifted" }),
      l.batchNormalization({ center: false, scale: false, name: "bare" }),
      l.dropout({ rate: 0.3 }),
    ]),
    [image],
  ],
  activations: () => {
    const x = input(image);
    const names = [
      "linear",
      "relu",
      "relu6",
      "elu",
      "selu",
      "tanh",
      "sigmoid",
      "hardSigmoid",
      "softplus",
      "softsign",
      "softmax",
      "swish",
      "mish",
      "gelu",
    ];
    const made = [
      ...names.map((activation) => l.activation({ activation })),
      l.reLU({ maxValue: 0.5 }),
      l.reLU({ maxValue: 6 }),
      l.leakyReLU({ alpha: 0.2 }),
      l.leakyReLU(),
      l.elu(),
      l.prelu({ sharedAxes: [1, 2], name: "slopes" }),
      l.softmax({ axis: -1 }),
    ];
    const large = { ...image, scaled: (v) => 8 * v - 4 };
    return [model(x, l.concatenate({ axis: 3 }).apply(made.map((layer) => layer.apply(x)))), [large]];
  },
  sequence: () => {
    const words = { shape: [9], scaled: (x) => Math.floor(x * 20), classes: 20 };
    const recurrent = { units: 3, recurrentActivation: "sigmoid", returnSequences: true };
    return [
      chain(words, [
        l.embedding({ inputDim: 20, outputDim: 6, name: "words" }),
        l.conv1d({ filters: 5, kernelSize: 3, padding: "same", dilationRate: 2, name: "dilated" }),
        l.conv1d({ filters: 4, kernelSize: 2, strides: 2, padding: "same", activation: "relu", name: "halved" }),
        l.lstm({ ...recurrent, name: "first" }),
        l.bidirectional({ layer: l.lstm({ ...recurrent, name: "within" }), mergeMode: "concat", name: "both" }),
        l.bidirectional({
          layer: l.lstm({ ...recurrent, name: "within_sum", useBias: false }),
          mergeMode: "sum",
          name: "both_sum",
        }),
        l.timeDistributed({ layer: l.dense({ units: 4, activation: "tanh", name: "inner" }), name: "each" }),
        l.lstm({ units: 2, recurrentActivation: "sigmoid", goBackwards: true, name: "last" }),
      ]),
      [words],
    ];
  },
  gates: () => {
    const signal = { shape: [5, 2], scaled: (x) => 2 * x - 1 };
    const recurrent = { units: 3, recurrentActivation: "sigmoid", returnSequences: true };
    return [
      chain(signal, [
        l.gru({ ...recurrent, name: "first" }),
        l.bidirectional({ layer: l.gru({ ...recurrent, name: "within" }), mergeMode: "concat", name: "both" }),
        l.gru({ ...recurrent, returnSequences: false, useBias: false, goBackwards: true, name: "last" }),
      ]),
      [signal],
    ];
  },
  merges: () => {
    const [one, two] = [
      { shape: [5], scaled: (x) => 2 * x - 1 },
      { shape: [4], scaled: (x) => 3 * x - 1 },
    ];
    const [a, b] = [tf.input({ shape: [5], name: "one" }), tf.input({ shape: [4], name: "two" })];
    const shared = l.dense({ units: 3, activation: "tanh", name: "shared" });
    const left = l.dense({ units: 4, name: "left" }).apply(a);
    const [x, y] = [shared.apply(left), shared.apply(b)];
    const z = l.add({ name: "sum" }).apply([x, y]);
    const joined = l
      .concatenate({ axis: 1, name: "joined" })
      .apply([
        l.multiply({ name: "product" }).apply([x, y, z]),
        l.average({ name: "mean" }).apply([x, y, z]),
        l.maximum({ name: "largest" }).apply([x, y]),
        l.minimum({ name: "smallest" }).apply([x, y]),
        left,
      ]);
    const kind = l.dense({ units: 3, activation: "softmax", name: "kind" }).apply(joined);
    const size = l.dense({ units: 1, activation: "sigmoid", name: "size" }).apply(joined);
    return [model([a, b], [kind, size]), [one, two]];
  },
  models: () => {
    const inner = tf.sequential({
      name: "tower",
      layers: [
        l.dense({ units: 4, activation: "relu", inputShape: [6], name: "fc" }),
        l.batchNormalization({ name: "norm" }),
      ],
    });
    const [a, b] = [
      { shape: [6], scaled: (x) => x },
      { shape: [6], scaled: (x) => 1 - 2 * x },
    ];
    const [x, y] = [tf.input({ shape: [6], name: "a" }), tf.input({ shape: [6], name: "b" })];
    const outer = tf.model({ name: "pair", inputs: [x, y], outputs: [inner.apply(x), inner.apply(y)] });
    const [u, v] = [tf.input({ shape: [6], name: "u" }), tf.input({ shape: [6], name: "v" })];
    const [first, second] = outer.apply([u, v]);
    const head = l.dense({ units: 2, name: "top" });
    return [model([u, v], head.apply(l.concatenate().apply([first, second]))), [a, b]];
  },
  chain: () => [
    tf.sequential({
      layers: [
        l.conv2d({ inputShape: [8, 8, 2], filters: 3, kernelSize: 3, activation: "relu" }),
        l.flatten(),
        l.dense({ units: 4, activation: "hardSigmoid" }),
        l.dense({ units: 3, activation: "softmax" }),
      ],
    }),
    [{ shape: [8, 8, 2], scaled: (x) => 2 * x - 1 }],
  ],
};

const made = {};
for (const [name, make] of Object.entries(cases)) {
  const [net, inputs] = make();
  net.setWeights(
    net.getWeights().map((weight, i) => {
      const isVariance = net.weights[i].originalName.endsWith("moving_variance");
      return rule(weight.shape, (x) => Math.fround(isVariance ? 0.5 + x : (2 * ((x * (i + 3) * 7) % 1) - 1) * 0.6));
    }),
  );
  const batch = 2;
  const given = inputs.map(({ shape, scaled }) => rule([batch, ...shape], scaled));
  const outputs = [net.predict(given.length === 1 ? given[0] : given)].flat();
  let saved;
  await net.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  made[name] = {
    json: {
      modelTopology: saved.modelTopology,
      weightsManifest: [{ paths: ["weights.bin"], weights: saved.weightSpecs }],
    },
    weights: Buffer.from(saved.weightData).toString("base64"),
    inputs: inputs.map(({ shape, classes }, i) => ({
      name: net.inputNames[i],
      shape: [batch, ...shape],
      classes,
      values: [...given[i].dataSync()].map((v) => Number(v.toPrecision(9))),
    })),
    outputs: outputs.map((y, i) => ({
      name: net.outputNames[i],
      shape: y.shape,
      values: [...y.dataSync()].map((v) => Number(v.toPrecision(8))),
    })),
  };
}
writeFileSync(new URL("./keras.json", import.meta.url), `${JSON.stringify(made)}\n`);
