// The fully connected layer.

import { ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "../initializer.ts";
import { checkNoActivation, type Layer, where, wholeNumber } from "../op/layer.ts";
import { matmul } from "../op/matmul.ts";
import { bias as addBias } from "../op/sum.ts";
import { resolved } from "../option.ts";

export interface DenseOptions {
  /** Features that the layer expects; left out, it takes what comes. */
  readonly inputs?: number;
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** Start of the weight [in, units]. Default "glorotUniform". */
  readonly initializer?: InitializerName | Initializer;
}

/**
 * `y = x W + b`: [B, in] -> [B, units], with weight [in, units] and bias [units] as in Keras.
 * Throws OptionError for options that do not exist, ShapeError where the input is not [B, in].
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
      const [, features] = x.shape;
      if (x.shape.length !== 2 || features === undefined) {
        throw new ShapeError(
          `${where("dense", scope)}: input has shape [${x.shape}], it must be [batch, features]. Put flatten() before it.`,
        );
      }
      if (inputs !== undefined && inputs !== features) {
        throw new ShapeError(
          `${where("dense", scope)}: input has ${features} features, weight expects ${inputs}. Remove "inputs" or set it to ${features}.`,
        );
      }
      const weight = scope.parameter("weight", [features, units], initialize);
      const product = scope.op(matmul, { a: x, b: weight }).c;
      if (!bias) return product;
      return scope.op(addBias, { x: product, b: scope.parameter("bias", [units], zeros) }).z;
    },
  };
}
