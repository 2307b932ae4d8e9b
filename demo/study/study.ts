// The study: for each task a sweep that gives every method its own best rate, then all methods on every seed. Who trains
// is not its business; after each training it says where it stands.

import {
  type Budget,
  type Family,
  type MethodName,
  methodNames,
  methods,
  type Request,
  type Task,
  type Tuned,
} from "./plan.ts";
import type { Standing } from "./progress.ts";

/** One fine-tuning that counts. */
export interface Run extends Tuned {
  readonly task: string;
  readonly method: MethodName;
  readonly seed: number;
  readonly rate: number;
}

/** One rate of a sweep; the accuracy is the mean over the seeds of the sweep. */
export interface Try {
  readonly task: string;
  readonly method: MethodName;
  readonly rate: number;
  readonly accuracy: number;
  readonly steps: number;
}

export interface Results {
  adapter: string;
  /** False where it was stopped. */
  complete: boolean;
  readonly seeds: number;
  readonly methods: typeof methods;
  readonly budget: Budget;
  readonly tasks: readonly Task[];
  /** Test accuracy on what they were pre-trained for. */
  readonly pretrained: { readonly family: Family; readonly seed: number; readonly accuracy: number }[];
  /** Test accuracy on the task before the first step of fine-tuning. */
  readonly untuned: { readonly task: string; readonly seed: number; readonly accuracy: number }[];
  readonly sweeps: Try[];
  readonly runs: Run[];
}

/** Who trains. */
export interface Bench {
  pretrain(family: Family, seed: number, budget: Budget): Promise<number>;
  untuned(request: Omit<Request, "method" | "rate">): Promise<number>;
  tune(request: Request): Promise<Tuned>;
}

export interface StudyOptions {
  readonly adapter: string;
  readonly tasks: readonly Task[];
  readonly budget: Budget;
  readonly seeds: number;
  readonly bench: Bench;
  readonly onProgress: (standing: Standing) => void;
  /** After each task, with all that there is. */
  readonly onTask?: (results: Results) => void;
  readonly stopping: () => boolean;
}

/** Runs it to the end, or until `stopping` says so. */
export async function study(options: StudyOptions): Promise<Results> {
  const { adapter, tasks, budget, seeds, bench, onProgress, onTask, stopping } = options;
  const { rates, sweepSeeds } = budget;
  const results: Results = {
    ...{ adapter, complete: false, seeds, methods, budget, tasks },
    ...{ pretrained: [], untuned: [], sweeps: [], runs: [] },
  };
  const families = new Set(tasks.map(({ family }) => family)).size;
  const pretraining = createClock(families * (seeds + sweepSeeds.length));
  const tuning = createClock(tasks.length * methodNames.length * (seeds + sweepSeeds.length * rates.length));

  /** Does one thing and says so; does nothing once it is to stop. */
  async function timed<T>(clock: Clock, task: Task, doing: string, work: () => Promise<T>): Promise<T | undefined> {
    if (stopping()) return undefined;
    const secondsLeft = pretraining.secondsLeft() + tuning.secondsLeft();
    onProgress({ task, doing, done: tuning.done(), total: tuning.total, secondsLeft });
    return clock.time(work);
  }

  async function prepare(task: Task, seed: number): Promise<void> {
    const { family } = task;
    if (results.pretrained.some((one) => one.family === family && one.seed === seed)) return;
    const doing = `pre-training with seed ${seed}`;
    const accuracy = await timed(pretraining, task, doing, () => bench.pretrain(family, seed, budget));
    if (accuracy !== undefined) results.pretrained.push({ family, seed, accuracy });
  }

  function tune(request: Omit<Request, "budget">): Promise<Tuned | undefined> {
    const { task, method, rate } = request;
    const doing = `${methods[method]}, rate ${rate}${request.part === "validation" ? ", sweep" : `, seed ${request.seed}`}`;
    return timed(tuning, task, doing, () => bench.tune({ ...request, budget }));
  }

  /** The best rate of a method. */
  async function sweep(task: Task, method: MethodName): Promise<number> {
    const tries: Try[] = [];
    for (const rate of rates) {
      const found: Tuned[] = [];
      for (const seed of sweepSeeds) {
        const tuned = await tune({ task, method, rate, seed, part: "validation" });
        if (tuned !== undefined) found.push(tuned);
      }
      if (found.length < sweepSeeds.length) break;
      const accuracy = found.reduce((sum, one) => sum + one.accuracy, 0) / found.length;
      tries.push({ task: task.name, method, rate, accuracy, steps: found[0]?.steps ?? 0 });
    }
    results.sweeps.push(...tries);
    return tries.reduce((best, one) => (one.accuracy > best.accuracy ? one : best), { rate: 0, accuracy: -1 }).rate;
  }

  async function runTask(task: Task): Promise<void> {
    for (const seed of sweepSeeds) await prepare(task, seed);
    const best = new Map<MethodName, number>();
    for (const method of methodNames) best.set(method, await sweep(task, method));
    for (let seed = 0; seed < seeds && !stopping(); seed++) {
      await prepare(task, seed);
      if (stopping()) break;
      const accuracy = await bench.untuned({ task, seed, part: "test", budget });
      results.untuned.push({ task: task.name, seed, accuracy });
      for (const method of methodNames) {
        const rate = best.get(method) as number;
        const tuned = await tune({ task, method, rate, seed, part: "test" });
        if (tuned !== undefined) results.runs.push({ task: task.name, method, seed, rate, ...tuned });
      }
    }
  }

  for (const task of tasks) {
    if (stopping()) break;
    await runTask(task);
    results.complete = tuning.done() === tuning.total;
    onTask?.(results);
  }
  return results;
}

type Clock = ReturnType<typeof createClock>;

/** Times things of one kind, of which there are `total`. */
function createClock(total: number) {
  let [done, seconds] = [0, 0];
  return {
    total,
    done: () => done,
    async time<T>(work: () => Promise<T>): Promise<T> {
      const since = performance.now();
      const result = await work();
      seconds += (performance.now() - since) / 1000;
      done++;
      return result;
    },
    secondsLeft: () => (total === done ? 0 : ((total - done) * seconds) / done),
  };
}
