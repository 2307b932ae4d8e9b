// Activations that learn: a slope, or a gate.

import { silu } from "../op/activation.ts";
import { multiply } from "../op/arithmetic.ts";
import { applied, checkNothing, type Layer, wholeNumber } from "../op/layer.ts";
import { prelu as preluOp } from "../op/prelu.ts";
import { type DenseOptions, dense } from "./dense.ts";

/** What PyTorch and the paper start with. */
const SLOPE = 0.25;

/** x, or a x where x is at most 0, with a weight `slope` [C] of a number a for each entry of the last axis, 0.25 at first (He et al. 2015). */
export function prelu(...given: []): Layer {
  checkNothing("prelu", given);
  return {
    kind: "prelu",
    apply(scope, x) {
      const a = scope.parameter("slope", x.shape.slice(-1), ([length = 1]) => new Float32Array(length).fill(SLOPE));
      return scope.op(preluOp, { x, a }).z;
    },
  };
}

/**
 * silu(x G + b) (x V + c) on the last axis: [B, .., in] -> [B, .., units], with dense layers `gate` and `value` (Shazeer 2020).
 * `units` is by default as many as come in; options and errors are those of dense.
 *
 * @example sequential([swiglu(256, { bias: false }), dense(96, { bias: false })]) // the feed-forward part of a Llama block
 */
export function swiglu(units?: number, options: DenseOptions = {}): Layer {
  if (units !== undefined) wholeNumber("swiglu", "units", units);
  dense(1, options);
  return {
    kind: "swiglu",
    apply(scope, x) {
      const part = dense(units ?? x.shape.at(-1) ?? 1, options);
      const gate = silu().apply(scope, applied(part, scope.child("gate"), x));
      return scope.op(multiply, { x: gate, y: applied(part, scope.child("value"), x) }).z;
    },
  };
}
