// Controllers: rules that learn the rates. They run on the GPU before each update and write the layer table that it reads, a
// factor for each layer, from the norms of its gradients and weights; nothing of it passes through the host.

import { OptionError } from "../errors.ts";
import type { Controller } from "../kernels/control.ts";
import { checkRange } from "../option.ts";
import { checkPattern } from "../pattern.ts";
import { type Defaults, resolved } from "./resolved.ts";

export type { Controller };

/** What all controllers take. */
interface Chosen {
  /** Pattern of the layers that it steers. Default: all. */
  readonly layers?: string;
}

const everywhere = { layers: "**" };
const bounds = { min: 1 / 64, max: 64 };

export interface GuardOptions extends Chosen {
  /** An alarm is a gradient of this many times its running mean. Default 10. */
  readonly factor?: number;
  /** Weight of the past in that mean. Default 0.98. */
  readonly decay?: number;
  /** Steps before the mean is believed. Default 20. */
  readonly warmup?: number;
  /** Steps that the layer rests after an alarm, the one of the alarm included. Default 50. */
  readonly rest?: number;
  /** The halved rate grows by this factor a step, back to where it was. Default 1.01. */
  readonly recovery?: number;
}

/**
 * Skips a layer whose gradient is not finite or suddenly large: weights, moments and step count stay as they are, to the bit,
 * for `rest` steps, and then it goes on at half the rate, which recovers slowly. The host runs at most `rest` steps ahead.
 * Throws OptionError where an option is out of its range.
 */
export function guard(options: GuardOptions = {}): Controller {
  const defaults = { factor: 10, decay: 0.98, warmup: 20, rest: 50, recovery: 1.01, ...everywhere };
  const { factor, decay, warmup, rest, recovery, layers } = chosen("guard", options, defaults);
  checkRange("guard", "greater than 1", { factor });
  checkRange("guard", "at least 0 and below 1", { decay });
  checkRange("guard", "a whole number of at least 0", { warmup });
  checkRange("guard", "a whole number of at least 1", { rest });
  checkRange("guard", "at least 1", { recovery });
  return {
    name: "guard",
    layers,
    constants: { GUARD_FACTOR: factor, GUARD_DECAY: decay, GUARD_WARMUP: warmup, REST: rest, RECOVERY: recovery },
  };
}

export interface BoundedOptions extends Chosen {
  /** Bounds of the factor on the rate. Default 1/64 and 64. */
  readonly min?: number;
  readonly max?: number;
}

export interface UpdateRatioOptions extends BoundedOptions {
  /** Default 1e-3. */
  readonly target?: number;
  /** How strongly a step corrects: the factor is (target / ratio)^power, at most 2 and at least 1/2. Default 0.1. */
  readonly power?: number;
}

/**
 * Steers the length of each layer's step towards `target` times the length of its weights.
 * Throws OptionError where an option is out of its range.
 */
export function updateRatio(options: UpdateRatioOptions = {}): Controller {
  const defaults = { target: 1e-3, power: 0.1, ...bounds, ...everywhere };
  const { target, power, min, max, layers } = chosen("updateRatio", options, defaults);
  checkPositive("updateRatio", { target, power });
  checkBounds("updateRatio", min, max);
  return {
    name: "updateRatio",
    layers,
    constants: { RATIO_TARGET: target, RATIO_POWER: power, RATIO_MIN: min, RATIO_MAX: max },
  };
}

export interface AutoRgnOptions extends Chosen {
  /** Batches that a decision looks at. Default 10. */
  readonly steps?: number;
  /** Smallest factor. Default 0. */
  readonly min?: number;
}

/**
 * Rates in proportion to the relative norm of the gradient, the mean of |g| / |w| over `steps` batches; the layer with the largest
 * has factor 1 (Auto-RGN, Lee et al. 2023). Layers without a matrix, such as norms, keep their rate. Moments are kept.
 * Throws OptionError where an option is out of its range.
 */
export function autoRgn(options: AutoRgnOptions = {}): Controller {
  const { steps, min, layers } = chosen("autoRgn", options, { steps: 10, min: 0, ...everywhere });
  checkRange("autoRgn", "a whole number of at least 1", { steps });
  checkRange("autoRgn", "from 0 to 1", { min });
  return { name: "autoRgn", layers, constants: { RGN_STEPS: steps, RGN_MIN: min } };
}

export interface HypergradientOptions extends BoundedOptions {
  /** A step multiplies the rate by 1 + rate cos(gradient, last step). Default 0.02. */
  readonly rate?: number;
}

/**
 * Raises the rate of a layer while its gradient points where its last step went, and lowers it when they part (Baydin et al.
 * 2018, in the multiplicative form, with both lengths divided out). For sgd with momentum and the Adam family.
 * Throws OptionError where an option is out of its range; `compile` throws it for other rules.
 */
export function hypergradient(options: HypergradientOptions = {}): Controller {
  const { rate, min, max, layers } = chosen("hypergradient", options, { rate: 0.02, ...bounds, ...everywhere });
  checkPositive("hypergradient", { rate });
  checkBounds("hypergradient", min, max);
  return { name: "hypergradient", layers, constants: { HYPER_RATE: rate, HYPER_MIN: min, HYPER_MAX: max } };
}

export interface LossPlateauOptions extends Chosen {
  /** Steps whose mean loss is one reading. Default 100. */
  readonly steps?: number;
  /** Readings without progress before the rate falls. Default 10. */
  readonly patience?: number;
  /** Default 0.1. */
  readonly factor?: number;
  /** A reading is better when it is below best (1 - threshold). Default 1e-4. */
  readonly threshold?: number;
  /** Readings after a fall that do not count. Default 0. */
  readonly cooldown?: number;
  /** Smallest factor. Default 0. */
  readonly min?: number;
}

/**
 * Lowers the rates of its layers when the training loss no longer falls, as ReduceLROnPlateau does, without the host.
 * With micro-batches the loss is that of an update's last one. Throws OptionError where an option is out of its range.
 */
export function lossPlateau(options: LossPlateauOptions = {}): Controller {
  const defaults = { steps: 100, patience: 10, factor: 0.1, threshold: 1e-4, cooldown: 0, min: 0, ...everywhere };
  const { steps, patience, factor, threshold, cooldown, min, layers } = chosen("lossPlateau", options, defaults);
  checkRange("lossPlateau", "a whole number of at least 1", { steps });
  checkRange("lossPlateau", "a whole number of at least 0", { patience, cooldown });
  checkRange("lossPlateau", "between 0 and 1", { factor });
  checkRange("lossPlateau", "from 0 to 1", { threshold, min });
  return {
    name: "lossPlateau",
    layers,
    constants: {
      PLATEAU_STEPS: steps,
      PLATEAU_PATIENCE: patience,
      PLATEAU_FACTOR: factor,
      PLATEAU_THRESHOLD: threshold,
      PLATEAU_COOLDOWN: cooldown,
      PLATEAU_MIN: min,
    },
  };
}

function chosen<Options extends Chosen, Table extends Defaults<Options>>(
  place: string,
  options: Options,
  table: Table,
) {
  const all = resolved(place, options, table);
  checkPattern(place, (all as Chosen).layers);
  return all;
}

const checkPositive = (place: string, values: Readonly<Record<string, number>>): void =>
  checkRange(place, "greater than 0", values);

function checkBounds(place: string, min: number, max: number): void {
  checkPositive(place, { min, max });
  if (min > max) throw new OptionError(`${place}: min is ${min} and max is ${max}. Give min below max.`);
}
