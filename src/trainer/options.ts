// What a trainer is asked for and what it answers, with the checks that need neither a device nor data. What it says of a fit stands in recipe/fit-options.ts.

import { formatOf, mergeNormalization, type Normalization } from "../data/normalization.ts";
import { OptionError } from "../errors.ts";
import type { ConnectOptions } from "../gpu/adapter.ts";
import { type Base, checkBaseForm } from "../graph/base.ts";
import type { Stream } from "../graph/stream.ts";
import { isLoss } from "../graph/term.ts";
import { checkModel, type Input, streamsOf } from "../network/check.ts";
import type { NamedNumbers } from "../network/named.ts";
import { checkedName, type Metric, type Model, type Objective, wholeNumber } from "../op/layer.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { adamw } from "../optim/rule/adam.ts";
import type { Rates } from "../optim/rule.ts";
import type { MomentumSchedule, Schedule } from "../optim/schedule.ts";
import { checkFunction, checkOptions, checkSwitches, isRecord, shown } from "../option.ts";
import { checkPattern } from "../pattern.ts";
import type { Copies, Precision } from "../step/program.ts";
import type { HostTensor } from "../step/store.ts";
import type { OptimizerState } from "./state.ts";
import type { TrainingOptions, Updates } from "./training.ts";
import type { Autotune, SelfTest, Tuning } from "./tuning.ts";

