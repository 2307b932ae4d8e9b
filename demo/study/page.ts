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

/** Where all networks are, what they see and what they lose. */
export async function shared(): Promise<Pick<CompileOptions, "device" | "input" | "loss">> {
  const device = await sharedDevice();
  return { ...(device && { device }), input: [SIZE, SIZE, 1], loss: crossEntropy() };
}

const network = async (family: Family, options: Partial<CompileOptions>): Promise<Trainer> =>
  compile(studyNetwork(classes(family)), { ...options, ...(await shared()) });

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

/** What a task takes over of what pre-training came to; new digits get a new head. */
export function takenOver({ family, shift }: Task, seed: number): Map<string, HostTensor> {
  const weights = pretrained.get(`${family} ${seed}`);
  if (weights === undefined) throw new Error(`${family} ${seed}: not pre-trained yet.`);
  return new Map([...weights].filter(([name]) => shift !== "new digits" || !name.startsWith("head.")));
}

/** The labelled images of a task. */
export const tuningOf = (task: Task, seed: number): Promise<Digits> =>
  digitsOf({ ...task, part: "tuning", drawn: { perClass: task.perClass, seed } });

/** What a run is judged by. */
export function judge({ task, part, budget }: Pick<Request, "task" | "part" | "budget">): Promise<Digits> {
  return digitsOf({ ...task, part, count: budget[part] });
}

globalThis.untuned = async ({ task, seed, part, budget }) => {
  const trainer = await network(task.family, { batch: budget.batch, seed: seed + 1 });
  trainer.setWeights(takenOver(task, seed));
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
  trainer.setWeights(takenOver(task, seed));
  const samples = await tuningOf(task, seed);
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
