// Layers without weights that work on each number by itself, and the change of shape before a dense layer.

import { checkNothing, type Layer, type Value } from "./layer.ts";

function elementwise(op: string, given: readonly unknown[]): Layer {
  checkNothing(op, given);
  return { kind: op, apply: (scope, x) => scope.op(op, [x]) };
}

/** max(x, 0). */
export const relu = (...given: []): Layer => elementwise("relu", given);
/** x Phi(x) with the normal distribution's Phi: the exact form, PyTorch's and Keras' default (Hendrycks and Gimpel 2016). */
export const gelu = (...given: []): Layer => elementwise("gelu", given);
/** The hyperbolic tangent. */
export const tanh = (...given: []): Layer => elementwise("tanh", given);
/** 1 / (1 + exp(-x)). */
export const sigmoid = (...given: []): Layer => elementwise("sigmoid", given);

/** [B, ...] -> [B, product of the rest]; a change of view that moves nothing. */
export function flatten(...given: []): Layer {
  checkNothing("flatten", given);
  return {
    kind: "flatten",
    apply(scope, x) {
      const [batch = 1, ...rest] = x.shape;
      return scope.op("reshape", [x], { shape: shapeText([batch, size(rest)]) });
    },
  };
}

const size = (shape: Value["shape"]): number => shape.reduce((a, b) => a * b, 1);

/** Attributes are scalars, so that nodes print and compare; a shape travels as "64x784". */
const shapeText = (shape: readonly number[]): string => shape.join("x");
