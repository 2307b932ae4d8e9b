// Learning rates by layer as a trainer offers them: what can be changed and seen while it trains.

import type { Edit } from "./edit.ts";
import type { ReplayOptions } from "./log.ts";
import type { ScaleOptions } from "./rates.ts";
import type { RateSpec } from "./rule.ts";
import type { LayerRow, TensorRow } from "./table.ts";

/** Learning rates by layer, as `trainer.rates`. */
export interface LayerRates {
  /**
   * Sets the base rate (a number), or any part of a rule, of the layers or tensors that a pattern names. Gives the names of the
   * tensors that it hit, as all changes do. Throws NameError where nothing matches, OptionError for what is no rule.
   */
  set(pattern: string, spec: RateSpec): readonly string[];
  /**
   * Freezes the layers or tensors that a pattern names: from the next step on nothing of theirs is computed, read or
   * written, and the backward pass ends where nothing is left to train. Throws NameError where nothing matches, OptionError
   * where nothing would be left to train.
   */
  freeze(pattern: string): readonly string[];
  /**
   * Lets layers train again, with the moments and step counts that they had; a `from` or `until` of theirs is forgotten.
   * Throws NameError where nothing matches.
   */
  unfreeze(pattern: string): readonly string[];
  /** One row for each layer, as of the next step; in a callback of a fit, as of the step that it hears of. */
  table(options?: { readonly tensors?: false }): LayerRow[];
  /** One row for each tensor, such as one whose rate is not that of its layer. */
  table(options: { readonly tensors: true }): TensorRow[];
  /**
   * Hands the tensors that a pattern names to another layer: they take over its settings, and from now on patterns find
   * them as `layer.tensor`. Step count and optimizer stay theirs. Assigned to their own layer they are home again.
   * Throws NameError where nothing matches or there is no such layer.
   */
  assign(pattern: string, layer: string): readonly string[];
  /** Multiplies base rates by a factor, not below `floor` and not by less than `eps`, as ReduceLROnPlateau. */
  scale(pattern: string, factor: number, options?: ScaleOptions): readonly string[];
  /**
   * Every change made while training, as JSON: the calls of set, assign, scale, freeze and unfreeze with their steps. Those of
   * `set`, `freeze` and `unfreeze` with one pattern at one step are one line, as of a slider that is drawn, where that comes
   * to the same; a schedule that another took the place of is then not in it.
   */
  edits(): readonly Edit[];
  /**
   * Makes the changes of a log at their steps, so that a run with the same seed and data repeats. All are checked before
   * any is made. Throws OptionError and NameError. Schedules that were bare functions come from `schedules`, in order.
   */
  replay(log: readonly Edit[], options?: ReplayOptions): void;
}
