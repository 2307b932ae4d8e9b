// The fully connected layer.

import { ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "../initializer.ts";
import { bias as addBias } from "../op/bias.ts";
import { checkNoActivation, type Layer, type Scope, type Value, where, wholeNumber } from "../op/layer.ts";
import { matmul } from "../op/matmul.ts";
import { reshape } from "../op/reshape.ts";
import { size } from "../op/tensor.ts";
import { resolved } from "../option.ts";

/** Options of `dense`. */
export interface DenseOptions {
  /** Features that the layer expects; left out, it takes what comes. */
  readonly inputs?: number;
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** Start of the weight [in, units]. Default "glorotUniform". */
  readonly initializer?: InitializerName | Initializer;
}

/**
 * `y = x W + b` on the last axis: [B, .., in] -> [B, .., units], with weight [in, units] and bias [units] as in Keras.
 * Throws OptionError for options that do not exist, ShapeError where the input has no axis beside the batch.
 *
 * @example dense(10)
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  wholeNumber("dense", "units", units);
  checkNoActivation("dense", options);
  const table = { inputs: [], bias: [true], initializer: ["glorotUniform"] } as const;
  const { inputs, bias, ...start } = resolved("dense", options, table, "dense(10, { bias: false })");
  if (inputs !== undefined) wholeNumber("dense", "inputs", inputs);
  const initialize = initializer("dense", start.initializer);
  const zeros = initializer("dense", "zeros");
  return {
    kind: "dense",
    apply(scope, x) {
      const features = x.shape.at(-1);
      if (x.shape.length < 2 || features === undefined) {
        throw new ShapeError(
          `${where("dense", scope)}: input has shape [${x.shape}], it must be [batch, .., features]. Give it one more axis.`,
        );
      }
      if (inputs !== undefined && inputs !== features) {
        throw new ShapeError(
          `${where("dense", scope)}: input has ${features} features, weight expects ${inputs}. Remove "inputs" or set it to ${features}.`,
        );
      }
      return affine(scope, x, units, initialize, bias ? zeros : undefined);
    },
  };
}

/** `x W + b` on the last axis, with the scope's `weight` and, where there is a start for it, `bias`. */
export function affine(
  scope: Scope,
  x: Value,
  units: number,
  start: Initializer,
  bias: Initializer | undefined,
): Value {
  const features = x.shape.at(-1) as number;
  const weight = scope.parameter("weight", [features, units], start);
  // Whatever is under the leading axes is a row; a view costs nothing and stops no fusion.
  const leading = x.shape.slice(0, -1);
  const rows = leading.length === 1 ? x : scope.op(reshape, { x }, { shape: [size(leading), features] }).y;
  const product = scope.op(matmul, { a: rows, b: weight }).c;
  const y = bias ? scope.op(addBias, { x: product, b: scope.parameter("bias", [units], bias) }).z : product;
  return leading.length === 1 ? y : scope.op(reshape, { x: y }, { shape: [...leading, units] }).y;
}
