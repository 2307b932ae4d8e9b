// Presets of layer-wise rates: predicates that turn a layer's depth into a rule. Depth 1 is next to the input, maxDepth the
// head. Which end should learn fast depends on what shifted: for new labels the head, for a new kind of input the stem.

import { OptionError } from "../errors.ts";
import type { RatePredicate } from "./rates.ts";

/**
 * Input-side layers learn more slowly: multiplier = decay^(maxDepth - depth), at least `floor`; the head has 1.
 * As in ELECTRA, BEiT, MAE and timm. Usual are 0.65 to 0.9.
 */
export function layerDecay(decay: number, { floor = 0 }: { readonly floor?: number } = {}): RatePredicate {
  checkFactor("layerDecay", decay);
  if (!(floor >= 0 && floor <= 1)) throw new OptionError(`layerDecay: floor is ${floor}, it must be from 0 to 1.`);
  return ({ depth, maxDepth }) => ({ multiplier: Math.max(floor, decay ** (maxDepth - depth)) });
}

/** Each layer learns `factor` times slower than the one after it (ULMFiT, Howard and Ruder 2018: 2.6). */
export function discriminative(factor = 2.6): RatePredicate {
  if (!(factor >= 1 && Number.isFinite(factor))) {
    throw new OptionError(`discriminative: the factor is ${factor}, it must be at least 1. ULMFiT uses 2.6.`);
  }
  return ({ depth, maxDepth }) => ({ multiplier: factor ** (depth - maxDepth) });
}

/** Base rates from `lo` at the input to `hi` at the head in equal ratios, as fastai's slice(lo, hi). */
export function geometric(lo: number, hi: number): RatePredicate {
  if (!(lo > 0 && hi > 0 && Number.isFinite(lo) && Number.isFinite(hi))) {
    throw new OptionError(`geometric: the rates are ${lo} and ${hi}. Both must be finite and above 0.`);
  }
  return ({ depth, maxDepth }) => ({ lr: maxDepth === 1 ? hi : lo * (hi / lo) ** ((depth - 1) / (maxDepth - 1)) });
}

/**
 * The reverse of layerDecay: multiplier = decay^(depth - 1); the layer at the input has 1. Right when the input shifts,
 * by noise, another sensor or another style, and not the labels (Surgical Fine-Tuning, Lee et al. 2023).
 */
export function inputFirst(decay: number): RatePredicate {
  checkFactor("inputFirst", decay);
  return ({ depth }) => ({ multiplier: decay ** (depth - 1) });
}

function checkFactor(place: string, decay: number): void {
  if (decay > 0 && decay <= 1) return;
  throw new OptionError(`${place}: the decay is ${decay}, it must be above 0 and at most 1. Usual are 0.65 to 0.9.`);
}
