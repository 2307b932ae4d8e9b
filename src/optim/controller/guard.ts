// A guard: a layer whose gradient is bad rests.

import text from "../../../shaders/control/guard.wgsl?raw";
import type { Controller } from "../../kernels/control.ts";
import { type Chosen, controller } from "../controller.ts";

/** Options of `guard`. */
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
  controller(
    "guard",
    options,
    {
      factor: [10, "greater than 1", "GUARD_FACTOR"],
      decay: [0.98, "at least 0 and below 1", "GUARD_DECAY"],
      warmup: [20, "a whole number of at least 0", "GUARD_WARMUP"],
      rest: [50, "a whole number of at least 1", "REST"],
      recovery: [1.01, "at least 1", "RECOVERY"],
    },
    { bit: 1, text, stages: ["rests", "factor"] },
  );
