// Rates in proportion to the relative norm of the gradient.

import text from "../../../shaders/control/auto-rgn.wgsl?raw";
import type { Controller } from "../../kernels/control.ts";
import { type Chosen, controller } from "../controller.ts";

/** Options of `autoRgn`. */
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
  controller(
    "autoRgn",
    options,
    {
      steps: [10, "a whole number of at least 1", "RGN_STEPS"],
      min: [0, "from 0 to 1", "RGN_MIN"],
    },
    { bit: 4, text, stages: ["reading", "factor"] },
  );
