// Lower rates when a metric stops getting better: torch.optim.lr_scheduler.ReduceLROnPlateau. Not a schedule, for it is
// no function of time: the user feeds it the metric, and it scales the rates of the layer table.

import { OptionError } from "../errors.ts";
import { anything, checkFunction, checkRange, resolved, shown } from "../option.ts";
import { checkPattern } from "../pattern.ts";
import { entriesOf, type Named } from "./pairs.ts";

/** What ReduceLROnPlateau acts on: `trainer.rates`, or anything that can scale rates. */
export interface ReduceLROnPlateauTarget {
  /**
   * Multiplies the rates of the rows that a pattern names by `factor`, not below `floor`. A rate that would fall by no
   * more than `eps` stays as it is.
   */
  scale(pattern: string, factor: number, limits: { readonly floor: number; readonly eps: number }): void;
}

/** Options of `reduceLROnPlateau`, with PyTorch's defaults. */
export interface ReduceLROnPlateauOptions {
  /** The layers whose rates are reduced. Default "**", all of them. */
  readonly layers?: string;
  /** Whether a lower or a higher metric is better. Default "min". */
  readonly mode?: "min" | "max";
  /** Factor of a reduction, at least 0 and below 1. Default 0.1. */
  readonly factor?: number;
  /** So many metrics in a row may be no better; the next one reduces. Default 10. */
  readonly patience?: number;
  /** By how much a metric must beat the best one to be better. Default 1e-4. */
  readonly threshold?: number;
  /** Whether `threshold` is a part of the best metric or an amount. Default "rel". */
  readonly thresholdMode?: "rel" | "abs";
  /** After a reduction, so many metrics are not counted as bad. Default 0. */
  readonly cooldown?: number;
  /**
   * Lowest rates. By pattern, as an object, a Map or a list of pairs: { body: 1e-5, head: 1e-4 }; these layers and no others are then reduced, in the place of
   * `layers`, and a layer must not be named twice. Default 0.
   */
  readonly minLr?: number | Named<number>;
  /** A rate that would fall by no more than this stays. Default 1e-8. */
  readonly eps?: number;
}

/** Plain JSON, for a checkpoint. */
export interface ReduceLROnPlateauState {
  /** Best metric so far; one that is not finite stands as text. */
  readonly best: number | string;
  /** Metrics since then that were no better. */
  readonly bad: number;
  /** Metrics of the cooldown that are still to come. */
  readonly cooldown: number;
}

/** What `reduceLROnPlateau` gives: it is fed one metric after the other. */
export interface ReduceLROnPlateau {
  /**
   * Takes in one metric, such as the validation loss of an epoch, and reduces the rates when too many were no better; NaN
   * is never better. Returns whether it did. Throws OptionError where the metric is not a number.
   */
  step(metric: number): boolean;
  /** What it remembers, as plain JSON for `restore`. */
  state(): ReduceLROnPlateauState;
  /** Goes on from a state; the rates are not part of it, the trainer's checkpoint keeps them. */
  restore(state: ReduceLROnPlateauState): void;
}

/**
 * Reduces rates when a metric has stopped getting better, as torch.optim.lr_scheduler.ReduceLROnPlateau. Throws
 * OptionError where an option cannot be, and NameError, at once, where a pattern names no layer.
 *
 * @example
 * const plateau = reduceLROnPlateau(trainer.rates, { patience: 3, minLr: 1e-5 });
 * plateau.step((await trainer.evaluate(validation)).loss);
 */
export function reduceLROnPlateau(
  target: ReduceLROnPlateauTarget,
  options: ReduceLROnPlateauOptions = {},
): ReduceLROnPlateau {
  const place = "reduceLROnPlateau";
  const table = {
    layers: [],
    mode: ["min", ["min", "max"]],
    factor: [0.1, "at least 0 and below 1"],
    patience: [10, "a whole number of at least 0"],
    threshold: [1e-4, "at least 0"],
    thresholdMode: ["rel", ["rel", "abs"]],
    cooldown: [0, "a whole number of at least 0"],
    minLr: [0, anything],
    eps: [1e-8, "at least 0"],
  } as const;
  const all = resolved(place, options, table, `${place}(trainer.rates, { patience: 3 })`);
  const { layers, mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps } = all;
  checkFunction(place, "scale of the first argument", target?.scale);
  if (layers !== undefined) checkPattern(place, layers);
  const byPattern = typeof minLr === "object" && minLr !== null;
  if (byPattern && layers !== undefined) {
    throw new OptionError(
      `${place}: layers is "${layers}", and minLr names layers as well. Leave out layers, or give minLr as a number.`,
    );
  }
  const floors = byPattern ? entriesOf<number>(`${place}: minLr`, minLr) : ([[layers ?? "**", minLr]] as const);
  const scale = (by: number): void => {
    for (const [pattern, floor] of floors) target.scale(pattern, by, { floor, eps });
  };
  for (const [pattern, floor] of floors)
    checkRange(place, "at least 0", { [byPattern ? `minLr["${pattern}"]` : "minLr"]: floor });
  if (floors.length === 0) throw new OptionError(`${place}: minLr is empty. Name at least one layer in it.`);
  // Changes nothing, but a pattern that names no layer must not wait for the first plateau.
  scale(1);

  const sign = mode === "min" ? 1 : -1;
  let best = sign * Number.POSITIVE_INFINITY;
  let bad = 0;
  let resting = 0;
  return {
    step(metric) {
      if (typeof metric !== "number") {
        throw new OptionError(
          `${place}: the metric is ${shown(metric)}, it must be a number, such as the loss of an evaluation.`,
        );
      }
      const bar = thresholdMode === "rel" ? best * (1 - sign * threshold) : best - sign * threshold;
      const better = sign * metric < sign * bar;
      if (better) best = metric;
      bad = better || resting > 0 ? 0 : bad + 1;
      resting = Math.max(0, resting - 1);
      if (bad <= patience) return false;
      scale(factor);
      resting = cooldown;
      bad = 0;
      return true;
    },
    state: () => ({ best: Number.isFinite(best) ? best : String(best), bad, cooldown: resting }),
    restore(state) {
      const where = `${place}.restore`;
      const count = [undefined, "a whole number of at least 0"] as const;
      const found = resolved(where, state, { best: [], bad: count, cooldown: count }, `${where}(plateau.state())`);
      const restored = Number(found.best ?? Number.NaN);
      if (Number.isNaN(restored)) throw new OptionError(`${where}: best is ${shown(found.best)}, it must be a number.`);
      best = restored;
      bad = found.bad;
      resting = found.cooldown;
    },
  };
}
