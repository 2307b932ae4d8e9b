// Runs in the browser: pre-trains networks and fine-tunes them when demo/study/main.ts asks for it. Every run compiles
// a trainer of its own, as a user would; all of them share one device, which knows their pipelines after the first.

import {
  adamw,
  type CompileOptions,
  compile,
  cosineAnnealingLR,
  crossEntropy,
  type HostTensor,
  NonFiniteError,
  oneCycle,
  type Trainer,
} from "../../src/index.ts";
import type { Digits } from "../digits.ts";
import { sharedDevice } from "../page/shared-device.ts";
import { classes, digitsOf, SIZE } from "./digits.ts";
import { methodTable } from "./method.ts";
import { studyNetwork } from "./network.ts";
import type { Budget, Family, Request, Task, Tuned } from "./plan.ts";

declare global {
  /** What demo/study/main.ts calls here. Accuracies of a network that was pre-trained and not fine-tuned yet come from
   *  `pretrain`: on its own kind of images, and on a task's. */
  var pretrain: (family: Family, seed: number, budget: Budget) => Promise<number>;
  var untuned: (request: Omit<Request, "method" | "rate">) => Promise<number>;
  var tune: (request: Request) => Promise<Tuned>;
}

async function network(family: Family, options: Omit<CompileOptions, "input" | "loss">): Promise<Trainer> {
  const device = await sharedDevice();
  const on = { ...options, ...(device && { device }), input: [SIZE, SIZE, 1], loss: crossEntropy() };
  return compile(studyNetwork(classes(family)), on);
}

/** For each family and seed. */
const pretrained = new Map<string, ReadonlyMap<string, HostTensor>>();

globalThis.pretrain = async (family, seed, { pretraining, test }) => {
  const { steps, batch, lr } = pretraining;
  const trainer = await network(family, { batch, seed, optimizer: adamw({ lr }), schedule: oneCycle({ steps }) });
  await trainer.fit(await digitsOf({ part: "pretraining", family }), { steps, epochs: steps });
  pretrained.set(`${family} ${seed}`, await trainer.weights());
  const { accuracy } = await trainer.evaluate(await digitsOf({ part: "test", family, count: test }));
  trainer.dispose();
  return accuracy;
};

/** Takes over what pre-training came to; new digits get a new head. */
function takeOver(trainer: Trainer, { family, shift }: Task, seed: number): void {
  const weights = pretrained.get(`${family} ${seed}`);
  if (weights === undefined) throw new Error(`${family} ${seed}: not pre-trained yet.`);
  const kept = [...weights].filter(([name]) => shift !== "new digits" || !name.startsWith("head."));
  trainer.setWeights(Object.fromEntries(kept.map(([name, { data }]) => [name, data])));
}

/** What a run is judged by. */
function judge({ task, part, budget }: Pick<Request, "task" | "part" | "budget">): Promise<Digits> {
  return digitsOf({ ...task, part, count: budget[part] });
}

globalThis.untuned = async ({ task, seed, part, budget }) => {
  const trainer = await network(task.family, { batch: budget.batch, seed: seed + 1 });
  takeOver(trainer, task, seed);
  const { accuracy } = await trainer.evaluate(await judge({ task, part, budget }));
  trainer.dispose();
  return accuracy;
};

globalThis.tune = async ({ task, method, rate, seed, part, budget }) => {
  const { steps, batch } = budget;
  const trainer = await network(task.family, {
    batch,
    seed: seed + 1, // the head of new digits is not that of the pre-training
    optimizer: adamw({ lr: rate, weightDecay: 0.01 }),
    schedule: cosineAnnealingLR({ steps }),
    ...methodTable[method](steps),
  });
  takeOver(trainer, task, seed);
  const samples = await digitsOf({ ...task, part: "tuning", drawn: { perClass: task.perClass, seed } });
  try {
    await trainer.fit(samples, { steps, epochs: steps });
    const { accuracy } = await trainer.evaluate(await judge({ task, part, budget }));
    return { accuracy, steps: trainer.steps };
  } catch (error) {
    if (error instanceof NonFiniteError) return { accuracy: 0, steps };
    throw error;
  } finally {
    trainer.dispose();
  }
};
