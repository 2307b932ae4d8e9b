// A fit as its listeners hear it, over all losses of its device: each step and each epoch once, and snapshots on the way.

import { EpochMeans } from "../foreign/epoch-means.ts";
import type { EpochResult, FitOptions, FitStep, Trainer } from "../index.ts";
import type { CheckedRecovery } from "./options.ts";
import type { Recovery } from "./recovery.ts";

/** What listeners of a fit have heard, over all losses of its device. */
export class Course {
  readonly epochs: EpochResult[] = [];
  /** The last update that was told of. */
  heard = 0;
  restarts = 0;
  readonly #recovery: Recovery;
  readonly #options: FitOptions;
  readonly #every: { readonly steps: number; readonly milliseconds: number };
  readonly #taken: number;
  #since = 0;
  #snapshot: Promise<unknown> | undefined;
  /** Updates whose statistics, and after which epochs, were told of last. */
  #measured = 0;
  #finished = 0;
  readonly #means = new EpochMeans();

  constructor(recovery: Recovery, how: CheckedRecovery, options: FitOptions, steps: number) {
    this.#recovery = recovery;
    this.#options = options;
    this.#taken = recovery.taken;
    this.#every = {
      steps: Number.isFinite(steps) ? (how.everySteps ?? steps) : steps,
      milliseconds: how.everySeconds * 1000,
    };
  }

  /** Whether a snapshot knows a part of it. */
  get saved(): boolean {
    return this.#recovery.taken !== this.#taken;
  }

  /** The device was lost: what was told of is not told again. */
  restart(): void {
    this.restarts++;
    this.#since = 0;
    this.#snapshot = undefined;
    this.#means.cut();
  }

  /** Waits for a snapshot on its way. */
  async settle(): Promise<void> {
    await this.#snapshot;
  }

  callbacks(trainer: Trainer): Pick<FitOptions, "onStep" | "onStats" | "onEpoch"> {
    const { onStats } = this.#options;
    return {
      onStep: (step) => this.#step(trainer, step),
      ...(onStats && {
        onStats: (found) => {
          if (found.step <= this.#measured) return undefined;
          this.#measured = found.step;
          return onStats(found);
        },
      }),
      onEpoch: (result) => this.#epoch(trainer, result),
    };
  }

  #step(trainer: Trainer, result: FitStep): unknown {
    const { step } = result;
    this.#since++;
    const due = this.#since >= this.#every.steps || this.#recovery.age >= this.#every.milliseconds;
    if (due && this.#snapshot === undefined && Number.isFinite(this.#every.steps)) {
      this.#since = 0;
      const done = (): void => {
        this.#snapshot = undefined;
      };
      // A loss ends the fit as well; of anything else the snapshot at its end says.
      this.#snapshot = this.#recovery.snapshot(trainer).then(done, done);
    }
    if (step <= this.heard) return undefined;
    this.heard = step;
    this.#means.add(result);
    return this.#options.onStep?.(result);
  }

  #epoch(trainer: Trainer, result: EpochResult): unknown {
    if (trainer.steps <= this.#finished) return undefined;
    this.#finished = trainer.steps;
    const told = this.#means.told(result);
    this.epochs.push(told);
    return this.#options.onEpoch?.(told);
  }
}
