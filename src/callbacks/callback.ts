// What a callback is: hooks of a fit, or a function that makes them when a fit begins, so that one value serves many fits.

import type { EpochResult, FitResult, FitStep, Trainer } from "../index.ts";

/** As much of a trainer as callbacks use. */
export type Trained = Pick<
  Trainer,
  "fit" | "stop" | "steps" | "rates" | "weights" | "setWeights" | "save" | "load" | "upload" | "network"
>;

/** The fit that a callback belongs to. */
export interface Run {
  /** The trainer of the fit. */
  readonly trainer: Trained;
  /** Epochs and steps that were asked for; without end is undefined. */
  readonly epochs: number | undefined;
  /** Updates that it is to make; undefined where the data does not say how many. */
  readonly steps: number | undefined;
  /** Samples of an epoch; undefined for batches that are made on the way. */
  readonly samples: number | undefined;
  /** Whether each epoch is evaluated on data that are held back. */
  readonly hasValidation: boolean;
}

/** What a fit with callbacks gives: Keras' History beside the epochs. */
export interface History extends FitResult {
  /** One number for each epoch, by the names of `logsOf`: `history.val_loss`. */
  readonly history: Readonly<Record<string, readonly number[]>>;
}

/** Each is optional, and may give a promise, which is awaited. What one throws ends the fit. */
export interface Hooks {
  /** After each update, as `onStep` of fit: Keras' on_train_batch_end. A promise makes the fit go in lockstep. */
  readonly onStep?: (step: FitStep) => unknown;
  /** After each epoch and its validation, before the next one: Keras' on_epoch_end. */
  readonly onEpoch?: (epoch: EpochResult) => unknown;
  /** After a fit that nothing has thrown in, when the trainer is free again: Keras' on_train_end. */
  readonly onEnd?: (result: History) => unknown;
  /** In the end, whatever happened: for what is to be closed. */
  readonly onClose?: () => unknown;
}

/** Hooks, or what makes them when a fit begins: Keras' on_train_begin. */
export type Callback = Hooks | ((run: Run) => Hooks | Promise<Hooks>);
