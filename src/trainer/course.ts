// Where training stands, and the steps that are on their way: counts a step when it is submitted, checks it when its
// numbers arrive, and takes back what the GPU refused to apply because a loss was not finite.

import { NonFiniteError } from "../errors.ts";
import type { Progress } from "../io/checkpoint.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Metrics } from "../step/replay.ts";
import type { StepResult } from "./options.ts";

/** A submission on its way. */
interface Pending {
  readonly before: Progress;
  readonly updatesBefore: readonly number[];
  readonly updatesAfter: readonly number[];
  /** Whether its steps move on in the epoch. */
  readonly moves: boolean;
}

export interface CourseHooks {
  /** Throws where a submission was dropped. */
  readonly checkArrival: (metrics: Metrics) => void;
  /** Lets updates happen again after a bad step. */
  readonly clearStatus: () => void;
  readonly integerTarget: boolean;
}

export type Course = ReturnType<typeof createCourse>;

export function createCourse(rates: RateTable, hooks: CourseHooks) {
  let progress: Progress = { step: 0, epoch: 0, position: 0, runEpoch: 0 };
  const pending: Pending[] = [];
  let arrived: Promise<void> = Promise.resolve();
  let failure: unknown;

  /** The GPU has left the weights alone since the bad step: brings the host back to where it began. */
  function undo(badStep: number, loss: number): never {
    const { before, updatesBefore, updatesAfter, moves } = pending[0] as Pending;
    const kept = badStep - 1 - before.step;
    rates.restoreUpdates(updatesBefore.map((count, row) => count + (updatesAfter[row] === count ? 0 : kept)));
    progress = { ...before, step: before.step + kept, position: before.position + (moves ? kept : 0) };
    hooks.clearStatus();
    throw new NonFiniteError(
      `step ${badStep}: its loss is ${loss}. The weights are those from before it. Lower the learning rate, or look at that batch.`,
      badStep,
    );
  }

  async function receive(entry: Pending, metrics: Promise<Metrics>, take: (result: StepResult) => void) {
    try {
      const found = await metrics;
      if (!pending.includes(entry)) return;
      hooks.checkArrival(found);
      const bad = found.steps.find(({ step }) => step === found.badStep);
      if (found.badStep !== 0) undo(found.badStep, bad?.loss ?? Number.NaN);
      pending.shift();
      for (const { step, loss, hits, count } of found.steps) {
        take({ step, loss, accuracy: hooks.integerTarget ? hits / count : Number.NaN, samples: count });
      }
    } catch (error) {
      failure ??= error;
      pending.length = 0;
    }
  }

  return {
    get progress(): Progress {
      return progress;
    },
    set progress(next: Progress) {
      progress = next;
    },

    /** Counts `steps` just submitted; `updatesBefore` are the rows' counts from before their tables were written. */
    submitted(
      { before, updatesBefore, moves }: Omit<Pending, "updatesAfter">,
      metrics: Promise<Metrics>,
      take: (result: StepResult) => void,
    ): void {
      const entry = { before, updatesBefore, updatesAfter: rates.updates(), moves };
      pending.push(entry);
      const mine = receive(entry, metrics, take);
      arrived = arrived.then(() => mine);
    },

    /** Throws what went wrong with a step that has arrived meanwhile. */
    throwIfFailed(): void {
      if (failure !== undefined) throw failure;
    },

    /** Waits for all steps on their way, and throws if one went wrong. */
    async drain(): Promise<void> {
      await arrived;
      const found = failure;
      failure = undefined;
      if (found !== undefined) throw found;
    },
  };
}

/** Means over samples, summed in f64 in the order of the steps. */
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
