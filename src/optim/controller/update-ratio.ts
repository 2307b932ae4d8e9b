// The length of a step in proportion to the length of the weights.

import text from "../../../shaders/control/update-ratio.wgsl?raw";
import type { Controller } from "../../kernels/control.ts";
import { type BoundedOptions, controller } from "../controller.ts";

/** Options of `updateRatio`. */
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
  controller(
    "updateRatio",
    options,
    {
      target: [1e-3, "greater than 0", "RATIO_TARGET"],
      power: [0.1, "greater than 0", "RATIO_POWER"],
      min: [1 / 64, "greater than 0", "RATIO_MIN"],
      max: [64, "greater than 0", "RATIO_MAX"],
    },
    { bit: 2, text, stages: ["factor"], needs: "length" },
  );
