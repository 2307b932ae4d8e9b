// What is told of a model beside its loss.

import { inTop } from "../op/in-top.ts";
import { type Metric, wholeNumber } from "../op/layer.ts";

/**
 * The part of rows whose label is among the `k` largest of their logits: of one output [B, .., classes] with class numbers for targets.
 * All rows of samples count, ignored labels as misses. Throws OptionError where `k` is no whole number of at least 1, ShapeError where there
 * are fewer classes.
 *
 * @example compile(model, { loss: crossEntropy(), metrics: { top5: topK(5) }, ... });
 */
export function topK(k: number): Metric {
  wholeNumber("topK", "k", k);
  return (output, target, scope) => scope.op(inTop, { x: output, labels: target }, { k }).y;
}
