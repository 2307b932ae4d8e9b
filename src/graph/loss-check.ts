// What a loss refuses of the values that it is given.

import { OptionError, ShapeError } from "../errors.ts";
import type { Loss } from "../op/layer.ts";
import { size, type Tensor } from "../op/tensor.ts";

/** Refuses whole numbers, which a loss would take for others. */
export function checkedNumbers(place: string, tensor: Tensor): Tensor {
  if (tensor.dtype === "f32") return tensor;
  throw new ShapeError(`${place}: "${tensor.name}" is of whole numbers. Give what a layer has made of them.`);
}

/** Weights stand for all values of a sample, or for those of the axes that they lack. */
export function checkWeights(place: string, weights: Tensor | undefined, values: readonly number[]): void {
  if (weights === undefined) return;
  const { shape, dtype } = weights;
  if (dtype === "f32" && shape.length > 0 && shape.every((length, i) => length === values[i])) return;
  throw new ShapeError(
    `${place}: its weights are [${shape}] of ${dtype}, its values [${values}] of f32. Give one weight a sample, [${values[0]}], or one for each value.`,
  );
}

export function checkRows(place: string, shape: readonly number[], batch: number): void {
  if (shape[0] === batch && size(shape) > 0) return;
  throw new ShapeError(
    `${place}: its values are [${shape}], but a batch has ${batch} samples. Keep the first axis as it is.`,
  );
}

export function checkPrediction(of: string, loss: Loss, shape: readonly number[], batch: number): void {
  if (shape[0] !== batch) {
    throw new ShapeError(
      `model: ${of}it ends in shape [${shape}], but a batch has ${batch} samples. Keep the first axis as it is.`,
    );
  }
  if (loss.byRow && shape.length < 2) {
    throw new ShapeError(
      `crossEntropy: ${of}the model ends in shape [${shape}], it must be [batch, .., classes]. End the model with dense(classes).`,
    );
  }
  if (loss.byRow && (shape.at(-1) as number) < 2) {
    throw new ShapeError(
      `crossEntropy: ${of}the model ends in 1 class, it needs at least 2. Use meanSquaredError() for a single number.`,
    );
  }
  if (size(shape) === 0) throw new ShapeError(`model: ${of}its output has the empty shape [${shape}].`);
}

/** Weights of classes are as many as there are classes, and no more of them are looked at. */
export function checkClasses(place: string, { classWeights, attributes: { k } }: Loss, shape: readonly number[]): void {
  const classes = shape.at(-1) ?? 1;
  if (k !== undefined && (k as number) > classes) {
    throw new OptionError(`${place}: k is ${k}, the output [${shape}] has ${classes} classes. Give at most as many.`);
  }
  if (classWeights === undefined || classWeights.length === shape.at(-1)) return;
  throw new OptionError(
    `${place}: its classWeights are ${classWeights.length} numbers, the output [${shape}] has ${shape.at(-1)} classes. Give one for each.`,
  );
}
