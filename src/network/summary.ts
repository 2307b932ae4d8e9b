// What a model is made of, before there is a device.

import { type Summary, summaryOf } from "../graph/summary.ts";
import { trace } from "../graph/trace.ts";
import { crossEntropy } from "../model/loss.ts";
import type { Layer } from "../op/layer.ts";
import { checkOptions } from "../option.ts";
import { checkInput, checkModel, FLOATS } from "./check.ts";

export type { LayerSummary, Summary } from "../graph/summary.ts";

export interface SummaryOptions {
  /** Shape of one sample; images are [height, width, channels]. */
  readonly input: readonly number[];
}

/**
 * The layers of a model: path, kind, output shape, parameters, states, and multiply-adds of one sample; and their sums. Needs no device.
 * Throws OptionError, ShapeError and NameError where the model does not fit together.
 *
 * @example
 * console.log(String(summary(sequential({ body: [dense(64), relu()], head: dense(10) }), { input: [784] })));
 */
export function summary(model: Layer, options: SummaryOptions): Summary {
  checkModel("summary", model);
  checkOptions("summary", options, ["input"], "{ input: [28, 28, 1] }");
  const { input } = options;
  checkInput("summary", input);
  // A prediction has no loss; the trace only asks it for the form of targets.
  return summaryOf(trace(model, { input, batch: 1, format: FLOATS, loss: crossEntropy(), mode: "predict" }), 1);
}
