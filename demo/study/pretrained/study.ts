// The order of the study: of each task what is known of its network, a sweep of rates for each way, then all ways on every seed with the rate
// of each. What earlier results hold is not done again, so a study that was stopped goes on. Who trains is not its business.

import type { Standing } from "../progress.ts";
import {
  type Budget,
  copiesOf,
  fits,
  type Opened,
  type Request,
  type Task,
  type TaskName,
  type Tuned,
  type WayName,
  wayNames,
  ways,
} from "./plan.ts";

/** One fine-tuning, or one of a sweep. */
export interface Run extends Tuned {
  readonly task: TaskName;
  readonly way: WayName;
  /** null of a race, which needs none. */
  readonly rate: number | null;
  readonly seed: number;
}

export interface Results {
  readonly adapter: string;
  readonly seeds: number;
  readonly budget: Budget;
  readonly opened: ({ readonly task: TaskName } & Opened)[];
  readonly sweeps: Run[];
  readonly runs: Run[];
}

/** Who trains. */
export interface Bench {
  open(task: Task): Promise<Opened>;
  tune(request: Request): Promise<Tuned>;
}

export interface StudyOptions {
  readonly results: Results;
  /** Those of the budget that are wanted now. */
  readonly tasks: readonly Task[];
  readonly bench: Bench;
  readonly onProgress: (standing: Standing) => void;
  /** After each fine-tuning. */
  readonly onRun: (results: Results) => void;
  readonly stopping: () => boolean;
}

export const begun = (adapter: string, budget: Budget, seeds: number): Results => ({
  ...{ adapter, seeds, budget },
  ...{ opened: [], sweeps: [], runs: [] },
});

/** Whether one figure of a task is better than another; one that is none is worse than all. */
export const isBetter = ({ figure }: Task, one: number | null, other: number | null): boolean =>
  one !== null && (other === null || (figure === "accuracy" ? one > other : one < other));

/** The tries of a way on a task, by rate. */
export const triesOf = ({ sweeps }: Results, task: Task, way: WayName): readonly Run[] =>
  sweeps.filter((one) => one.task === task.name && one.way === way).toSorted((a, b) => Number(a.rate) - Number(b.rate));

/** The best rate of a way that was swept; null of the race. */
export function bestRate(results: Results, task: Task, way: WayName): number | null {
  const [first, ...more] = triesOf(results, task, way);
  return (
    more.reduce((best, one) => (isBetter(task, one.figure, best?.figure ?? null) ? one : best), first)?.rate ?? null
  );
}

/** All that is to be asked of a task, in order; a run's rate is known once its sweep is made. */
function* asked(results: Results, task: Task): Generator<readonly [into: Run[], request: Request]> {
  const { budget, seeds, sweeps, runs } = results;
  const { rungs, sweepSeed } = budget;
  const own = wayNames.filter((way) => fits(way, task));
  for (const way of own) {
    if (way === "race") continue;
    for (const rate of task.rates) yield [sweeps, { task, way, rate, seed: sweepSeed, part: "validation", rungs }];
  }
  // Races last: each takes as long as a sweep.
  for (const some of [own.filter((way) => way !== "race"), ["race"] as const])
    for (let seed = 0; seed < seeds; seed++)
      for (const way of some)
        yield [runs, { task, way, rate: bestRate(results, task, way), seed, part: "test", rungs }];
}

/** What is still to be done. */
const missingOf = (results: Results, tasks: readonly Task[]): Request[] =>
  tasks.flatMap((task) =>
    [...asked(results, task)].flatMap(([into, request]) => (into.some((one) => isSame(one, request)) ? [] : [request])),
  );

/** A run is known by its way and seed: its rate follows from the sweep. */
const isSame = (one: Run, { task, way, rate, seed, part }: Request): boolean =>
  one.task === task.name && one.way === way && one.seed === seed && (part === "test" || one.rate === rate);

export const isComplete = (results: Results, tasks: readonly Task[] = results.budget.tasks): boolean =>
  missingOf(results, tasks).length === 0;

/** Adds to the results until they are complete, or `stopping` says so. */
export async function study({ results, tasks, bench, onProgress, onRun, stopping }: StudyOptions): Promise<void> {
  const clock = createClock();
  for (const task of tasks) {
    if (stopping()) return;
    if (isComplete(results, [task])) continue;
    const opened = await bench.open(task);
    if (!results.opened.some((one) => one.task === task.name)) results.opened.push({ task: task.name, ...opened });
    for (const [into, request] of asked(results, task)) {
      if (into.some((one) => isSame(one, request))) continue;
      if (stopping()) return;
      const { way, rate, seed, part } = request;
      const left = missingOf(results, tasks);
      const done = results.sweeps.length + results.runs.length;
      const doing = `${ways[way]}${rate === null ? "" : `, rate ${rate}`}${part === "validation" ? ", sweep" : `, seed ${seed}`}`;
      onProgress({ task, doing, done, total: done + left.length, secondsLeft: clock.secondsLeft(left) });
      const tuned = await clock.time(request, () => bench.tune(request));
      into.push({ task: task.name, way, rate, seed, ...tuned });
      onRun(results);
    }
  }
}

/** What trainings take: as long as others of their task did, a race as many times as it has copies. */
function createClock() {
  const times = new Map<TaskName, { seconds: number; weight: number }>();
  const weightOf = ({ way, task }: Request): number => (way === "race" ? copiesOf(task) : 1);
  return {
    async time<T>(request: Request, work: () => Promise<T>): Promise<T> {
      const since = performance.now();
      const result = await work();
      const { name } = request.task;
      const { seconds, weight } = times.get(name) ?? { seconds: 0, weight: 0 };
      times.set(name, { seconds: seconds + (performance.now() - since) / 1000, weight: weight + weightOf(request) });
      return result;
    },
    secondsLeft(requests: readonly Request[]): number {
      const all = [...times.values()];
      const mean =
        all.reduce((sum, { seconds }) => sum + seconds, 0) / all.reduce((sum, { weight }) => sum + weight, 0);
      return requests.reduce((sum, request) => {
        const own = times.get(request.task.name);
        return sum + weightOf(request) * (own === undefined ? mean : own.seconds / own.weight);
      }, 0);
    },
  };
}
