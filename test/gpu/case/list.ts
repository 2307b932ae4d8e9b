// All cases, for the test that every op has some.

import type { Case } from "../case.ts";
import { conv2dBackwardFilterCases, conv2dBackwardInputCases, conv2dCases } from "./conv2d.ts";
import { drawCases } from "./draw.ts";
import { columnSumCases, elementwiseCases, sumPartialsCases } from "./elementwise.ts";
import { gatherCases, meanSquaredErrorCases, softmaxCrossEntropyCases } from "./loss.ts";
import { matmulCases } from "./matmul.ts";
import { maxPool2dBackwardCases, maxPool2dCases } from "./max-pool2d.ts";
import { metricsCases } from "./metrics.ts";

/** By kernel, that is by test file. */
export const gpuCases: Readonly<Record<string, readonly Case[]>> = {
  draw: drawCases,
  gather: gatherCases,
  matmul: matmulCases,
  conv2d: conv2dCases,
  "conv2d-backward-input": conv2dBackwardInputCases,
  "conv2d-backward-filter": conv2dBackwardFilterCases,
  "max-pool2d": maxPool2dCases,
  "max-pool2d-backward": maxPool2dBackwardCases,
  elementwise: elementwiseCases,
  "column-sum": columnSumCases,
  "sum-partials": sumPartialsCases,
  "softmax-cross-entropy": softmaxCrossEntropyCases,
  "mean-squared-error": meanSquaredErrorCases,
  metrics: metricsCases,
};
