// Layers without weights that work on each number by itself, and the change of shape before a dense layer.

import type { Layer, Value } from "./layer.ts";

const elementwise = (op: string): Layer => ({ kind: op, apply: (scope, x) => scope.op(op, [x]) });

/** max(x, 0). */
export const relu = (): Layer => elementwise("relu");
/** x Phi(x) with the normal distribution's Phi: the exact form, PyTorch's and Keras' default (Hendrycks and Gimpel 2016). */
export const gelu = (): Layer => elementwise("gelu");
/** The hyperbolic tangent. */
export const tanh = (): Layer => elementwise("tanh");
/** 1 / (1 + exp(-x)). */
export const sigmoid = (): Layer => elementwise("sigmoid");

/** [B, ...] -> [B, product of the rest]; a change of view that moves nothing. */
export const flatten = (): Layer => ({
  kind: "flatten",
  apply(scope, x) {
    const [batch = 1, ...rest] = x.shape;
    return scope.op("reshape", [x], { shape: shapeText([batch, size(rest)]) });
  },
});

const size = (shape: Value["shape"]): number => shape.reduce((a, b) => a * b, 1);

/** Attributes are scalars, so that nodes print and compare; a shape travels as "64x784". */
const shapeText = (shape: readonly number[]): string => shape.join("x");
