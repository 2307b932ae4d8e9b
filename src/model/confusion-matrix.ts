// Which classes are taken for which, and precision, recall and f1 of each.

import { OptionError } from "../errors.ts";
import { binaryConfusion, confusion, confusionOf } from "../op/confusion.ts";
import { type Counts, type MetricFunction, wholeNumber } from "../op/layer.ts";
import { resolved } from "../option.ts";
import { logitOf, thresholds } from "./metric.ts";

/** Options of `confusionMatrix`. */
export interface ConfusionMatrixOptions {
  /** Of numbers: from which probability on one is told to be 1. Above 0 and below 1, default 0.5. */
  readonly threshold?: number;
}

/** Classes of a matrix at most: its counts are 64 MB then. */
const MOST_CLASSES = 4096;

/**
 * How often samples of each class are told to be of each, counted on the GPU, and what follows from it: precision, recall and f1 of
 * each class, and their means. Of one output [B, .., classes] with class numbers for targets, where ignored labels do not count and the first
 * of equal logits is told; or with 2 classes of logits [B, ..] against numbers, as in binaryAccuracy. It is told by `evaluate`, and by the
 * validation of a fit, as `matrices`; steps of a training do not count. Throws OptionError for what does not fit, ShapeError where the
 * output has not as many classes.
 *
 * @example
 * const trainer = await compile(model, { loss: crossEntropy(), metrics: { digits: confusionMatrix(10) }, ... });
 * const { counts, recall, macro } = (await trainer.evaluate(data)).matrices.digits;
 */
export function confusionMatrix(classes: number, options: ConfusionMatrixOptions = {}): MetricFunction {
  wholeNumber("confusionMatrix", "classes", classes);
  if (classes < 2 || classes > MOST_CLASSES)
    throw new OptionError(`confusionMatrix: classes is ${classes}, it must be from 2 to ${MOST_CLASSES}.`);
  const logit = logitOf(resolved("confusionMatrix", options, thresholds).threshold);
  return (output, target, scope): Counts => {
    const x = output;
    const binary = String(output.shape) === String(target.shape);
    if (!binary && options.threshold !== undefined) {
      throw new OptionError(
        `confusionMatrix: threshold is ${options.threshold}, but the output [${output.shape}] has classes for targets [${target.shape}]. Leave it out.`,
      );
    }
    const counts = binary
      ? () => scope.op(binaryConfusion, { x, target }, { classes, logit }).c
      : () => scope.op(confusion, { x, target }, { classes, ignored: scope.ignored(target) }).c;
    return { counts, matrix: confusionOf };
  };
}
