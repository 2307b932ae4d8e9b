// TensorFlow.js on its WebGPU backend, the way its guide says: variables, an optimizer, and `minimize` once
// per step. Its layouts are those of the workloads, so weights and images go in as they are. Not `tf.fused`:
// its gradients include that of the first layer's input, which costs more here than the fusion saves.

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-backend-webgpu";
import { adam, type CreateEngine, type Engine } from "../../demo/bench/engine.ts";
import { BATCHES, batchOf, startingWeights, type Workload } from "../../demo/bench/workload.ts";
import { forwards } from "./tfjs-networks.ts";

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
