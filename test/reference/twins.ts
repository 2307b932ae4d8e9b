// The registry: op name -> twin, and the twins of the update rules.

import { adadelta } from "./adadelta.ts";
import { adagrad } from "./adagrad.ts";
import { adam } from "./adam.ts";
import { adamax } from "./adamax.ts";
import { columnSum } from "./column-sum.ts";
import { conv2d } from "./conv2d.ts";
import { conv2dBackwardFilter } from "./conv2d-backward-filter.ts";
import { conv2dBackwardInput } from "./conv2d-backward-input.ts";
import { draw } from "./draw.ts";
import { elementwise, formulas } from "./elementwise.ts";
import { gather } from "./gather.ts";
import { lion } from "./lion.ts";
import { matmul } from "./matmul.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { maxPool2dBackward } from "./max-pool2d-backward.ts";
import { meanSquaredError } from "./mean-squared-error.ts";
import { metrics } from "./metrics.ts";
import { nadam } from "./nadam.ts";
import { radam } from "./radam.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.ts";
import { sumPartials } from "./sum-partials.ts";
import type { Twin, UpdateTwin } from "./twin.ts";

/** Another view of the same numbers. */
const reshape: Twin = ([x]) => [x!];

export const twins: Readonly<Record<string, Twin>> = {
  draw,
  gather,
  matmul,
  columnSum,
  sumPartials,
  reshape,
  conv2d,
  conv2dBackwardInput,
  conv2dBackwardFilter,
  maxPool2d,
  maxPool2dBackward,
  softmaxCrossEntropy,
  meanSquaredError,
  metrics,
  ...Object.fromEntries(Object.keys(formulas).map((op) => [op, elementwise])),
};

export const updateTwins: Readonly<Record<string, UpdateTwin>> = {
  adadelta,
  adagrad,
  adam,
  adamax,
  lion,
  nadam,
  radam,
  rmsprop,
  sgd,
};
