// A run over samples: so many steps, with a rest to look every few of them.

import type { FitOptions, Samples, Trainer } from "../../src/index.ts";
import type { Run } from "./player.ts";

/** Who hears of steps. */
export type Listener = Required<Pick<FitOptions, "onStep" | "onStats">>;

/** Steps from one look at the layers to the next. */
const STATS_EVERY = 10;

export class FitRun implements Run {
  readonly trainer: Trainer;
  readonly #data: Samples;
  readonly #steps: number;
  readonly #every: number;
  readonly #listener: Listener;
  #planned: number;

  /** Plans `steps`, and rests after `every` of them. */
  constructor(trainer: Trainer, data: Samples, { steps, every }: Plan, listener: Listener) {
    this.trainer = trainer;
    this.#data = data;
    this.#steps = this.#planned = steps;
    this.#every = every;
    this.#listener = listener;
  }

  get stepsPlanned(): number {
    return this.#planned;
  }

  get finished(): boolean {
    return this.trainer.steps >= this.#planned;
  }

  async go(): Promise<void> {
    if (this.finished) this.#planned += this.#steps;
    const steps = Math.min(this.#every, this.#planned - this.trainer.steps);
    const { onStep, onStats } = this.#listener;
    await this.trainer.fit(this.#data, { steps, resume: true, statsEvery: STATS_EVERY, onStep, onStats });
  }

  pause(): void {
    this.trainer.stop();
  }

  dispose(): void {
    this.trainer.dispose();
  }
}

export interface Plan {
  readonly steps: number;
  readonly every: number;
}
