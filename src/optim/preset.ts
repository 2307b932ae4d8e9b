// Presets of layer-wise rates: predicates that turn a layer's depth, or a tensor's name and shape, into a rule. Depth 1 is
// next to the input, maxDepth the head. Which end should learn fast depends on what shifted: for new labels the head, for a
// new kind of input the stem. Multipliers of presets that are given together multiply.

import { instead, OptionError } from "../errors.ts";
import { checkRange, resolved } from "../option.ts";
import { entriesOf, type Named } from "./pairs.ts";
import { checkWhen, type RatePredicate, type When } from "./rule.ts";
import { cosineAnnealingLR } from "./schedule.ts";

/** Options of `layerDecay`. */
export interface LayerDecayOptions {
  /** The least multiplier. Default 0. */
  readonly floor?: number;
  /** Layers whose multiplier would be below it are frozen. Default 0: none. */
  readonly freezeBelow?: number;
}

/**
 * Input-side layers learn more slowly: multiplier = decay^(maxDepth - depth), at least `floor`; the head has 1.
 * As in ELECTRA, BEiT, MAE and timm. Usual are 0.65 to 0.9.
 * Throws OptionError for a decay outside (0, 1], a floor or freezeBelow outside [0, 1].
 */
export function layerDecay(decay: number, options: LayerDecayOptions = {}): RatePredicate {
  checkRange("layerDecay", "above 0 and at most 1", { decay });
  const table = { floor: [0, "from 0 to 1"], freezeBelow: [0, "from 0 to 1"] } as const;
  const { floor, freezeBelow } = resolved("layerDecay", options, table);
  return ({ depth, maxDepth, multiplier }) => {
    const factor = Math.max(floor, decay ** (maxDepth - depth));
    return { multiplier: multiplier * factor, ...(factor < freezeBelow ? { frozen: true } : {}) };
  };
}

/** Each layer learns `factor` times slower than the one after it (ULMFiT, Howard and Ruder 2018: 2.6). OptionError below 1. */
export function discriminative(factor = 2.6): RatePredicate {
  checkRange("discriminative", "at least 1", { factor });
  return ({ depth, maxDepth, multiplier }) => ({ multiplier: multiplier * factor ** (depth - maxDepth) });
}

/** Base rates from `lo` at the input to `hi` at the head in equal ratios, as fastai's slice(lo, hi). OptionError at 0 and below. */
export function geometric(lo: number, hi: number): RatePredicate {
  checkRange("geometric", "greater than 0", { lo, hi });
  return ({ depth, maxDepth }) => ({ lr: maxDepth === 1 ? hi : lo * (hi / lo) ** ((depth - 1) / (maxDepth - 1)) });
}

/**
 * The reverse of layerDecay: multiplier = decay^(depth - 1); the layer at the input has 1. Right when the input shifts,
 * by noise, another sensor or another style, and not the labels (Surgical Fine-Tuning, Lee et al. 2023).
 * Throws OptionError for a decay outside (0, 1].
 */
export function inputFirst(decay: number): RatePredicate {
  checkRange("inputFirst", "above 0 and at most 1", { decay });
  return ({ depth, multiplier }) => ({ multiplier: multiplier * decay ** (depth - 1) });
}

/**
 * The second factor of a low-rank update learns `ratio` times as fast as the first (LoRA+, Hayou et al. 2024): the tensors
 * whose last name part is loraB, lora_b or B. `compile` throws NameError where there is none; OptionError for a bad ratio.
 */
export function loraPlus(ratio = 16): RatePredicate {
  checkRange("loraPlus", "greater than 0", { ratio });
  const predicate: RatePredicate = ({ tensor, multiplier }) =>
    /(^|\.)(loraB|lora_b|B)$/.test(tensor) ? { multiplier: multiplier * ratio } : undefined;
  return Object.assign(predicate, {
    unmatched: 'loraPlus: no tensor is called "loraB", "lora_b" or "B". Leave it out, or name the second factors so.',
  });
}

/** Options of `muP`. */
export interface MuPOptions {
  /** Shapes of the narrow model whose rates are to be transferred, by tensor name. */
  readonly base: Named<readonly number[]>;
  /** Which kind of rule it is for; all adaptive ones go as Adam. Default "adam". */
  readonly optimizer?: "adam" | "sgd";
}

