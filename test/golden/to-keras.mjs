// What TensorFlow.js makes of the models that toKeras wrote, to-keras-*.json, with weights and inputs by the rule of whole numbers:
// to-keras.json.
//
//   NODE_PATH=/tmp/tfjs/node_modules node test/golden/to-keras.mjs      (see keras.mjs)

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const tf = createRequire(`${process.env.NODE_PATH ?? "."}/`)("@tensorflow/tfjs");
const here = (name) => new URL(`./${name}`, import.meta.url);
const size = (shape) => shape.reduce((all, one) => all * one, 1);
const rule = (length, scaled) => Float32Array.from({ length }, (_, i) => scaled(((i * 7919) % 1009) / 1009));

const models = { images: { shape: [2, 8, 9, 2] }, words: { shape: [2, 8], classes: 11 } };
const made = {};
for (const [name, { shape, classes }] of Object.entries(models)) {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(here(`to-keras-${name}.json`), "utf8"));
  const weightSpecs = weightsManifest[0].weights;
  const parts = weightSpecs.map((spec) =>
    rule(size(spec.shape), (x) => (spec.name.endsWith("moving_variance") ? x + 0.5 : 2 * x - 1)),
  );
  const weightData = Float32Array.from(parts.flatMap((part) => [...part])).buffer;
  const net = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
  const scaled = (x) => (classes === undefined ? 2 * x - 1 : Math.floor(x * classes));
  const x = tf.tensor(rule(size(shape), scaled), shape, classes === undefined ? "float32" : "int32");
  made[name] = [...net.predict(x).dataSync()];
}
writeFileSync(here("to-keras.json"), `${JSON.stringify(made)}\n`);
