// Losses as a user names them.

import { OptionError } from "../errors.ts";
import * as element from "../op/element-loss.ts";
import type { Loss, Term, Value, Weighting } from "../op/layer.ts";
import { type LossOp, weighting } from "../op/loss.ts";
import { softmaxCrossEntropy } from "../op/softmax-cross-entropy.ts";
import { checkRange, resolved, shown } from "../option.ts";

type Kind = Pick<Loss, "op"> & Partial<Omit<Loss, "op" | "of">>;

/** A loss, or what looks at outputs as one does. */
export function lossOf(kind: Kind): Loss {
  const loss: Loss = {
    ...{
      weight: 1,
      reduction: "mean",
      attributes: {},
      integerTarget: false,
      byRow: false,
      hasHits: false,
      summed: false,
    },
    ...kind,
    of: (output: Value, target: Value, weights?: Value): Term => ({ loss, output, target, weights }),
  };
  return loss;
}

/** A loss that looks at each number by itself and has no options of its own. */
const plain =
  /* @__NO_SIDE_EFFECTS__ */
    (place: string, op: LossOp, more: Partial<Kind> = {}) =>
    (options: Weighting = {}): Loss =>
      lossOf({ op, ...resolved(place, options, weighting), ...more });

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends Weighting {
  /** The part e of a target that all classes share: (1 - e) where it was, and e / classes for each. From 0 to 1, default 0. */
  readonly labelSmoothing?: number;
  /**
   * What each class counts, one number of at least 0 for each. A mean over labels divides by the sum of the weights of their classes, one
   * over probabilities, or with `reduction: "count"`, by how many rows there are. Default: all the same.
   */
  readonly classWeights?: readonly number[];
  /** A label that does not count at all: not in loss, gradient and accuracy, and not in what these are divided by. Default: none. */
  readonly ignoreIndex?: number;
  /** Whether targets are probabilities in the shape of the output, [B, .., classes], and not class numbers. Default false. */
  readonly soft?: boolean;
}

const crossEntropyTable = {
  ...weighting,
  labelSmoothing: [0, "from 0 to 1"],
  classWeights: [undefined, checkClassWeights],
  ignoreIndex: [undefined, checkLabel],
  soft: [false],
} as const;

/**
 * Softmax and cross-entropy in one: [B, .., classes] logits against one class number for each row of them, or against probabilities,
 * natural logarithm. The mean over all rows, or as their weights say. The accuracy is the part of rows whose largest logit is that of the
 * label, or of the largest probability. Where all that counts is 0, so is the loss, and nothing moves. No gradient goes into targets.
 * Throws OptionError for options that do not exist or do not fit.
 *
 * @example crossEntropy({ labelSmoothing: 0.1, ignoreIndex: -100 })
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const { labelSmoothing, classWeights, ignoreIndex, soft, ...weighed } = resolved(
    "crossEntropy",
    options,
    crossEntropyTable,
  );
  if (soft && ignoreIndex !== undefined) {
    throw new OptionError(
      `crossEntropy: ignoreIndex is ${ignoreIndex}, but with soft: true there are no labels. Give such rows the weight 0.`,
    );
  }
  const attributes = {
    ...(soft && { soft }),
    ...(labelSmoothing > 0 && { smoothing: labelSmoothing }),
    // Labels are words: below 0 they are counted from the end.
    ...(ignoreIndex !== undefined && { ignored: ignoreIndex >>> 0 }),
  };
  const is = { integerTarget: !soft, byRow: true, hasHits: true };
  return lossOf({ op: softmaxCrossEntropy, ...weighed, ...is, attributes, classWeights, ignoreIndex });
}

function checkClassWeights(place: string, name: string, value: unknown): void {
  if (value === undefined) return;
  if (Array.isArray(value) && value.length > 0) {
    for (const [i, weight] of value.entries()) checkRange(place, "at least 0", { [`${name}[${i}]`]: weight });
    return;
  }
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a list of numbers, one for each class.`);
}

/** Whole numbers that fit a word. */
function checkLabel(place: string, name: string, value: unknown): void {
  if (value === undefined || (Number.isInteger(value) && Math.abs(value as number) < 2 ** 31)) return;
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a whole number, for example -100.`);
}

/** The mean of the squared differences over all numbers of a batch, or as their weights say, for targets in the shape of the output. */
export const meanSquaredError = /* @__PURE__ */ plain("meanSquaredError", element.meanSquaredError);

/** As meanSquaredError, of the differences without their sign. The slope at 0 is 0. */
export const meanAbsoluteError = /* @__PURE__ */ plain("meanAbsoluteError", element.meanAbsoluteError);

/** Options of `huber`. */
export interface HuberOptions extends Weighting {
  /** Up to which difference it is half the square. Above 0, default 1. */
  readonly delta?: number;
}

/**
 * As meanSquaredError, of half the square of differences up to `delta` and of delta (|d| - delta / 2) beyond it, so that what is far off
 * does not decide (Huber 1964). Throws OptionError where `delta` is not above 0.
 */
export function huber(options: HuberOptions = {}): Loss {
  const { delta, ...weighed } = resolved("huber", options, { ...weighting, delta: [1, "greater than 0"] });
  return lossOf({ op: element.huber, ...weighed, attributes: { delta } });
}

/** Options of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions extends Weighting {
  /** What a target of 1 counts beside one of 0. At least 0, default 1. */
  readonly posWeight?: number;
}

/**
 * The cross-entropy of two classes, or of several that do not exclude one another: each logit of an output [B, ..] against a target from
 * 0 to 1 in the same place, without a sigmoid before it, natural logarithm; the mean over all numbers, or as their weights say. The accuracy
 * is the part of numbers whose logit is above 0 where the target is above 0.5 and only there. No gradient goes into targets. Throws
 * OptionError for options that do not fit.
 *
 * @example binaryCrossEntropy({ posWeight: 4 })
 */
export function binaryCrossEntropy(options: BinaryCrossEntropyOptions = {}): Loss {
  const { posWeight, ...weighed } = resolved("binaryCrossEntropy", options, { ...weighting, posWeight: [1] });
  return lossOf({ op: element.binaryCrossEntropy, ...weighed, hasHits: true, attributes: { posWeight } });
}

/**
 * How far logarithms of probabilities, the output [B, ..], are from the probabilities of the target in the same shape: the sum of
 * t (log t - p) over the numbers of a sample, the mean over the samples, or as their weights say. As torch.nn.KLDivLoss with "batchmean". No
 * gradient goes into targets.
 */
export const klDivergence = /* @__PURE__ */ plain("klDivergence", element.klDivergence, { summed: true });
