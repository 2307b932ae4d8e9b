// Runs in the browser: a workload with many copies of its network beside the same with one, in turn.

import { adam } from "../../../demo/bench/engine.ts";
import { dataOf, trainerOf } from "../../../demo/bench/gradus.ts";
import { models } from "../../../demo/bench/model.ts";
import { milliseconds } from "../../../demo/bench/timing.ts";
import { workloads } from "../../../demo/bench/workload.ts";
import { compileCohort } from "../../../src/cohort/index.ts";
import { adam as adamRule, crossEntropy, type Trainer } from "../../../src/index.ts";
import { dispatchesOf } from "../../../src/step/record.ts";
import type { CohortRow, CohortWorkload } from "./report.ts";

export interface CohortTask {
  readonly workload: CohortWorkload;
  readonly copies: number;
  readonly rounds: number;
  /** Steps of a timed block. */
  readonly steps: number;
}

declare global {
  /** What test/bench/main.ts calls here for `--only cohort`. */
  var measureCohort: (task: CohortTask) => Promise<CohortRow>;
}

globalThis.measureCohort = async ({ workload: name, copies, rounds, steps }) => {
  const workload = workloads[name];
  const { lr, beta1, beta2, epsilon } = adam;
  const one = await trainerOf(workload);
  const cohort = await compileCohort(models[name](), {
    ...{ copies, input: workload.input, batch: workload.batch, loss: crossEntropy() },
    optimizer: adamRule({ lr, betas: [beta1, beta2], eps: epsilon }),
    rates: (k) => ({ "**": lr / 2 ** k }),
  });
  const data = dataOf(workload);
  const block = (trainer: Trainer): Promise<unknown> => trainer.fit(data, { steps, shuffle: false, resume: true });
  // Kernels are compiled and batches uploaded.
  for (const trainer of [one, cohort.trainer]) await block(trainer);
  const times = { one: [] as number[], many: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    progress(`cohort: ${name}, round ${round + 1} of ${rounds}`);
    const turns = [
      async () => times.one.push((await milliseconds(() => block(one))) / steps),
      async () => times.many.push((await milliseconds(() => block(cohort.trainer))) / steps),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  const dispatches = [dispatchesOf(one.recording()), dispatchesOf(cohort.trainer.recording())] as const;
  one.dispose();
  cohort.dispose();
  return { workload: name, copies, dispatches, ...times };
};