/** `mean`, `std` and `scale` are those of all data of which the samples do not say them. */
export interface CompileOptions extends ConnectOptions, TrainingOptions, Normalization {
  /** Shape of one sample; images are [height, width, channels]. Of a model with several inputs: each by name. */
  readonly input: Input | { readonly [name: string]: Input };
  /** Samples in a step. Default 32. */
  readonly batch?: number;
  /** Of one output; of several by name, where those without a loss teach nothing; or a function. Losses are added up. */
  readonly loss: Objective;
  /** What a loss function is given as targets: shapes of one sample, one or by name. Default: as the outputs. {} for none. */
  readonly target?: Input | { readonly [name: string]: Input };
  /**
   * What is told beside the loss, in `reports` by name: accuracies, other losses, and means over samples of values that functions make of
   * outputs and targets. Each costs dispatches in every step, and no submission more. Default: none.
   */
  readonly metrics?: { readonly [name: string]: Metric };
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
   * Weights that never train in this trainer: they have neither gradients nor moments, and no rates. A pattern of layers or tensors,
   * or all but some: { except: "**.lora*" }. What may train again later is frozen instead, by `rates`. With `dtype: "f16"` they lie on the
   * GPU as f16, rounded to the nearest, in half of the bytes; all arithmetic stays f32, and no feature of the device is needed. Default: none.
   */
  readonly base?: string | { readonly except: string | readonly string[]; readonly dtype?: "f32" | "f16" };
  /**
   * Weights and states to begin with, by tensor name, such as those of a network that others trained; what they lack begins as it would
   * without them, and what the model lacks is left out. They are checked before a device is asked for. Default: none.
   */
  readonly weights?: NamedNumbers;
  /**
   * Moments and counts of updates to go on with, as `setState` takes them, such as those of a network that was trained elsewhere; what the
   * model lacks is left out. Checked before a device is asked for. Default: none.
   */
  readonly state?: OptimizerState;
  /**
   * Layers that count as one where presets and recipes ask how deep a layer is: a pattern of paths, `layer*.*` or `block*`, whose layers
   * are one block each. Default: each layer counts.
   */
  readonly blocks?: string;
  /**
   * Which of the ways to run a kernel is the fastest is measured on this adapter before the first step, and kept: `autotune()` of
   * gradus/autotune. Default: what is known of such devices decides.
   */
  readonly autotune?: Autotune;
  /** Whether the adapter computes rightly is asked before there is a trainer: `selfTest()` of gradus/recover. Default: it is trusted. */
  readonly selfTest?: SelfTest;
  /**
   * Steps that train of less than f32: `f16()` of gradus/precision. Where the device has no f16 that is said, and training is of f32. Default: f32.
   */
  readonly precision?: Precision | undefined;
  /** Many copies of the network at once: `compileCohort` of gradus/cohort gives them. Default: one. */
  readonly copies?: Copies | undefined;
  /** Decides initial weights and shuffles. Default 0. */
  readonly seed?: number;
  /** Told of each kernel that is compiled, so that a page can show how far it is. */
  readonly onProgress?: (progress: CompileProgress) => void;
  /** Told of what is allowed and yet can hardly be meant, such as a rate that stays at nothing. Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/** For networks that train against one another, such as generator and discriminator. */
export interface AlternatingOptions extends Omit<CompileOptions, "loss"> {
  /** What `fit` learns. Default: the first of `losses`. */
  readonly loss?: Objective;
  /** Several objectives by name, each for `step(batch, { loss: name })`. */
  readonly losses: { readonly [name: string]: Objective };
}

/** How far compiling is. */
export interface CompileProgress {
  /** Pipelines that are ready. */
  readonly done: number;
  /** Pipelines that the first step needs. */
  readonly total: number;
  /** Name of the kernel that is ready now. */
  readonly kernel: string;
}

/** Gradients of a batch, as `gradients` gives them. */
export interface Gradients {
  /** Mean over the samples of the batch. */
  readonly loss: number;
  /** By tensor name, for every tensor that is not frozen and that the loss depends on. */
  readonly gradients: ReadonlyMap<string, HostTensor>;
}

/** The options with defaults filled in. */
export interface Settings {
  readonly model: Model;
  /** As it was given. */
  readonly input: CompileOptions["input"];
  readonly inputs: readonly Stream[];
  readonly batch: number;
  /** What there is to learn, by name; a fit has the one without. */
  readonly objectives: ReadonlyMap<string, Objective>;
  readonly targets: readonly Stream[] | undefined;
  readonly metrics: CompileOptions["metrics"];
  readonly optimizer: Optimizer;
  readonly seed: number;
  /** How weights are updated, once the rates are known. */
  readonly update: Updates;
  readonly momentum: MomentumSchedule | undefined;
  /** Reports that a step has room for. */
  readonly mostReports: number;
  /** Words of counts that an evaluation has room for. */
  readonly mostCounts: number;
  /** How deep each layer is, as recipes count. */
  readonly depths: ReadonlyMap<string, number>;
  readonly cacheFrozen: boolean;
  readonly recompute: string | undefined;
  readonly base: Base | undefined;
  readonly normalization: Normalization;
  readonly copies: Copies | undefined;
  readonly precision: Precision | undefined;
  readonly warn: (message: string) => void;
  /** How kernels run in this trainer, where that is measured. */
  readonly tuning: Tuning | undefined;
}

/** What can be checked before the model is built. */
export type FirstSettings = Omit<Settings, "update" | "momentum" | "mostReports" | "mostCounts" | "depths" | "tuning">;

const compileKeys = [
  ...["input", "batch", "loss", "losses", "target", "metrics", "optimizer", "rates", "schedule", "seed"],
  ...[
    "onProgress",
    "onWarning",
    "cacheFrozen",
    "recompute",
    "base",
    "weights",
    "state",
    "blocks",
    "autotune",
    "selfTest",
    "copies",
    "precision",
  ],
  ...[
    "clip",
    "accumulate",
    "averaging",
    "momentum",
    "control",
    "noiseScale",
    "device",
    "gpu",
    "powerPreference",
    "memoryLimit",
  ],
  ...["mean", "std", "scale"],
];

export function checkedSettings(model: Model, options: CompileOptions | AlternatingOptions): FirstSettings {
  checkModel("compile", model);
  checkOptions("compile", options, compileKeys, "{ input: [784], loss: crossEntropy() }");
  const { input, batch = 32, optimizer = adamw(), seed = 0, onProgress } = options;
  const { cacheFrozen = false, recompute, base, blocks, metrics, autotune, selfTest, copies, precision } = options;
  const { onWarning: warn = (message: string): void => console.warn(`gradus: ${message}`) } = options;
  const inputs = streamsOf("compile", "input", input);
  const targets = options.target === undefined ? undefined : streamsOf("compile", "target", options.target);
  wholeNumber("compile", "batch", batch);
  const objectives = objectivesOf(options);
  if (targets !== undefined && ![...objectives.values()].some((one) => typeof one === "function")) {
    throw new OptionError(`compile: "target" is given, but it is the loss that says what targets are. Leave it out.`);
  }
  if (Object(optimizer).rule === undefined) {
    throw new OptionError(`compile: optimizer is ${shown(optimizer)}. Give sgd(), adam() or adamw().`);
  }
  if (seed !== seed >>> 0) {
    throw new OptionError(`compile: seed is ${seed}, it must be a whole number from 0 to ${2 ** 32 - 1}.`);
  }
  if (metrics !== undefined) {
    if (!isRecord(metrics))
      throw new OptionError(
        `compile: metrics is ${shown(metrics)}. Give { name: metric, ... }, for example { top5: topK(5) }.`,
      );
    for (const [name, metric] of Object.entries(metrics))
      if (!isLoss(metric)) checkFunction("compile", `metrics.${name}`, metric);
  }
  for (const [name, given, entry] of [
    ["autotune", autotune, "autotune() of gradus/autotune"],
    ["selfTest", selfTest, "selfTest() of gradus/recover"],
    ["noiseScale", options.noiseScale, "noiseScale() of gradus/callbacks"],
    ["memoryLimit", options.memoryLimit, "memoryLimit() of gradus/recover"],
    ["precision", precision, "f16() of gradus/precision"],
  ] as const) {
    if (given !== undefined && Object(given).open === undefined)
      throw new OptionError(`compile: ${name} is ${shown(given)}. Give ${entry}.`);
  }
  checkSwitches("compile", { cacheFrozen });
  if (recompute !== undefined) checkPattern("compile: recompute", recompute);
  if (base !== undefined) checkBaseForm(base);
  if (blocks !== undefined) checkPattern("compile: blocks", blocks);
  checkFunction("compile", "onWarning", warn);
  if (onProgress !== undefined) checkFunction("compile", "onProgress", onProgress);
  const normalization = mergeNormalization(options);
  formatOf("compile", inputs, normalization, false);
  return {
    model,
    input,
    inputs,
    batch,
    objectives,
    targets,
    metrics,
    optimizer,
    seed,
    cacheFrozen,
    recompute,
    base,
    normalization,
    copies,
    precision,
    warn,
  };
}

/** The objectives by name, and without one what a fit learns. */
function objectivesOf({ loss, losses = {} }: Partial<AlternatingOptions>): ReadonlyMap<string, Objective> {
  if (!isRecord(losses)) throw new OptionError(`compile: losses is ${shown(losses)}. Give { name: loss, ... }.`);
  const named = Object.entries(losses).map(([name, one]) => [checkedName("", name), one] as const);
  const main: unknown = loss ?? named[0]?.[1];
  for (const [name, one] of [
    ["loss", main],
    ...named.map(([name, one]) => [`losses.${name}`, one] as const),
  ] as const) {
    const isNamed = isRecord(one) && !isLoss(one) && Object.keys(one).length > 0 && Object.values(one).every(isLoss);
    if (typeof one === "function" || isLoss(one) || isNamed) continue;
    throw new OptionError(
      `compile: ${name} is ${shown(one)}. Give crossEntropy() or meanSquaredError(), one for each output by name, or a function.`,
    );
  }
  return new Map([["", main as Objective], ...named]);
}
