// A run over samples: so many steps, with a rest to look every few of them. Samples are asked for at each rest: those that are the same
// stay on the GPU and the run goes on in them, with others it begins anew.

import type { FitOptions, Samples, Trainer, Uploaded } from "../../src/index.ts";
import type { Run } from "./player.ts";

/** Who hears of steps. */
export type Listener = Required<Pick<FitOptions, "onStep" | "onStats">>;

/** Steps from one look at the layers to the next. */
const STATS_EVERY = 10;

export class FitRun implements Run {
  readonly trainer: Trainer;
  readonly #samples: () => Given | Promise<Given>;
  readonly #steps: number;
  readonly #every: number;
  readonly #listener: Listener;
  #before: Given | undefined;
  #planned: number;

  /** Plans `steps`, and rests after `every` of them. */
  constructor(trainer: Trainer, samples: () => Given | Promise<Given>, { steps, every }: Plan, listener: Listener) {
    this.trainer = trainer;
    this.#samples = samples;
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
    const samples = await this.#samples();
    const resume = samples === this.#before;
    this.#before = samples;
    if (this.finished) this.#planned += this.#steps;
    const steps = Math.min(this.#every, this.#planned - this.trainer.steps);
    const { onStep, onStats } = this.#listener;
    await this.trainer.fit(samples, { steps, resume, statsEvery: STATS_EVERY, onStep, onStats });
  }

  pause(): void {
    this.trainer.stop();
  }

  dispose(): void {
    this.trainer.dispose();
  }
}

/** What a run is over, on the host or on the GPU already. */
export type Given = Samples | Uploaded;

export interface Plan {
  readonly steps: number;
  readonly every: number;
}
