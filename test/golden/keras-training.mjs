// Twenty steps of a small MobileNet in TensorFlow.js, each layer at a rate of its own: keras-training.json. The updates are written out,
// since its optimizers have one rate.
//
//   NODE_PATH=/tmp/tfjs/node_modules node test/golden/keras-training.mjs      (see keras.mjs)

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const tf = createRequire(`${process.env.NODE_PATH ?? "."}/`)("@tensorflow/tfjs");
const { layers: l } = tf;

const fraction = (i) => ((i * 7919) % 1009) / 1009;
const rule = (shape, scaled) => {
  const length = shape.reduce((all, one) => all * one, 1);
  return tf.tensor(
    Float32Array.from({ length }, (_, i) => scaled(fraction(i), i)),
    shape,
  );
};

const [batch, steps, size, classes] = [8, 20, 8, 3];
const normalized = (name, relu) => [
  l.batchNormalization({ momentum: 0.9, name }),
  l.activation({ activation: "relu6", name: relu }),
];
const net = tf.sequential({
  layers: [
    l.conv2d({
      inputShape: [size, size, 2],
      filters: 6,
      kernelSize: 3,
      strides: 2,
      padding: "same",
      useBias: false,
      name: "conv1",
    }),
    ...normalized("conv1_bn", "conv1_relu"),
    l.depthwiseConv2d({ kernelSize: 3, padding: "same", useBias: false, name: "conv_dw" }),
    ...normalized("conv_dw_bn", "conv_dw_relu"),
    l.conv2d({ filters: 8, kernelSize: 1, padding: "same", useBias: false, name: "conv_pw" }),
    ...normalized("conv_pw_bn", "conv_pw_relu"),
    l.globalAveragePooling2d({ name: "pool" }),
    l.dense({ units: classes, activation: "softmax", name: "preds" }),
  ],
});
net.setWeights(
  net.weights.map((weight, i) => {
    const name = weight.originalName;
    if (name.endsWith("gamma") || name.endsWith("moving_variance")) return rule(weight.shape, (x) => 0.8 + 0.4 * x);
    if (name.includes("moving_mean") || name.endsWith("beta")) return rule(weight.shape, (x) => x - 0.3);
    return rule(weight.shape, (x) => 2 * ((x * (i + 3) * 7) % 1) - 1);
  }),
);

let saved;
await net.save(
  tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
  }),
);

/** Samples of step t, and labels. */
const xOf = (t) => rule([batch, size, size, 2], (_, i) => 2 * fraction(i * 31 + t * 977) - 1);
const labelsOf = (t) => Array.from({ length: batch }, (_, i) => (i * 5 + t * 2 + ((i * t) % 2)) % classes);

const rates = {
  conv1: 0.01,
  conv1_bn: 0.02,
  conv_dw: 0.05,
  conv_dw_bn: 0.02,
  conv_pw: 0.08,
  conv_pw_bn: 0.03,
  preds: 0.2,
};
const losses = [];
for (let t = 0; t < steps; t++) {
  const y = tf.oneHot(tf.tensor1d(labelsOf(t), "int32"), classes);
  const { value, grads } = tf.variableGrads(
    () => {
      const made = net.apply(xOf(t), { training: true });
      return tf.neg(tf.mean(tf.sum(tf.mul(y, tf.log(made)), -1)));
    },
    net.trainableWeights.map((weight) => weight.val),
  );
  losses.push(value.dataSync()[0]);
  for (const weight of net.trainableWeights) {
    const rate = rates[weight.originalName.split("/")[0]];
    weight.write(tf.sub(weight.read(), tf.mul(grads[weight.val.name], rate)));
  }
}
writeFileSync(
  new URL("./keras-training.json", import.meta.url),
  `${JSON.stringify({
    json: {
      modelTopology: saved.modelTopology,
      weightsManifest: [{ paths: ["weights.bin"], weights: saved.weightSpecs }],
    },
    weights: Buffer.from(saved.weightData).toString("base64"),
    batch,
    rates,
    losses,
    after: Object.fromEntries(
      net.weights.map((weight) => [
        weight.originalName,
        [...weight.read().dataSync()].map((v) => Number(v.toPrecision(9))),
      ]),
    ),
  })}\n`,
);
console.log(losses);
