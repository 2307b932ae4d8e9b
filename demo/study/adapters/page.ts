// Runs where the study trains: reads the networks once and fine-tunes them when demo/study/adapters/main.ts asks for it. All runs share a
// device, which knows their pipelines after the first.

import { merge } from "../../../src/adapter/index.ts";
import {
  adamw,
  type CompileOptions,
  compile,
  cosineAnnealingLR,
  crossEntropy,
  type Layer,
  NonFiniteError,
  type Trainer,
} from "../../../src/index.ts";
import { sharedDevice } from "../../page/shared-device.ts";
import { methodOf } from "./method.ts";
import { type Files, type Network, networks } from "./networks.ts";
import type { Request, Task, TaskName, Tuned } from "./plan.ts";

declare global {
  /** What demo/study/adapters/main.ts calls here. `untuned`: the figure of the network as it came, a new head as it begins. */
  var openNetwork: (name: TaskName, files: Files) => Promise<void>;
  var untunedNetwork: (task: Task) => Promise<number>;
  var tuneNetwork: (request: Request) => Promise<Tuned>;
}

const opened = new Map<TaskName, Network>();

globalThis.openNetwork = async (name, files) => {
  opened.set(name, await networks[name](files));
};

const networkOf = (task: Task): Network => {
  const network = opened.get(task.name);
  if (network === undefined) throw new Error(`${task.name}: not opened yet.`);
  return network;
};

async function trainerOf(
  model: Layer,
  { input, weights }: Network,
  options: Partial<CompileOptions>,
): Promise<Trainer> {
  const device = await sharedDevice();
  return compile(model, { input, loss: crossEntropy(), weights, ...options, ...(device && { device }) });
}

async function judged(trainer: Trainer, network: Network, part: Request["part"], count: number): Promise<number> {
  const held = network.held(part, count);
  return network.figureOf(await trainer.evaluate(held), held);
}

globalThis.untunedNetwork = async (task) => {
  const network = networkOf(task);
  const trainer = await trainerOf(network.model, network, { batch: task.batch });
  const figure = await judged(trainer, network, "test", task.test);
  trainer.dispose();
  return figure;
};

globalThis.tuneNetwork = async ({ task, method, rate, seed, part }) => {
  const { steps, batch } = task;
  const network = networkOf(task);
  const { model, ...base } = methodOf(network, method);
  const trainer = await trainerOf(model, network, {
    ...{ ...base, batch, seed },
    optimizer: adamw({ lr: rate, weightDecay: 0.01 }),
    schedule: cosineAnnealingLR({ steps }),
  });
  const trained = trainer.rates.table().reduce((sum, { parameterCount }) => sum + parameterCount, 0);
  try {
    const samples = await network.training(task, seed);
    const since = performance.now();
    await trainer.fit(samples, { steps, epochs: steps });
    const seconds = (performance.now() - since) / 1000;
    const figure = await judged(trainer, network, part, task[part]);
    const apart = method.kind === "lora" && part === "test" ? { apart: await mergedApart(trainer, network, task) } : {};
    return { figure, trained, steps: trainer.steps, seconds, ...apart };
  } catch (error) {
    if (error instanceof NonFiniteError) return { figure: null, trained, steps, seconds: 0 };
    throw error;
  } finally {
    trainer.dispose();
  }
};

/** How far outputs are from those of the plain network with merged weights, as a part of the largest. */
async function mergedApart(trainer: Trainer, network: Network, { batch }: Task): Promise<number> {
  const weights = merge(await trainer.weights());
  const plain = await trainerOf(network.model, { ...network, weights }, { batch });
  const x = await network.probe(batch);
  const [{ data: beside }, { data: merged }] = [await trainer.predict(x), await plain.predict(x)];
  plain.dispose();
  let [most, far] = [0, 0];
  for (const [i, value] of beside.entries()) {
    most = Math.max(most, Math.abs(value));
    far = Math.max(far, Math.abs(value - (merged[i] as number)));
  }
  return far / most;
}
