// What a fit is asked for, and what it tells of its steps and epochs.

import type { Data } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import type { ConfusionMatrix } from "../op/confusion.ts";
import type { StepStatistics } from "../optim/statistics.ts";
import { checkFunction, checkOptions, checkRange, checkSwitches, shown } from "../option.ts";

/** What a step tells. */
export interface StepResult {
  /** Number of the update, from 1. */
  readonly step: number;
  /** Mean over the samples of the batch, before the update. */
  readonly loss: number;
  /**
   * Part of what counts that was right: of labels those with the largest logit, of binaryCrossEntropy's numbers those on their side of 0. NaN
   * where nothing counts.
   */
  readonly accuracy: number;
  /** Samples in the batch. */
  readonly samples: number;
  /**
   * What is told beside the loss, by name: of several losses each one's part, with `.accuracy` behind its name where it has labels that
   * count, what the model or its loss reports, and metrics. Left out where there is nothing. Of an epoch or an evaluation each is that of
   * all samples, or of all labels that count, not a mean of those of its batches.
   */
  readonly reports?: Readonly<Record<string, number>>;
}

/** What an evaluation tells. */
export interface Evaluation {
  /** Mean over all samples. */
  readonly loss: number;
  /** Part of all that counts that was right; NaN where nothing counts. */
  readonly accuracy: number;
  /** How many there were. */
  readonly samples: number;
  /** As those of a step. */
  readonly reports?: Readonly<Record<string, number>>;
  /** What confusionMatrix counted, by the names of metrics. Left out where there is none. */
  readonly matrices?: Readonly<Record<string, ConfusionMatrix>>;
  /**
   * With `perSample`: the loss of each sample, in order. Of several losses their sum; with weights the share of the sample in its batch, so that
   * the mean over a batch is its loss.
   */
  readonly losses?: Float32Array<ArrayBuffer>;
}

/** What an epoch tells. */
export interface EpochResult {
  /** From 1, within this run. */
  readonly epoch: number;
  /** Means over the samples that this epoch trained on, since the run began or was resumed; of the accuracy over all that counts. */
  readonly loss: number;
  /** The part of labels that was hit, from 0 to 1; NaN of a loss that knows no hits. */
  readonly accuracy: number;
  /** As those of a step. */
  readonly reports?: Readonly<Record<string, number>>;
  /** Of the data given as `validation`, after the last step of the epoch. */
  readonly validation?: Evaluation;
}

/** An update of a fit, as its callbacks hear of it. */
export interface FitStep extends StepResult {
  /** From 1, within this run. */
  readonly epoch: number;
  /** Each layer's learning rate in this update, by name; call it only where it is wanted. */
  readonly rates: () => Readonly<Record<string, number>>;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Passes over the data. Default 1; without end where `steps` is given. */
  readonly epochs?: number;
  /** Makes at most this many steps, over as many epochs as they take. */
  readonly steps?: number;
  /**
   * Goes on where the last fit, or the one that a checkpoint was made in, stood, to the same bits, until its `epochs` are
   * full. Default false: a fit begins anew.
   */
  readonly resume?: boolean;
  /**
   * Each step's numbers are back before the next one is submitted, so that what `onStep` does acts on the next step and a
   * run repeats to the bit. It is so by itself once `onStep` or `onStats` returns a promise. Default false: the GPU runs up to
   * three submissions ahead, some 40 ms each.
   */
  readonly lockstep?: boolean;
  /** A new order for each epoch. Default true; batches that come from an iterable are not shuffled. */
  readonly shuffle?: boolean;
  /** Evaluated after each epoch. */
  readonly validation?: Data;
  /** Called for each update, in order, once its numbers are back. A promise is awaited. */
  readonly onStep?: (result: FitStep) => unknown;
  /** Called with what each layer did in every `statsEvery`th update. Only those updates measure it. A promise is awaited. */
  readonly onStats?: (found: StepStatistics) => unknown;
  /** Default 50. */
  readonly statsEvery?: number;
  /** A promise is awaited before the next epoch begins. */
  readonly onEpoch?: (result: EpochResult) => unknown;
  /** Stops after the current step, as `stop()` does. */
  readonly signal?: AbortSignal;
}

/** What a fit tells in the end. */
export interface FitResult {
  /** The epochs that were finished. */
  readonly epochs: readonly EpochResult[];
  /** Whether it ended before its epochs, or else its steps, were full. */
  readonly stopped: boolean;
}

export const fitKeys = [
  ...["epochs", "steps", "resume", "lockstep", "shuffle", "validation"],
  ...["onStep", "onStats", "statsEvery", "onEpoch", "signal"],
];

/** Refuses options of a fit that cannot be meant. */
export function checkFit(place: string, options: FitOptions): void {
  checkOptions(place, options, fitKeys, "{ epochs: 3 }");
  const { epochs = 1, steps = 1, statsEvery = 1, resume = false, lockstep = false, shuffle = true, signal } = options;
  if (epochs !== Number.POSITIVE_INFINITY) checkRange(place, "a whole number of at least 1", { epochs });
  checkRange(place, "a whole number of at least 1", { steps, statsEvery });
  checkSwitches(place, { resume, lockstep, shuffle });
  for (const name of ["onStep", "onStats", "onEpoch"] as const) {
    if (options[name] !== undefined) checkFunction(place, name, options[name]);
  }
  if (signal !== undefined) checkSignal(place, "signal", signal);
}

/** Refuses what could not say that something is to end. */
export function checkSignal(place: string, key: string, signal: unknown): void {
  if (typeof Object(signal).addEventListener === "function") return;
  throw new OptionError(`${place}: ${key} is ${shown(signal)}, it must be the signal of an AbortController.`);
}
