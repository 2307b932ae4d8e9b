// The rate as a weight of its own, which descends too.

import text from "../../../shaders/control/hypergradient.wgsl?raw";
import { OptionError } from "../../errors.ts";
import type { Controller } from "../../kernels/control.ts";
import type { UpdateRule } from "../../kernels/update.ts";
import { type BoundedOptions, controller } from "../controller.ts";

/** Options of `hypergradient`. */
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
  controller(
    "hypergradient",
    options,
    {
      rate: [0.02, "greater than 0", "HYPER_RATE"],
      min: [1 / 64, "greater than 0", "HYPER_MIN"],
      max: [64, "greater than 0", "HYPER_MAX"],
    },
    { bit: 8, text, stages: ["factor"], needs: "direction", check },
  );

function check(tensor: string, { name, directed }: UpdateRule): void {
  if (directed === true) return;
  throw new OptionError(
    `hypergradient: "${tensor}" has ${name}, which does not keep where it last went. Use sgd with momentum, adam or adamw there, or leave it out with { layers }.`,
  );
}
