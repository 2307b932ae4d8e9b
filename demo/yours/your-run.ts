// A run on examples that may change while it rests: what is learnt is asked for anew at each rest, and stays on the GPU while it is the same.

import type { FitOptions, Trainer } from "../../src/index.ts";
import type { PlannedRun } from "../page/lesson.ts";
import type { Samples } from "./examples.ts";
import type { Plan } from "./plan.ts";

type Listener = Required<Pick<FitOptions, "onStep" | "onStats">>;

/** Steps from one rest to look to the next, and from one look at the layers to the next. */
const [EVERY, STATS_EVERY] = [10, 5];

export class YourRun implements PlannedRun {
  readonly trainer: Trainer;
  readonly plan: Plan;
  /** Of training, first compiling included. */
  seconds = 0;
  /** Whether it was paused before its time. */
  stopped = false;
  readonly #steps: number;
  readonly #samples: () => Samples;
  readonly #listener: Listener;
  #planned: number;
  #before: Samples | undefined;

  /** `samples` gives the same object as long as the examples are the same. */
  constructor(trainer: Trainer, plan: Plan, steps: number, samples: () => Samples, listener: Listener) {
    this.trainer = trainer;
    this.plan = plan;
    this.#steps = this.#planned = steps;
    this.#samples = samples;
    this.#listener = listener;
  }

  get stepsPlanned(): number {
    return this.#planned;
  }

  get finished(): boolean {
    return this.trainer.steps >= this.#planned;
  }

  async go(): Promise<void> {
    const samples = this.#samples();
    if (this.finished) this.#planned += this.#steps;
    const steps = Math.min(EVERY, this.#planned - this.trainer.steps);
    const { onStep, onStats } = this.#listener;
    const since = performance.now();
    const resume = samples === this.#before;
    this.#before = samples;
    const { stopped } = await this.trainer.fit(samples.learnt, {
      steps,
      epochs: 1e6,
      resume,
      statsEvery: STATS_EVERY,
      onStep,
      onStats,
    });
    this.stopped = stopped;
    this.seconds += (performance.now() - since) / 1000;
  }

  pause(): void {
    this.trainer.stop();
  }

  dispose(): void {
    this.trainer.dispose();
  }
}
