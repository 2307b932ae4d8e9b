// Layers that drop what they are given, at random and in training alone.

import { ShapeError } from "../errors.ts";
import { drop } from "../op/drop.ts";
import { type Layer, type Scope, type Value, where } from "../op/layer.ts";
import { checkRange } from "../option.ts";

/** Refuses a rate of what is dropped. */
export const checkRate = (place: string, rate: number): void => checkRange(place, "at least 0 and below 1", { rate });

/** x, of which a share `rate` is 0 and the rest is divided by 1 - rate, in training; `noise` is the shape of what is drawn. */
export function dropped(scope: Scope, x: Value, rate: number, noise: readonly number[]): Value {
  if (rate === 0 || scope.mode === "predict") return x;
  return scope.op(drop, { x, u: scope.draw("noise", "uniform", noise) }, { rate }).z;
}

/**
 * Sets numbers to 0 at random, a share `rate` of them in each batch, and divides the others by 1 - rate (Srivastava et al. 2014).
 * In training alone: evaluation and prediction take x as it is. What is drawn goes by the seed, the batch and the layer's path, so
 * a run that is resumed or computed again drops the same. Throws OptionError for a rate that is not at least 0 and below 1.
 *
 * @example dropout(0.5)
 */
export function dropout(rate: number): Layer {
  checkRate("dropout", rate);
  return { kind: "dropout", apply: (scope, x) => dropped(scope, x, rate, x.shape) };
}

/**
 * Dropout of whole channels: [B, .., C] keeps or loses each of a sample's C channels in all places at once (Tompson et al. 2015).
 * Throws ShapeError where there is no axis between batch and channels.
 *
 * @example spatialDropout(0.2)
 */
export function spatialDropout(rate: number): Layer {
  checkRate("spatialDropout", rate);
  return {
    kind: "spatialDropout",
    apply(scope, x) {
      if (x.shape.length < 3) {
        throw new ShapeError(
          `${where("spatialDropout", scope)}: input has shape [${x.shape}], it must be [batch, .., channels] with an axis between. Use dropout().`,
        );
      }
      const isKept = (axis: number): boolean => axis === 0 || axis === x.shape.length - 1;
      return dropped(
        scope,
        x,
        rate,
        x.shape.map((length, axis) => (isKept(axis) ? length : 1)),
      );
    },
  };
}
