// What a model is made of, before there is a device.

import { plainFormat } from "../graph/stream.ts";
import { type Summary, summaryOf } from "../graph/summary.ts";
import { trace } from "../graph/trace.ts";
import { crossEntropy } from "../model/loss.ts";
import type { Model } from "../op/layer.ts";
import { checkOptions } from "../option.ts";
import { checkModel, type Input, streamsOf } from "./check.ts";

export type { LayerSummary, Summary } from "../graph/summary.ts";

/** Options of `summary`. */
export interface SummaryOptions {
  /** Shape of one sample; images are [height, width, channels]. */
  readonly input: Input | { readonly [name: string]: Input };
}

/**
 * The layers of a model: path, kind, output shape, parameters, states, and multiply-adds of one sample; and their sums. Needs no device.
 * Throws OptionError, ShapeError and NameError where the model does not fit together.
 *
 * @example
 * console.log(String(summary(sequential({ body: [dense(64), relu()], head: dense(10) }), { input: [784] })));
 */
export function summary(model: Model, options: SummaryOptions): Summary {
  checkModel("summary", model);
  checkOptions("summary", options, ["input"], "{ input: [28, 28, 1] }");
  const inputs = streamsOf("summary", "input", options.input);
  // A prediction has no loss; the trace only asks it for the form of targets.
  return summaryOf(
    trace(model, { inputs, batch: 1, format: plainFormat(inputs), loss: crossEntropy(), mode: "predict" }),
    1,
  );
}
