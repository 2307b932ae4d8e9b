// Programs for the tests that need no GPU: any model with the least of options, and the two reference workloads.

import { workloads } from "../../demo/bench/workload.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { conv2d, dense, flatten, maxPool2d, relu, sequential } from "../../src/index.ts";
import { crossEntropy } from "../../src/model/loss.ts";
import type { Model } from "../../src/op/layer.ts";
import { adam } from "../../src/optim/rule/adam.ts";
import { buildProgram, type Program, type ProgramOptions } from "../../src/step/program.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { alone } from "../reference/streams.ts";

/** `input` is the shape of the only input. */
type Options = Partial<Omit<ProgramOptions, "model">> & { readonly input?: readonly number[] };

/** The program of a model; by default a training step with Adam on 32 samples of f32, for a GPU. */
export const programOf = (model: Model, { input = [6], inputs = alone(input), ...options }: Options = {}): Program =>
  buildProgram({
    model,
    inputs,
    batch: 32,
    loss: crossEntropy(),
    update: plainUpdate(adam().rule),
    sampled: false,
    format: plainFormat(inputs),
    mode: "train",
    frozen: new Set(),
    software: false,
    ...options,
  });

const { mlp, cnn } = workloads;

/** The two workloads of the benchmark, and a chain of 32 equal layers. */
export const referenceModels = {
  mlp: {
    model: sequential({ fc1: dense(256), relu1: relu(), fc2: dense(128), relu2: relu(), fc3: dense(10) }),
    input: mlp.input,
    batch: mlp.batch,
  },
  cnn: {
    model: sequential({
      conv1: conv2d(8, { padding: "same" }),
      relu1: relu(),
      pool1: maxPool2d(2),
      conv2: conv2d(16, { padding: "same" }),
      relu2: relu(),
      pool2: maxPool2d(2),
      flatten: flatten(),
      head: dense(10),
    }),
    input: cnn.input,
    batch: cnn.batch,
  },
  deep: {
    model: sequential([...Array.from({ length: 32 }, () => sequential([dense(64), relu()])), dense(10)]),
    input: [64],
    batch: 1024,
  },
} as const;

const referenceProgram =
  (name: keyof typeof referenceModels) =>
  (options: Options = {}): Program =>
    programOf(referenceModels[name].model, { ...referenceModels[name], ...options });

export const referencePrograms = {
  mlp: referenceProgram("mlp"),
  cnn: referenceProgram("cnn"),
  deep: referenceProgram("deep"),
};
