// Means over samples, summed in f64 in the order of the steps.

import type { StepResult } from "../recipe/fit-options.ts";

export class Tally {
  #loss = 0;
  #hits = 0;
  #samples = 0;

  add({ loss, accuracy, samples }: Omit<StepResult, "step">): void {
    this.#loss += loss * samples;
    this.#hits += accuracy * samples;
    this.#samples += samples;
  }

  /** NaN where nothing was added. */
  get means(): { readonly loss: number; readonly accuracy: number; readonly samples: number } {
    return { loss: this.#loss / this.#samples, accuracy: this.#hits / this.#samples, samples: this.#samples };
  }
}
