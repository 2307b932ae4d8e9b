// Functions of one number. A new one is one entry here: its expression, its gradient, and whether that is a function of the input
// or of the output. Its op and that of its way back follow.

import { defineElementwise } from "./elementwise.ts";
import type { Op } from "./op.ts";

export interface Unary {
  /** z, as an expression in x. */
  readonly expression: string;
  /** dL/dx, as an expression in dz, which is dL/dz, and the saved value s. */
  readonly gradient: string;
  /** What s is. Saving the output lets the input's memory go. */
  readonly saves: "x" | "z";
}

/* @__NO_SIDE_EFFECTS__ */ export function unary(name: string, { expression, gradient, saves }: Unary): Op<"x", "z"> {
  // Second derivatives are not computed, so that the way back has none.
  const backward = defineElementwise({ name: `${name}Backward`, inputs: ["dz", "s"], expression: gradient });
  return defineElementwise({
    name,
    inputs: ["x"],
    expression,
    backward,
    back: ({ dz, ...known }, { give, emit }) => give("x", () => emit(backward, { dz, s: known[saves] }).z),
  });
}

/** -x. */
export const neg: Op<"x", "z"> = defineElementwise({
  name: "neg",
  inputs: ["x"],
  expression: "-x",
  back: ({ dz }, { give, emit }) => give("x", () => emit(neg, { x: dz }).z),
});

/** The distance from 0, where the slope is 0. */
export const abs = unary("abs", { expression: "abs(x)", gradient: "dz * sign(s)", saves: "x" });

/** x * x. */
export const square = unary("square", { expression: "x * x", gradient: "2 * dz * s", saves: "x" });

/** The square root. */
export const sqrt = unary("sqrt", { expression: "or_nan(x, sqrt(x))", gradient: "0.5 * dz / s", saves: "z" });

/** The exponential function. */
export const exp = unary("exp", { expression: "or_nan(x, exp(x))", gradient: "dz * s", saves: "z" });

/** The natural logarithm. */
export const log = unary("log", { expression: "or_nan(x, log(x))", gradient: "dz / s", saves: "x" });

/** 1 / x. */
export const reciprocal = unary("reciprocal", { expression: "1 / x", gradient: "-dz * s * s", saves: "z" });
