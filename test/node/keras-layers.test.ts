// Every class of layers that is read and TensorFlow.js has: values in f64 beside those of TensorFlow.js in f32.

import { expect, test } from "vitest";
import { fromKeras } from "../../src/keras/index.ts";
import { relativeError } from "../reference/golden-data.ts";
import { inputsOf, kerasCases, sourceOf } from "../reference/keras-cases.ts";
import { runModel } from "../reference/run-model.ts";

test.each(Object.entries(kerasCases))("%s are those of TensorFlow.js", async (_, one) => {
  const { model, weights, report, input } = await fromKeras(sourceOf(one));
  const { outputs } = runModel(model, inputsOf(one), weights);
  expect(report.leftOut).toEqual([]);
  expect(input).toBeDefined();
  const made = [...outputs];
  expect(made.map(([name, { shape }]) => [name, shape])).toEqual(
    one.outputs.map(({ name, shape }) => [one.outputs.length === 1 ? "" : name, shape]),
  );
  for (const [i, { values }] of one.outputs.entries())
    expect(relativeError(made[i]![1].data, values)).toBeLessThan(2e-6);
});
