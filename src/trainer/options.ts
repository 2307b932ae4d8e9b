// What a trainer is asked for and what it answers, with the checks that need neither a device nor data. What it says of a fit stands in recipe/fit-options.ts.

import { mergeNormalization, type Normalization, scalingOf } from "../data/normalization.ts";
import { OptionError } from "../errors.ts";
import type { ConnectOptions } from "../gpu/adapter.ts";
import { checkInput, checkModel } from "../network/check.ts";
import { type Layer, type Loss, wholeNumber } from "../op/layer.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { adamw } from "../optim/rule/adam.ts";
import type { Rates } from "../optim/rule.ts";
import type { MomentumSchedule, Schedule } from "../optim/schedule.ts";
import { checkFunction, checkOptions, checkSwitches, shown } from "../option.ts";
import { checkPattern } from "../pattern.ts";
import type { HostTensor } from "../step/store.ts";
import type { UpdateSettings } from "../step/update.ts";
import type { TrainingOptions } from "./training.ts";

/** `mean`, `std` and `scale` are those of all data of which the samples do not say them. */
export interface CompileOptions extends ConnectOptions, TrainingOptions, Normalization {
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
  /**
   * Layers whose activations are not kept for the way back but computed again from their input, with the same results: each path
   * that the pattern matches is one segment (Chen et al. 2016). "auto" finds the segments that need the least memory. Takes at most one
   * more way forward a step. Default: everything is kept.
   */
  readonly recompute?: string;
  /**
   * Weights that never train in this trainer: they have neither gradients nor moments, and no rates. A pattern of layers or tensors.
   * What may train again later is frozen instead, by `rates`. Default: none.
   */
  readonly base?: string;
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

export interface Gradients {
  /** Mean over the samples of the batch. */
  readonly loss: number;
  /** By tensor name, for every tensor that is not frozen and that the loss depends on. */
  readonly gradients: ReadonlyMap<string, HostTensor>;
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
  readonly recompute: string | undefined;
  readonly base: string | undefined;
  readonly normalization: Normalization;
  readonly warn: (message: string) => void;
}

/** What can be checked before the model is built. */
export type FirstSettings = Omit<Settings, "update" | "momentum">;

const compileKeys = [
  ...["input", "batch", "loss", "optimizer", "rates", "schedule", "seed", "onProgress", "onWarning"],
  ...["cacheFrozen", "recompute", "base"],
  ...["clip", "accumulate", "averaging", "momentum", "control", "device", "gpu", "powerPreference"],
  ...["mean", "std", "scale"],
];

export function checkedSettings(model: Layer, options: CompileOptions): FirstSettings {
  checkModel("compile", model);
  checkOptions("compile", options, compileKeys, "{ input: [784], loss: crossEntropy() }");
  const { input, batch = 32, loss, optimizer = adamw(), seed = 0, onProgress } = options;
  const { cacheFrozen = false, recompute, base } = options;
  const { onWarning: warn = (message: string): void => console.warn(`gradus: ${message}`) } = options;
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
  checkSwitches("compile", { cacheFrozen });
  if (recompute !== undefined) checkPattern("compile: recompute", recompute);
  if (base !== undefined) checkPattern("compile: base", base);
  checkFunction("compile", "onWarning", warn);
  if (onProgress !== undefined) checkFunction("compile", "onProgress", onProgress);
  const normalization = mergeNormalization(options);
  scalingOf("compile", normalization, false, input.at(-1) as number);
  return { model, input, batch, loss, optimizer, seed, cacheFrozen, recompute, base, normalization, warn };
}
