// Where training stands, and the steps that are on their way: counts a step when it is submitted, checks it when its
// numbers arrive, and takes back what the GPU refused to apply: all since a loss that was not finite, or what a guard held.

import { NonFiniteError } from "../errors.ts";
import type { Progress } from "../io/checkpoint.ts";
import type { RateTable } from "../optim/rates.ts";
import type { Metrics } from "../step/replay.ts";
import type { StepResult } from "./options.ts";

/** A batch on its way. */
export interface Sent {
  /** Where training stood before the first batch of its update. */
  readonly before: Progress;
  /** Whether it is the first of its update. */
  readonly first: boolean;
  /** Whether its update was made. */
  readonly applied: boolean;
}

export interface CourseHooks {
  /** Throws where a submission was dropped. */
  readonly checkArrival: (metrics: Metrics) => void;
  /** Lets updates happen again after a bad step. */
  readonly clearStatus: () => void;
  readonly integerTarget: boolean;
  /** Steps that a layer rests after an alarm; undefined without a guard. */
  readonly rest: number | undefined;
}

/** Gets the numbers of an update, and its statistics where it was sampled. */
export type Take = (result: StepResult, statistics?: Float32Array) => void;

export type Course = ReturnType<typeof createCourse>;

export function createCourse(rates: RateTable, hooks: CourseHooks) {
  let progress: Progress = { step: 0, epoch: 0, position: 0, runEpoch: 0 };
  let whole = progress;
  const pending: (readonly Sent[])[] = [];
  let arrived: Promise<void> = Promise.resolve();
  let failure: unknown;
  /** Step of the last alarm of each layer that the host knows of. */
  const alarms: number[] = [];
  /** The layers as the GPU knows them. */
  let members = rates.members();
  /** Micro-batches of an update that has not been made yet. */
  let partial = new Tally();

  /** The GPU has left the weights alone since the bad step: brings the host back to where it began. */
  function undo(badStep: number, loss: number, before: Progress): never {
    rates.undoSince([...rates.rows.keys()], badStep - 1);
    progress = whole = before;
    hooks.clearStatus();
    throw new NonFiniteError(
      `step ${badStep}: its loss is ${loss}. The weights are those from before it. Lower the learning rate, or look at that batch.`,
      badStep,
    );
  }

  /** Layers that a guard has put to rest: the updates since then of the tensors that were theirs were none. */
  function heed(found: Uint32Array): void {
    for (const [layer, step] of found.entries()) {
      if (step === 0 || step === (alarms[layer] ?? 0) || hooks.rest === undefined) continue;
      alarms[layer] = step;
      rates.undoSince(members[layer]?.rows ?? [], step - 1);
      rates.rest(rates.members()[layer]?.rows ?? [], step - 1, step - 1 + hooks.rest);
    }
  }

  async function receive(entry: readonly Sent[], metrics: Promise<Metrics>, take: Take) {
    try {
      const found = await metrics;
      if (!pending.includes(entry)) return;
      hooks.checkArrival(found);
      heed(found.alarms);
      const bad = found.steps.findIndex(({ step }) => step === found.badStep);
      if (found.badStep !== 0) {
        const loss = found.steps[bad]?.loss ?? Number.NaN;
        undo(found.badStep, loss, (entry[Math.max(0, bad)] as Sent).before);
      }
      pending.shift();
      for (const [i, { step, loss, hits, count }] of found.steps.entries()) {
        if (entry[i]?.first === true) partial = new Tally();
        partial.add({ loss, accuracy: hooks.integerTarget ? hits / count : Number.NaN, samples: count });
        if (entry[i]?.applied === true) take({ step, ...partial.means }, found.statistics.get(step));
      }
    } catch (error) {
      failure ??= error;
      pending.length = 0;
    }
  }

  function throwIfFailed(): void {
    if (failure === undefined) return;
    const found = failure;
    failure = undefined;
    progress = whole;
    throw found;
  }

  return {
    get progress(): Progress {
      return progress;
    },
    set progress(next: Progress) {
      progress = whole = next;
    },

    /** Where training stood after the last update that is complete: a checkpoint knows no part of one. */
    get whole(): Progress {
      return whole;
    },

    /** Counts a batch as submitted. */
    advance(next: Progress, applied: boolean): void {
      progress = next;
      if (applied) whole = next;
    },
    heed,
    /** The GPU is told of the layers as they are now. */
    meet(): void {
      members = rates.members();
    },
    /** After the GPU has forgotten them. */
    forgetAlarms(): void {
      alarms.length = 0;
    },

    /** Whether steps are on their way. */
    get isUnderWay(): boolean {
      return pending.length > 0;
    },

    /** Counts batches just submitted. */
    submitted(entry: readonly Sent[], metrics: Promise<Metrics>, take: Take): void {
      pending.push(entry);
      const mine = receive(entry, metrics, take);
      arrived = arrived.then(() => mine);
    },

    /** Waits until it is known of all steps before `step`, counted from 0, what became of them. */
    async know(step: number): Promise<void> {
      while (pending.some(([first]) => (first as Sent).before.step < step)) await Promise.race([arrived, nextTurn()]);
    },

    /** Throws what went wrong with a step that has arrived meanwhile, once. An update that is not complete begins anew. */
    throwIfFailed,

    /** Waits for all steps on their way, and throws if one went wrong. */
    async drain(): Promise<void> {
      await arrived;
      throwIfFailed();
    },
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

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
