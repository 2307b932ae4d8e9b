// What is told of a model beside its loss. A loss may be told too, as it is.

import { binaryHits } from "../op/binary-hits.ts";
import { inTop } from "../op/in-top.ts";
import { checkNothing, type Measure, type MetricFunction, wholeNumber } from "../op/layer.ts";
import { resolved } from "../option.ts";
import { crossEntropy, lossOf } from "./loss.ts";

/** The part of labels of [B, ..] that are hit by the logits of [B, .., classes]; those that a loss ignores do not count. */
const hitsOf =
  (k: number): MetricFunction =>
  (output, target, scope): Measure => {
    const attributes = { k, ignored: scope.ignored(target) };
    const is = { integerTarget: true, byRow: true, hasHits: true };
    return { term: lossOf({ op: inTop, ...is, attributes }).of(output, target), tells: "hits" };
  };

/**
 * The part of rows whose label has the largest of their logits, of one output [B, .., classes] with class numbers for targets: what
 * crossEntropy tells of itself, for any other loss. Labels that a loss ignores do not count. Of numbers that are 0 or 1 it is binaryAccuracy.
 * Throws OptionError where it is given anything, ShapeError where targets are no class numbers of the output.
 *
 * @example compile(model, { loss: (z, y) => ({ values: margins(z, y) }), target: { shape: [], classes: 10 }, metrics: { accuracy: accuracy() }, ... });
 */
export function accuracy(...given: readonly never[]): MetricFunction {
  checkNothing("accuracy", given);
  return hitsOf(1);
}

/**
 * As accuracy, of labels that are among the `k` largest of their logits; of equal ones the first counts before the others. Throws
 * OptionError where `k` is no whole number of at least 1 or there are fewer classes.
 *
 * @example compile(model, { loss: crossEntropy(), metrics: { top5: topK(5) }, ... });
 */
export function topK(k: number): MetricFunction {
  return hitsOf(wholeNumber("topK", "k", k));
}

/** What a probability of 1 is above, as an option. */
export const thresholds = { threshold: [0.5, "between 0 and 1"] } as const;

/** The logit of a probability. */
export const logitOf = (probability: number): number => Math.log(probability / (1 - probability));

/** Options of `binaryAccuracy`. */
export interface BinaryAccuracyOptions {
  /** From which probability on a number is told to be 1. Above 0 and below 1, default 0.5. */
  readonly threshold?: number;
}

/**
 * The part of numbers that are told right: an output [B, ..] of logits, as binaryCrossEntropy takes them, without a sigmoid before it,
 * against targets in the same shape, of which those above 0.5 are 1. A logit is told to be 1 where its sigmoid is above `threshold`. Throws
 * OptionError for options that do not fit.
 */
export function binaryAccuracy(options: BinaryAccuracyOptions = {}): MetricFunction {
  const { threshold } = resolved("binaryAccuracy", options, thresholds);
  const attributes = { logit: logitOf(threshold) };
  const loss = lossOf({ op: binaryHits, hasHits: true, attributes });
  return (output, target): Measure => ({ term: loss.of(output, target), tells: "hits" });
}

/**
 * e to the mean cross-entropy of logits [B, .., classes] and class numbers, over all labels that count of an epoch or an evaluation: without
 * weights or smoothing, whatever the loss has. 1 is certain and right, and the number of classes is as good as nothing. Throws as accuracy does.
 *
 * @example compile(model, { input: { shape: [16], classes: 65 }, loss: crossEntropy(), metrics: { perplexity: perplexity() }, ... });
 */
export function perplexity(...given: readonly never[]): MetricFunction {
  checkNothing("perplexity", given);
  return (output, target, scope): Measure => {
    const ignored = scope.ignored(target);
    const loss = crossEntropy(ignored === undefined ? {} : { ignoreIndex: ignored });
    return { term: loss.of(output, target), tells: "mean", finish: Math.exp };
  };
}
