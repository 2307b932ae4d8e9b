// The workloads as Gradus models: their tensors bear the names that workload.ts gives them.

import { lora } from "../../src/adapter/index.ts";
import * as gradus from "../../src/index.ts";
import { charGpt } from "../models/char-gpt.ts";
import { charLstm } from "../models/char-lstm.ts";
import { resnet8 } from "../models/resnet8.ts";
import { vitTiny } from "../models/vit-tiny.ts";
import { gptSize, RANK, startingWeights, type Workload, type WorkloadName, workloads } from "./workload.ts";

type Parts = Pick<typeof gradus, "conv2d" | "dense" | "flatten" | "maxPool2d" | "relu" | "sequential">;
type Models<Name extends string> = Readonly<Record<Name, () => gradus.Layer>>;

/** The plain ones in the layers of any build. */
export const modelsOf = ({
  conv2d,
  dense,
  flatten,
  maxPool2d,
  relu,
  sequential,
}: Parts): Models<"mlp" | "deep" | "cnn"> => ({
  mlp: () => sequential({ fc1: dense(256), relu1: relu(), fc2: dense(128), relu2: relu(), fc3: dense(10) }),
  deep: () => {
    const layers = Array.from({ length: 32 }, (_, i) => [
      [`fc${i}`, dense(64)],
      [`relu${i}`, relu()],
    ]);
    return sequential({ ...Object.fromEntries(layers.flat()), head: dense(10) });
  },
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

export const models: Models<WorkloadName> = {
  ...modelsOf(gradus),
  gpt: () => charGpt(gptSize),
  resnet: () => resnet8(),
  vit: () => vitTiny(),
  lstm: () => charLstm(workloads.lstm.classes),
  finetune: () => resnet8(),
  lora: () => lora(charGpt(gptSize), { layers: "**.attention", rank: RANK }),
};

/** The workload's starting weights by tensor name. */
export const startOf = (workload: Workload): Record<string, Float32Array> =>
  Object.fromEntries(workload.tensors.map(({ name }, i) => [name, startingWeights(workload, i)]));
