// The reference workloads as Gradus models: their tensors bear the names that workload.ts gives them.

import { conv2d, dense, flatten, type Layer, maxPool2d, relu, sequential } from "../../src/index.ts";
import { startingWeights, type Workload } from "./workload.ts";

export const models: Readonly<Record<Workload["name"], () => Layer>> = {
  mlp: () => sequential({ fc1: dense(256), relu1: relu(), fc2: dense(128), relu2: relu(), fc3: dense(10) }),
  cnn: () =>
    sequential({
      conv1: conv2d(8, { kernel: 3, padding: "same" }),
      relu1: relu(),
      pool1: maxPool2d(2),
      conv2: conv2d(16, { kernel: 3, padding: "same" }),
      relu2: relu(),
      pool2: maxPool2d(2),
      flatten: flatten(),
      head: dense(10),
    }),
};

/** The workload's starting weights by tensor name. */
export const startOf = (workload: Workload): Record<string, Float32Array> =>
  Object.fromEntries(workload.tensors.map(({ name }, i) => [name, startingWeights(workload, i)]));
