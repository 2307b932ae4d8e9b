// BitFit (Ben Zaken et al. 2022): of all weights only biases train.

import type { RatePredicate } from "../index.ts";
import { checkKeys, chosen } from "./names.ts";

/** Options of `bitFit`. */
export interface BitFitOptions {
  /** Layers that train as a whole, such as a new head: a pattern or several. Default: none. */
  readonly also?: string | readonly string[];
}

/**
 * Rates by which only biases train: tensors whose last name is `bias`, `beta` or `recurrentBias`, and those that `also` names. The rest is
 * frozen and may be unfrozen; `base: { except: "**.bias" }` does the same for good, without gradients and moments for the rest. Throws
 * OptionError for what is no pattern.
 *
 * @example compile(model, { rates: bitFit({ also: "head" }), ... })
 */
export function bitFit(options: BitFitOptions = {}): RatePredicate {
  const place = "bitFit";
  checkKeys(place, options, ["also"]);
  const isAlso = options.also === undefined ? () => false : chosen(place, options.also);
  return ({ tensor }) => (isBias.test(tensor) || isAlso(tensor) ? { frozen: false } : { frozen: true });
}

const isBias = /(^|\.)(bias|beta|recurrentBias)$/;
