// Losses as a user names them.

import { meanSquaredError as squares } from "../op/element-loss.ts";
import type { Loss, Term, Value, Weighting } from "../op/layer.ts";
import { type LossOp, weighting } from "../op/loss.ts";
import { softmaxCrossEntropy } from "../op/softmax-cross-entropy.ts";
import { resolved } from "../option.ts";

function lossOf(place: string, op: LossOp, integerTarget: boolean, options: Weighting): Loss {
  const { weight, reduction } = resolved(place, options, weighting);
  const loss: Loss = {
    ...{ op, integerTarget, weight, reduction },
    of: (output: Value, target: Value, weights?: Value): Term => ({ loss, output, target, weights }),
  };
  return loss;
}

/**
 * Softmax and cross-entropy in one: [B, .., classes] logits against one class number for each row of them, natural logarithm. The
 * mean over all rows, or as their weights say. Throws OptionError for options that do not exist.
 *
 * @example crossEntropy({ weight: 0.5 })
 */
export const crossEntropy = (options: Weighting = {}): Loss =>
  lossOf("crossEntropy", softmaxCrossEntropy, true, options);

/** The mean of the squared differences over all numbers of a batch, or as their weights say, for targets in the shape of the output. */
export const meanSquaredError = (options: Weighting = {}): Loss => lossOf("meanSquaredError", squares, false, options);
