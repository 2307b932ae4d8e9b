// The batch normalization layer.

import { ShapeError } from "../errors.ts";
import { initializer } from "../initializer.ts";
import { multiply, subtract } from "../op/arithmetic.ts";
import {
  batchNormAffine,
  batchNormPlain,
  batchNormScaled,
  batchNormShifted,
  batchParts,
  batchStatistics,
  inverseRoot,
} from "../op/batch-norm.ts";
import { bias } from "../op/bias.ts";
import { type Layer, type Scope, type Value, where } from "../op/layer.ts";
import { splitsForRows } from "../op/split.ts";
import { size } from "../op/tensor.ts";
import { resolved } from "../option.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** The share of the running values that a step keeps, as in Keras; PyTorch's `momentum` is 1 less this. Default 0.9. */
  readonly momentum?: number;
  /** What is added to the variance. Default 1e-5, as in PyTorch; Keras has 1e-3. */
  readonly eps?: number;
  /**
   * Whether the running variance goes towards that of n - 1, as in PyTorch, and not that of n, as in Keras. What a batch is normalized
   * by is that of n in both. Default true.
   */
  readonly unbiased?: boolean;
  /** Whether there is a factor gamma. Default true. */
  readonly scale?: boolean;
  /** Whether there is an offset beta. Default true. */
  readonly offset?: boolean;
}

/**
 * Batch normalization (Ioffe and Szegedy 2015) of [B, .., C] over all axes but the last: gamma (x - mean) / sqrt(variance + eps) + beta.
 * Training takes mean and variance of the batch, of rows that are real alone, and moves the running ones; evaluation, prediction and
 * a layer of which gamma and beta are frozen take the running ones, and nothing moves. The first axis must count samples.
 *
 * Weights `gamma` and `beta` and states `movingMean` and `movingVariance`, all [C], as in Keras; PyTorch calls them `weight`, `bias`,
 * `running_mean` and `running_var`. Throws OptionError for options that do not exist or are out of range, ShapeError where there is no
 * axis beside the batch.
 *
 * @example batchNorm({ momentum: 0.99, eps: 1e-3, unbiased: false }) // Keras' defaults
 */
export function batchNorm(options: BatchNormOptions = {}): Layer {
  const table = {
    momentum: [0.9, "from 0 to 1"],
    eps: [1e-5, "a normal number of f32 above 0"],
    unbiased: [true],
    scale: [true],
    offset: [true],
  } as const;
  const given = resolved("batchNorm", options, table, "batchNorm({ momentum: 0.99 })");
  const [zeros, ones] = [initializer("batchNorm", "zeros"), initializer("batchNorm", "ones")];
  return {
    kind: "batchNorm",
    apply(scope, x) {
      const channels = x.shape.at(-1) as number;
      if (x.shape.length < 2) {
        throw new ShapeError(
          `${where("batchNorm", scope)}: input has shape [${x.shape}], it must be [batch, .., channels]. Give it one more axis.`,
        );
      }
      const gamma = given.scale ? scope.parameter("gamma", [channels], ones) : undefined;
      const beta = given.offset ? scope.parameter("beta", [channels], zeros) : undefined;
      const movingMean = scope.state("movingMean", [channels], zeros);
      const movingVariance = scope.state("movingVariance", [channels], ones);
      if (scope.mode === "predict")
        return rested(scope, x, { movingMean, movingVariance, gamma, beta, eps: given.eps });
      const { momentum, eps, unbiased } = given;
      const splits = splitsForRows(size(x.shape.slice(0, -1)));
      const seen = splits === 1 ? x : scope.op(batchParts, { x }, { splits }).parts;
      const { mean, inverse, nextMean, nextVariance } = scope.op(
        batchStatistics,
        { x: seen, movingMean, movingVariance },
        { momentum, eps, unbiased, ...(splits > 1 && { parts: x.shape }) },
      );
      scope.commit(movingMean, nextMean);
      scope.commit(movingVariance, nextVariance);
      const by = { x, mean, inverse };
      if (gamma === undefined)
        return beta === undefined ? scope.op(batchNormPlain, by).z : scope.op(batchNormShifted, { ...by, beta }).z;
      return beta === undefined
        ? scope.op(batchNormScaled, { ...by, gamma }).z
        : scope.op(batchNormAffine, { ...by, gamma, beta }).z;
    },
  };
}

interface Known {
  readonly movingMean: Value;
  readonly movingVariance: Value;
  readonly gamma: Value | undefined;
  readonly beta: Value | undefined;
  readonly eps: number;
}

/** By the running values: arithmetic, which ends the kernel before it. */
function rested(scope: Scope, x: Value, { movingMean, movingVariance, gamma, beta, eps }: Known): Value {
  const inverse = scope.op(inverseRoot, { x: movingVariance }, { eps }).y;
  const slope = gamma === undefined ? inverse : scope.op(multiply, { x: inverse, y: gamma }).z;
  const centered = scope.op(subtract, { x, y: movingMean }).z;
  const y = scope.op(multiply, { x: centered, y: slope }).z;
  return beta === undefined ? y : scope.op(bias, { x: y, b: beta }).z;
}
