// Means of an epoch that was made in several fits: what each of its steps told, weighed by its samples.

import type { EpochResult, StepResult } from "../index.ts";

const nothing = { loss: 0, hits: 0, samples: 0, cut: false };

export class EpochMeans {
  #sums = nothing;

  add({ loss, accuracy, samples }: StepResult): void {
    const sums = this.#sums;
    this.#sums = {
      loss: sums.loss + loss * samples,
      hits: sums.hits + accuracy * samples,
      samples: sums.samples + samples,
      cut: sums.cut,
    };
  }

  /** The rest of the epoch is of another fit, which knows nothing of what was before. */
  cut(): void {
    this.#sums = { ...this.#sums, cut: true };
  }

  /** Whether an epoch has begun. */
  get begun(): boolean {
    return this.#sums.samples > 0;
  }

  /** What the epoch tells, over all its samples where it was cut; the next one begins. */
  told(result: EpochResult): EpochResult {
    const { loss, hits, samples, cut } = this.#sums;
    this.#sums = nothing;
    return cut ? { ...result, loss: loss / samples, accuracy: hits / samples } : result;
  }
}
