// The reference workloads as Gradus models: their tensors bear the names that workload.ts gives them.

import * as gradus from "../../src/index.ts";
import { startingWeights, type Workload } from "./workload.ts";

type Parts = Pick<typeof gradus, "conv2d" | "dense" | "flatten" | "maxPool2d" | "relu" | "sequential">;
type Models = Readonly<Record<Workload["name"], () => gradus.Layer>>;

/** The models in the layers of any build. */
export const modelsOf = ({ conv2d, dense, flatten, maxPool2d, relu, sequential }: Parts): Models => ({
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
});

export const models = modelsOf(gradus);

/** The workload's starting weights by tensor name. */
export const startOf = (workload: Workload): Record<string, Float32Array> =>
  Object.fromEntries(workload.tensors.map(({ name }, i) => [name, startingWeights(workload, i)]));