/**
 * Rates found on a narrow model hold on a wide one (muP, Yang et al. 2022, Table 8). Of a tensor whose inputs and outputs
 * both grow, by m and n: Adam lr/m and decay*m, SGD lr*n/m. Of one with a single growing length, by m: Adam as it is, SGD
 * lr*m. Inputs are all lengths but the last. That table also divides what the last layer gives by m: the model's part.
 * `compile` throws OptionError where base lacks a tensor or has it in another rank.
 */
export function muP(options: MuPOptions): RatePredicate {
  const table = { base: [], optimizer: ["adam", ["adam", "sgd"]] } as const;
  const { base, optimizer } = resolved("muP", options, table);
  const shapes = new Map(entriesOf<readonly number[]>("muP: base", base));
  return ({ tensor, shape, multiplier, weightDecay }) => {
    const from = shapes.get(tensor);
    if (from === undefined) {
      throw new OptionError(`muP: base has no "${tensor}".${instead(tensor, "It has", [...shapes.keys()])}`);
    }
    if (
      !Array.isArray(from) ||
      from.length !== shape.length ||
      !from.every((length) => Number.isFinite(length) && length >= 1)
    ) {
      throw new OptionError(
        `muP: "${tensor}" is [${shape}] here and [${from}] in base. Give a shape of the same rank, all lengths at least 1.`,
      );
    }
    const growth = shape.map((length, i) => length / (from[i] as number));
    const outputs = growth.at(-1) ?? 1;
    const inputs = growth.slice(0, -1).reduce((product, ratio) => product * ratio, 1);
    if (inputs !== 1 && outputs !== 1) {
      if (optimizer === "sgd") return { multiplier: (multiplier * outputs) / inputs };
      return { multiplier: multiplier / inputs, weightDecay: weightDecay * inputs };
    }
    return optimizer === "sgd" ? { multiplier: multiplier * inputs * outputs } : undefined;
  };
}

/** Options of `gradualUnfreezing`. */
export interface GradualUnfreezingOptions {
  /** Between a layer and the one before it: steps, or { epochs }. */
  readonly every: When;
}

/** The head trains first; each layer before it joins `every` later (ULMFiT, Howard and Ruder 2018). OptionError where that is no time. */
export function gradualUnfreezing(options: GradualUnfreezingOptions): RatePredicate {
  const place = "gradualUnfreezing";
  const { every } = resolved(place, options, { every: [undefined, checkWhen] }, `${place}({ every: 500 })`);
  return ({ depth, maxDepth }) => {
    const later = maxDepth - depth;
    return { from: typeof every === "number" ? later * every : { epochs: later * every.epochs } };
  };
}

/** Options of `freezeOut`. */
export interface FreezeOutOptions {
  /** Length of the run. */
  readonly steps: number;
  /** When the first layer freezes, as a part of the run, before it is cubed. Default 0.8. */
  readonly t0?: number;
  /** Default true. */
  readonly cubic?: boolean;
}

/**
 * Layers anneal to 0 and freeze one after the other, from the input on (FreezeOut, Brock et al. 2017). With
 * r = t0 + (1 - t0) (depth - 1) / (maxDepth - 1), cubed: lr = (base / r) (1 + cos(pi t / (r steps))) / 2, and frozen
 * from r * steps on. Throws OptionError for steps below 1 and a t0 outside (0, 1].
 */
export function freezeOut(options: FreezeOutOptions): RatePredicate {
  const table = {
    steps: [undefined, "a whole number of at least 1"],
    t0: [0.8, "above 0 and at most 1"],
    cubic: [true],
  } as const;
  const { steps, t0, cubic } = resolved("freezeOut", options, table, "freezeOut({ steps: 1000 })");
  return ({ depth, maxDepth, multiplier }) => {
    const linear = maxDepth === 1 ? 1 : t0 + ((1 - t0) * (depth - 1)) / (maxDepth - 1);
    const part = cubic ? linear ** 3 : linear;
    const length = part * steps;
    // 0.8 cubed times 1000 is a little more than 512 in f64.
    const until = Math.ceil(length - 1e-6);
    return { multiplier: multiplier / part, schedule: cosineAnnealingLR({ steps: length }), until };
  };
}
