// The rate for another batch size.

import { checkOptions, say } from "../foreign/options.ts";
import { OptionError } from "../index.ts";

/** Options of `scaleRate`. */
export interface ScaleRateOptions {
  /** Samples of an update that the rate was found for; with micro-batches those of all of them. */
  readonly from: number;
  /** Samples of an update that it is for. */
  readonly to: number;
  /**
   * "linear": rate x to / from, so that as many samples move as far (Goyal et al. 2017), right for SGD. "sqrt": rate x sqrt(to / from), which
   * leaves the noise of an update as it is (Krizhevsky 2014) and is right for Adam and its kin (Malladi et al. 2022). Default "linear".
   */
  readonly rule?: "linear" | "sqrt";
}

/**
 * What a rate that was found at one batch size becomes at another. Both rules hold as long as noise rules the updates: beyond a critical batch size
 * a larger one gains nothing (McCandlish et al. 2018). Throws OptionError.
 *
 * @example
 * adamw({ lr: scaleRate(1e-3, { from: 32, to: 128, rule: "sqrt" }) }); // 2e-3
 * trainer.rates.scale("**", scaleRate(1, { from: 32, to: 128 })); // four times as fast, each layer
 */
export function scaleRate(rate: number, options: ScaleRateOptions): number {
  checkOptions("scaleRate", options, {
    from: "a whole number of at least 1",
    to: "a whole number of at least 1",
    rule: "anything",
  });
  const { from, to, rule = "linear" } = options;
  if (!(Number.isFinite(rate) && rate >= 0))
    throw new OptionError(`scaleRate: the rate is ${say(rate)}, it must be a finite number of at least 0.`);
  if (from === undefined || to === undefined)
    throw new OptionError(`scaleRate: from is ${from} and to is ${to}. Give both batch sizes: { from: 32, to: 128 }.`);
  if (rule !== "linear" && rule !== "sqrt")
    throw new OptionError(`scaleRate: rule is ${say(rule)}, it must be "linear" or "sqrt".`);
  return rate * (rule === "linear" ? to / from : Math.sqrt(to / from));
}
