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
  const data = dataOf(workload);
  const block = (trainer: Trainer): Promise<unknown> => trainer.fit(data, { steps, shuffle: false, resume: true });
  const times = { one: [] as number[], many: [] as number[] };
  let dispatches: CohortRow["dispatches"] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    progress(`cohort: ${name}, round ${round + 1} of ${rounds}`);
    // Made anew, since it is worth some per cent where the buffers of a trainer lie.
    const one = await trainerOf(workload);
    const cohort = await compileCohort(models[name](), {
      ...{ copies, input: workload.input, batch: workload.batch, loss: crossEntropy() },
      optimizer: adamRule({ lr, betas: [beta1, beta2], eps: epsilon }),
      rates: (k) => ({ "**": lr / 2 ** k }),
    });
    // Kernels are compiled and batches uploaded.
    for (const trainer of [one, cohort.trainer]) await block(trainer);
    const turns = [
      async () => times.one.push((await milliseconds(() => block(one))) / steps),
      async () => times.many.push((await milliseconds(() => block(cohort.trainer))) / steps),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    dispatches = [dispatchesOf(one.recording()), dispatchesOf(cohort.trainer.recording())];
    one.dispose();
    cohort.dispose();
  }
  return { workload: name, copies, dispatches, ...times };
};
