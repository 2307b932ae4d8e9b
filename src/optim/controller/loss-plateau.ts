// Lower rates where the loss no longer falls.

import text from "../../../shaders/control/loss-plateau.wgsl?raw";
import type { Controller } from "../../kernels/control.ts";
import { type Chosen, controller } from "../controller.ts";

/** Options of `lossPlateau`. */
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
  controller(
    "lossPlateau",
    options,
    {
      steps: [100, "a whole number of at least 1", "PLATEAU_STEPS"],
      patience: [10, "a whole number of at least 0", "PLATEAU_PATIENCE"],
      factor: [0.1, "between 0 and 1", "PLATEAU_FACTOR"],
      threshold: [1e-4, "from 0 to 1", "PLATEAU_THRESHOLD"],
      cooldown: [0, "a whole number of at least 0", "PLATEAU_COOLDOWN"],
      min: [0, "from 0 to 1", "PLATEAU_MIN"],
    },
    { bit: 16, text, stages: ["factor"] },
  );
