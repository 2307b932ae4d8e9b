// The order of the study: for each task one sweep of rates for each kind, in its middle size, then all methods on every seed with the rate of
// their kind. What earlier results hold is not done again, so a study that was stopped goes on. Who trains is not its business.

import type { Standing } from "../progress.ts";
import type { Bench } from "./place.ts";
import {
  type Budget,
  type Kind,
  kindNames,
  type Method,
  methodsOf,
  type Task,
  type TaskName,
  type Tuned,
  titleOf,
} from "./plan.ts";

/** One fine-tuning that counts, or one of a sweep. */
export interface Run extends Method, Tuned {
  readonly task: TaskName;
  readonly rate: number;
  readonly seed: number;
}

export interface Results {
  readonly adapter: string;
  readonly seeds: number;
  readonly budget: Budget;
  readonly untuned: { readonly task: TaskName; readonly figure: number }[];
  readonly sweeps: Run[];
  readonly runs: Run[];
}

export interface StudyOptions {
  readonly results: Results;
  readonly bench: Pick<Bench, "untuned" | "tune">;
  readonly onProgress: (standing: Standing) => void;
  /** After each fine-tuning. */
  readonly onRun: (results: Results) => void;
  readonly stopping: () => boolean;
}

export const begun = (adapter: string, budget: Budget, seeds: number): Results => ({
  ...{ adapter, seeds, budget },
  ...{ untuned: [], sweeps: [], runs: [] },
});

/** Fine-tunings that there are to be. */
export const totalOf = ({ budget, seeds }: Results): number =>
  budget.tasks.reduce((sum, { rates }) => sum + kindNames.length * rates.length + methodsOf(budget).length * seeds, 0);
export const isComplete = (results: Results): boolean =>
  results.sweeps.length + results.runs.length === totalOf(results);

/** Whether one figure of a task is better than another; one that is none is worse than all. */
export const isBetter = ({ rises }: Task, one: number | null, other: number | null): boolean =>
  one !== null && (other === null || (rises ? one > other : one < other));

/** The best rate of a kind. */
export function bestRate({ sweeps }: Results, task: Task, kind: Kind): number {
  const [first, ...more] = sweeps.filter((one) => one.task === task.name && one.kind === kind) as [Run, ...Run[]];
  return more.reduce((best, one) => (isBetter(task, one.figure, best.figure) ? one : best), first).rate;
}

/** Adds to the results until they are complete, or `stopping` says so. */
export async function study({ results, bench, onProgress, onRun, stopping }: StudyOptions): Promise<void> {
  const { budget, seeds, sweeps, runs, untuned } = results;
  let [made, seconds] = [0, 0];

  async function tune(into: Run[], task: Task, method: Method, rate: number, seed: number): Promise<void> {
    const { name } = task;
    const isSame = (one: Run): boolean =>
      one.task === name &&
      one.kind === method.kind &&
      one.size === method.size &&
      one.rate === rate &&
      one.seed === seed;
    if (stopping() || into.some(isSame)) return;
    const [done, total] = [sweeps.length + runs.length, totalOf(results)];
    const doing = `${titleOf(method)}, rate ${rate}${into === sweeps ? ", sweep" : `, seed ${seed}`}`;
    onProgress({ task, doing, done, total, secondsLeft: ((total - done) * seconds) / made });
    const since = performance.now();
    const tuned = await bench.tune({ task, method, rate, seed, part: into === sweeps ? "validation" : "test" });
    seconds += (performance.now() - since) / 1000;
    made++;
    into.push({ task: name, ...method, rate, seed, ...tuned });
    onRun(results);
  }

  const methods = methodsOf(budget);
  for (const task of budget.tasks) {
    if (stopping()) return;
    if (!untuned.some((one) => one.task === task.name))
      untuned.push({ task: task.name, figure: await bench.untuned(task) });
    for (const kind of kindNames) {
      const own = methods.filter((method) => method.kind === kind);
      const middle = own[Math.floor((own.length - 1) / 2)] as Method;
      for (const rate of task.rates) await tune(sweeps, task, middle, rate, budget.sweepSeed);
    }
    for (let seed = 0; seed < seeds && !stopping(); seed++)
      for (const method of methods) await tune(runs, task, method, bestRate(results, task, method.kind), seed);
  }
}
