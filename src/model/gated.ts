// Activations that learn: a slope, or a gate.

import { ShapeError } from "../errors.ts";
import { sigmoid, silu } from "../op/activation.ts";
import { multiply } from "../op/arithmetic.ts";
import { applied, checkNothing, type Layer, where, wholeNumber } from "../op/layer.ts";
import { prelu as preluOp } from "../op/prelu.ts";
import { slice } from "../op/slice.ts";
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

/**
 * a sigmoid(b), where a is the first half of the last axis and b the second (Dauphin et al. 2016): [B, .., 2 C] -> [B, .., C]. Throws
 * ShapeError where there are no halves.
 */
export function glu(...given: []): Layer {
  checkNothing("glu", given);
  return {
    kind: "glu",
    apply(scope, x) {
      const half = (x.shape.at(-1) as number) / 2;
      if (x.shape.length < 2 || !Number.isInteger(half))
        throw new ShapeError(
          `${where("glu", scope)}: input has shape [${x.shape}], its last axis must have two halves.`,
        );
      const whole = x.shape.slice(0, -1).map(() => 0);
      const gate = scope.op(slice, { x }, { begin: [...whole, half] }).y;
      const end = [...whole.map(() => Number.POSITIVE_INFINITY), half];
      return scope.op(multiply, { x: scope.op(slice, { x }, { end }).y, y: scope.op(sigmoid.op, { x: gate }).z }).z;
    },
  };
}
