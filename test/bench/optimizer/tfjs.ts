// TensorFlow.js: its own Adam, given the gradients of all variables at once.

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgpu";
import { adam } from "../../../demo/bench/engine.ts";
import type { CreateContestant } from "./cell.ts";

export const create: CreateContestant = async (slices) => {
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs: its WebGPU backend did not start");
  const variables = slices.map(({ length }) => tf.variable(tf.zeros([length])));
  const gradients = slices.map((slice, i) => ({ name: variables[i]?.name ?? "", tensor: tf.tensor1d(slice) }));
  const optimizer = tf.train.adam(adam.lr, adam.beta1, adam.beta2, adam.epsilon);
  const first = async (variable: tf.Variable): Promise<number> => {
    const head = tf.slice(variable, 0, 1);
    const [value] = await head.data();
    head.dispose();
    return value as number;
  };
  return {
    async run(steps) {
      for (let i = 0; i < steps; i++) optimizer.applyGradients(gradients);
      await first(variables.at(-1) as tf.Variable); // sends off what is still in its command buffer, and waits
    },
    firsts: () => Promise.all(variables.map(first)),
  };
};
