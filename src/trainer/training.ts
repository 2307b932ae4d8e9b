// How the options of a trainer about its updates become what the GPU runs: clipping, micro-batches, means of the weights, the
// momentum's schedule and the controllers, held against the rules that the layers have.

import { OptionError } from "../errors.ts";
import type { Controller, Noise } from "../kernels/control.ts";
import { wholeNumber } from "../op/layer.ts";
import type { RateTable } from "../optim/rates.ts";
import type { MomentumSchedule } from "../optim/schedule.ts";
import { checkFunction } from "../option.ts";
import type { UpdateSettings } from "../step/update.ts";

/** Largest norm of all gradients, of those of each layer, or largest absolute value of each. */
export type Clip = { readonly norm: number } | { readonly layerNorm: number } | { readonly value: number };

/** What is done with gradients on their way to the weights. */
export interface TrainingOptions {
  /** Gradients are scaled down to this norm, min(1, norm / (|g| + 1e-6)) as in PyTorch, or cut off at this value. */
  readonly clip?: Clip;
  /** Batches whose gradients make one update, weighted by their samples: a number, or `batchSchedule(...)` of gradus/callbacks. Default 1. */
  readonly accumulate?: number | BatchSchedule;
  /**
   * Decay of a running mean of the weights, average = decay average + (1 - decay) w after each update, for `averages`,
   * `evaluate` and `predict`. A rate rule can give a layer another; 0 makes the mean the weight. Default: none is kept.
   */
  readonly averaging?: number;
  /** Moves the momentum, or the first beta, of all rules that have one. */
  readonly momentum?: MomentumSchedule;
  /** Rules that learn the rates, such as guard() and updateRatio(); their factors multiply. */
  readonly control?: readonly Controller[];
  /** The noise of gradients, told in the statistics of a fit: `noiseScale()` of gradus/callbacks. Default: nobody asks. */
  readonly noiseScale?: NoiseScale;
}

/** Batches of an update that are others as training goes on. Made by `batchSchedule` of gradus/callbacks. */
export interface BatchSchedule {
  /** Plain JSON, for the signatures of checkpoints. */
  readonly spec: unknown;
  /** The most that an update has; where nobody knows, a number that none has. */
  readonly most: number;
  /** Those of the update after `step` others, in an epoch of training counted from 0. */
  readonly batches: (step: number, epoch: number) => number;
}

/** What says how the noise of gradients is measured. Made by `noiseScale` of gradus/callbacks. */
export interface NoiseScale {
  /** @internal For updates of so many batches at most. */
  readonly open: (accumulate: number) => Noise;
}

/** A number of batches is a schedule, too. */
export function batchesOf(given: number | BatchSchedule = 1): BatchSchedule {
  if (Object(given).batches !== undefined) return given as BatchSchedule;
  const most = wholeNumber("compile", "accumulate", given as number);
  return { spec: most, most, batches: () => most };
}

/** How weights are updated, and of how many batches. */
export interface Updates extends UpdateSettings {
  readonly batches: BatchSchedule;
}

export function updateSettings(rates: RateTable, options: TrainingOptions): Updates {
  const { clip, momentum, control = [], noiseScale } = options;
  const batches = batchesOf(options.accumulate);
  const rules = rates.optimizers.map(({ rule }) => rule);
  if (rules.length > 16) {
    throw new OptionError(
      `rates: the layers have ${rules.length} different optimizers, at most 16 can stand side by side.`,
    );
  }
  checkControl(rates, control);
  if (momentum !== undefined) checkFunction("compile", "momentum", momentum);
  if (momentum !== undefined && !rules.some((rule) => rule.momentum !== undefined)) {
    throw new OptionError(
      `compile: "momentum" moves a momentum, and ${rules.map(({ name }) => name).join(", ")} has none that a schedule may move. Use sgd({ momentum }), rmsprop({ momentum }), adam, adamw, adamax, radam, lion, lars or lamb.`,
    );
  }
  return {
    rules,
    layers: rates.members().length,
    ...clipping(clip),
    controllers: control,
    batches,
    accumulate: batches.most,
    noise: noiseScale?.open(batches.most),
    average: rates.rows.some(({ averaging }) => averaging > 0),
    momentum: momentum !== undefined,
  };
}

function clipping(given: Clip | undefined): Pick<UpdateSettings, "clip" | "clamp"> {
  if (given === undefined) return { clip: undefined, clamp: undefined };
  const [[kind, most] = ["", 0], ...more] = Object.entries(given) as [string, number][];
  const known = ["norm", "layerNorm", "value"].includes(kind);
  if (!known || more.length > 0 || !(Number.isFinite(most) && most > 0)) {
    throw new OptionError(
      `compile: clip is ${JSON.stringify(given)}. Give one of { norm }, { layerNorm } and { value }, a finite number greater than 0.`,
    );
  }
  return kind === "value"
    ? { clip: undefined, clamp: most }
    : { clip: { most, byLayer: kind === "layerNorm" }, clamp: undefined };
}

function checkControl(rates: RateTable, control: readonly Controller[]): void {
  if (!Array.isArray(control) || !control.every((one) => Object(one).part !== undefined)) {
    throw new OptionError(
      `compile: "control" is no list of controllers. Give for example [guard(), updateRatio({ layers: "body" })].`,
    );
  }
  for (const [i, { name, layers, part }] of control.entries()) {
    const rows = rates.find(name, layers);
    if (control.findIndex((other) => other.name === name) !== i) {
      throw new OptionError(`compile: "control" has ${name} twice. Give it once.`);
    }
    for (const row of rows) {
      const { name: tensor, optimizer } = rates.rows[row] as RateTable["rows"][number];
      part.check?.(tensor, optimizer.rule);
    }
  }
}
