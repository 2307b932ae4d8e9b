// Controllers: rules that learn the rates. They run on the GPU before each update and write the layer table that it reads, a
// factor for each layer, from the norms of its gradients and weights; nothing of it passes through the host.

import { OptionError } from "../errors.ts";
import type { Controller } from "../kernels/control.ts";
import { type Entry, resolved } from "../option.ts";
import { patternEntry } from "../pattern.ts";

export type { Controller };

/** What all controllers take. */
interface Chosen {
  /** Pattern of the layers that it steers. Default: all. */
  readonly layers?: string;
}

/** An option of a controller: its default, its range, and what the shader calls it. */
type Numbered = readonly [otherwise: number, kind: Entry[1], constant: string];

/** A controller from the table of its options. Throws OptionError where one of them is out of its range. */
function controller<Options extends Chosen>(
  name: Controller["name"],
  options: Options,
  table: { readonly [Key in Exclude<keyof Options, "layers">]-?: Numbered },
): Controller {
  const entries = Object.entries<Numbered>(table);
  const { layers, ...all } = resolved<object, Record<string, Entry>>(name, options, {
    ...table,
    layers: ["**", patternEntry],
  }) as {
    readonly [key: string]: number;
  } & { readonly layers: string };
  const { min = 0, max = min } = all;
  if (min > max) throw new OptionError(`${name}: min is ${min} and max is ${max}. Give min below max.`);
  const constants = Object.fromEntries(entries.map(([key, [, , constant]]) => [constant, all[key] as number]));
  return { name, layers, constants };
}

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
export const guard = (options: GuardOptions = {}): Controller =>
  controller("guard", options, {
    factor: [10, "greater than 1", "GUARD_FACTOR"],
    decay: [0.98, "at least 0 and below 1", "GUARD_DECAY"],
    warmup: [20, "a whole number of at least 0", "GUARD_WARMUP"],
    rest: [50, "a whole number of at least 1", "REST"],
    recovery: [1.01, "at least 1", "RECOVERY"],
  });

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
export const updateRatio = (options: UpdateRatioOptions = {}): Controller =>
  controller("updateRatio", options, {
    target: [1e-3, "greater than 0", "RATIO_TARGET"],
    power: [0.1, "greater than 0", "RATIO_POWER"],
    min: [1 / 64, "greater than 0", "RATIO_MIN"],
    max: [64, "greater than 0", "RATIO_MAX"],
  });

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
export const autoRgn = (options: AutoRgnOptions = {}): Controller =>
  controller("autoRgn", options, {
    steps: [10, "a whole number of at least 1", "RGN_STEPS"],
    min: [0, "from 0 to 1", "RGN_MIN"],
  });

export interface HypergradientOptions extends BoundedOptions {
  /** A step multiplies the rate by 1 + rate cos(gradient, last step). Default 0.02. */
  readonly rate?: number;
}

/**
 * Raises the rate of a layer while its gradient points where its last step went, and lowers it when they part (Baydin et al.
 * 2018, in the multiplicative form, with both lengths divided out). For sgd with momentum and the Adam family.
 * Throws OptionError where an option is out of its range; `compile` throws it for other rules.
 */
export const hypergradient = (options: HypergradientOptions = {}): Controller =>
  controller("hypergradient", options, {
    rate: [0.02, "greater than 0", "HYPER_RATE"],
    min: [1 / 64, "greater than 0", "HYPER_MIN"],
    max: [64, "greater than 0", "HYPER_MAX"],
  });

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
export const lossPlateau = (options: LossPlateauOptions = {}): Controller =>
  controller("lossPlateau", options, {
    steps: [100, "a whole number of at least 1", "PLATEAU_STEPS"],
    patience: [10, "a whole number of at least 0", "PLATEAU_PATIENCE"],
    factor: [0.1, "between 0 and 1", "PLATEAU_FACTOR"],
    threshold: [1e-4, "from 0 to 1", "PLATEAU_THRESHOLD"],
    cooldown: [0, "a whole number of at least 0", "PLATEAU_COOLDOWN"],
    min: [0, "from 0 to 1", "PLATEAU_MIN"],
  });
