// What a trainer is asked for and what it answers, with the checks that need neither a device nor data.

import type { Data } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import type { ConnectOptions } from "../gpu/device.ts";
import { type Layer, type Loss, wholeNumber } from "../model/layer.ts";
import { checkInput, checkModel } from "../network/check.ts";
import { adamw, type Optimizer } from "../optim/optimizer.ts";
import type { Rates } from "../optim/rule.ts";
import type { MomentumSchedule, Schedule } from "../optim/schedule.ts";
import { checkFunction, checkOptions, checkRange, checkSwitches, shown } from "../option.ts";
import type { HostTensor } from "../step/store.ts";
import type { UpdateSettings } from "../step/update.ts";
import type { StepStatistics } from "./statistics.ts";
import type { TrainingOptions } from "./training.ts";

export interface CompileOptions extends ConnectOptions, TrainingOptions {
  /** Shape of one sample; images are [height, width, channels]. */
  readonly input: readonly number[];
  /** Samples in a step. Default 32. */
  readonly batch?: number;
  readonly loss: Loss;
  /** Default adamw(). */
  readonly optimizer?: Optimizer;
  /** Learning rates and decays by layer. */
  readonly rates?: Rates;
  /** For all layers that `rates` gives no schedule of their own. Default constant(). */
  readonly schedule?: Schedule;
  /**
   * What frozen layers at the input make of each sample of a fit is computed once and kept on the GPU, so that later steps
   * begin behind them, with the same results. Takes the memory of those activations for all samples. Default false.
   */
  readonly cacheFrozen?: boolean;
  /** Decides initial weights and shuffles. Default 0. */
  readonly seed?: number;
  /** Told of each kernel that is compiled, so that a page can show how far it is. */
  readonly onProgress?: (progress: CompileProgress) => void;
  /** Told of what is allowed and yet can hardly be meant, such as a rate that stays at nothing. Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

export interface CompileProgress {
  readonly done: number;
  readonly total: number;
  /** Name of the kernel that is ready now. */
  readonly kernel: string;
}

export interface StepResult {
  /** Number of the update, from 1. */
  readonly step: number;
  /** Mean over the samples of the batch, before the update. */
  readonly loss: number;
  /** Part of the batch whose label had the largest logit; NaN without labels. */
  readonly accuracy: number;
  /** Samples in the batch. */
  readonly samples: number;
}

export interface Gradients {
  /** Mean over the samples of the batch. */
  readonly loss: number;
  /** By tensor name, for every tensor that is not frozen and that the loss depends on. */
  readonly gradients: ReadonlyMap<string, HostTensor>;
}

export interface Evaluation {
  /** Mean over all samples. */
  readonly loss: number;
  /** NaN without labels. */
  readonly accuracy: number;
  readonly samples: number;
}

export interface EpochResult {
  /** From 1, within this run. */
  readonly epoch: number;
  /** Means over the samples that this epoch trained on, since the run began or was resumed. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validation?: Evaluation;
}

/** An update of a fit, as its callbacks hear of it. */
export interface FitStep extends StepResult {
  /** From 1, within this run. */
  readonly epoch: number;
  /** Each layer's learning rate in this update, by name; call it only where it is wanted. */
  readonly rates: () => Readonly<Record<string, number>>;
}

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

export interface FitResult {
  /** The epochs that were finished. */
  readonly epochs: readonly EpochResult[];
  /** Whether it ended before its epochs, or else its steps, were full. */
  readonly stopped: boolean;
}

const fitKeys = [
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
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new OptionError(`${place}: signal is ${shown(signal)}, it must be the signal of an AbortController.`);
  }
}

/** The options with defaults filled in. */
export interface Settings {
  readonly model: Layer;
  readonly input: readonly number[];
  readonly batch: number;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly seed: number;
  /** How weights are updated, once the rates are known. */
  readonly update: UpdateSettings;
  readonly momentum: MomentumSchedule | undefined;
  readonly cacheFrozen: boolean;
}

/** What can be checked before the model is built. */
export type FirstSettings = Omit<Settings, "update" | "momentum" | "cacheFrozen">;

export function checkedSettings(model: Layer, options: CompileOptions): FirstSettings {
  const { input, batch = 32, loss, optimizer = adamw(), seed = 0 } = options;
  checkModel("compile", model);
  checkInput("compile", input);
  wholeNumber("compile", "batch", batch);
  if (Object(loss).op === undefined) {
    throw new OptionError(`compile: loss is ${shown(loss)}. Give crossEntropy() or meanSquaredError().`);
  }
  if (Object(optimizer).rule === undefined) {
    throw new OptionError(`compile: optimizer is ${shown(optimizer)}. Give sgd(), adam() or adamw().`);
  }
  if (seed !== seed >>> 0) {
    throw new OptionError(`compile: seed is ${seed}, it must be a whole number from 0 to ${2 ** 32 - 1}.`);
  }
  return { model, input, batch, loss, optimizer, seed };
}
