// The losses of the golden runs, by which runtimes are held against one another.

import { goldenRun } from "../golden/run.ts";

export interface Losses {
  readonly mlp: readonly number[];
  readonly cnn: readonly number[];
}

/** Of twenty steps with adamw, each workload, on the adapter of this runtime. */
export async function lossesHere(): Promise<Losses> {
  return { mlp: await losses("mlp"), cnn: await losses("cnn") };
}

async function losses(name: keyof Losses): Promise<number[]> {
  const { trainer, losses: golden, batch } = await goldenRun(name, "adamw");
  const found: number[] = [];
  for (const step of golden.keys()) found.push((await trainer.step(batch(step))).loss);
  trainer.dispose();
  return found;
}
