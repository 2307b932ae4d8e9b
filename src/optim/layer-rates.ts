// Learning rates by layer as a trainer offers them: what can be changed and seen while it trains.

import type { Edit } from "./edit.ts";
import type { ReplayOptions } from "./log.ts";
import type { ScaleOptions } from "./rates.ts";
import type { RateSpec } from "./rule.ts";
import type { LayerRow } from "./table.ts";

export interface LayerRates {
  /** Sets the base rate (a number), or any part of a rule, of the layers or tensors that a pattern names. */
  set(pattern: string, spec: RateSpec): void;
  /**
   * Freezes the layers or tensors that a pattern names: from the next step on nothing of theirs is computed, read or
   * written, and the backward pass ends where nothing is left to train. Throws NameError where nothing matches, OptionError
   * where nothing would be left to train.
   */
  freeze(pattern: string): void;
  /**
   * Lets layers train again, with the moments and step counts that they had; a `from` or `until` of theirs is forgotten.
   * Throws NameError where nothing matches.
   */
  unfreeze(pattern: string): void;
  /** One row for each layer, as of the next step; in a callback of a fit, as of the step that it hears of. */
  table(): LayerRow[];
  /**
   * Hands the tensors that a pattern names to another layer: they take over its settings, and from now on patterns find
   * them as `layer.tensor`. Step count and optimizer stay theirs. Assigned to their own layer they are home again.
   * Throws NameError where nothing matches or there is no such layer.
   */
  assign(pattern: string, layer: string): void;
  /** Multiplies base rates by a factor, not below `floor` and not by less than `eps`, as ReduceLROnPlateau. */
  scale(pattern: string, factor: number, options?: ScaleOptions): void;
  /** Every change made while training, as JSON: the calls of set, assign, scale, freeze and unfreeze with their steps. */
  edits(): readonly Edit[];
  /**
   * Makes the changes of a log at their steps, so that a run with the same seed and data repeats. All are checked before
   * any is made. Throws OptionError and NameError. Schedules that were bare functions come from `schedules`, in order.
   */
  replay(log: readonly Edit[], options?: ReplayOptions): void;
}
