// Layers without weights that work on each number by itself, and the change of shape before a dense layer.

import * as ops from "../op/activation.ts";
import type { Op } from "../op/op.ts";
import { reshape } from "../op/reshape.ts";
import { size } from "../op/tensor.ts";
import { checkNothing, type Layer } from "./layer.ts";

function elementwise(op: Op<"x", "z">, given: readonly unknown[]): Layer {
  checkNothing(op.name, given);
  return { kind: op.name, apply: (scope, x) => scope.op(op, { x }).z };
}

/** max(x, 0). */
export const relu = (...given: []): Layer => elementwise(ops.relu, given);
/** x Phi(x) with the normal distribution's Phi: the exact form, PyTorch's and Keras' default (Hendrycks and Gimpel 2016). */
export const gelu = (...given: []): Layer => elementwise(ops.gelu, given);
/** The hyperbolic tangent. */
export const tanh = (...given: []): Layer => elementwise(ops.tanh, given);
/** 1 / (1 + exp(-x)). */
export const sigmoid = (...given: []): Layer => elementwise(ops.sigmoid, given);

/** [B, ...] -> [B, product of the rest]; a change of view that moves nothing. */
export function flatten(...given: []): Layer {
  checkNothing("flatten", given);
  return {
    kind: "flatten",
    apply(scope, x) {
      const [batch = 1, ...rest] = x.shape;
      return scope.op(reshape, { x }, { shape: [batch, size(rest)] }).y;
    },
  };
}
