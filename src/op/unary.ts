// Functions of one number. A new one is one entry here: its expression, its gradient, and whether that is a function of the input
// or of the output. Its op and that of its way back follow.

import { anyFinite } from "../option.ts";
import { defineElementwise, type Formula, literal } from "./elementwise.ts";
import type { Attributes, Op } from "./op.ts";
import { perhaps } from "./request.ts";

export interface Unary<A extends Attributes = Attributes>
  extends Pick<Formula<"x", A>, "attributes" | "expression" | "refuse"> {
  /** dL/dx, as an expression in dz, which is dL/dz, and the saved value s. */
  readonly gradient: Formula<"dz" | "s", A>["expression"];
  /** What s is. Saving the output lets the input's memory go. */
  readonly saves: "x" | "z";
}

/* @__NO_SIDE_EFFECTS__ */ export function unary<A extends Attributes = Attributes>(
  name: string,
  { gradient, saves, ...formula }: Unary<A>,
): Op<"x", "z", A> {
  // Second derivatives are not computed, so that the way back has none.
  const backward = defineElementwise({ name: `${name}Backward`, inputs: ["dz", "s"], expression: gradient });
  return defineElementwise({
    name,
    inputs: ["x"],
    ...formula,
    backward,
    back: ({ dz, ...known }, { attributes, give, emit }) =>
      give("x", () => emit(backward, { dz, s: known[saves] }, attributes).z),
  });
}

/** -x. */
export const neg: Op<"x", "z"> = defineElementwise({
  name: "neg",
  inputs: ["x"],
  expression: "-x",
  back: ({ dz }, { give, emit }) => give("x", () => emit(neg, { x: dz }).z),
});

/** x times a number. */
export const scaled: Op<"x", "z", { readonly factor: number }> = defineElementwise({
  name: "scaled",
  inputs: ["x"],
  attributes: { factor: [undefined, "a finite number"] },
  expression: ({ factor }) => `x * ${literal(factor)}`,
  back: ({ dz }, { attributes, give, emit }) => give("x", () => emit(scaled, { x: dz }, attributes).z),
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

/** The sine: to 1e-7 for x up to 1e4. */
export const sin = unary("sin", { expression: "wave(x, 0)", gradient: "-dz * wave(s, 0.5)", saves: "x" });

/** From so many factors on a power goes by exp and log. */
const MOST_FACTORS = 16;

/** x to the power p: by products, and by a root, where p is a small multiple of a half. */
function power(x: string, p: number): string {
  if (!Number.isInteger(2 * p) || Math.abs(p) > MOST_FACTORS) return `exp(${literal(p)} * log(${x}))`;
  if (p < 0) return `1 / (${power(x, -p)})`;
  const factors = new Array(Math.floor(p)).fill(x);
  return ["V(1)", ...factors, ...(Number.isInteger(p) ? [] : [`sqrt(${x})`])].slice(p > 0 ? 1 : 0).join(" * ");
}

/** x to the power `exponent`; NaN where x is below 0 and that is not whole. */
export const pow = unary<{ readonly exponent: number }>("pow", {
  attributes: { exponent: [undefined, "a finite number"] },
  expression: ({ exponent }) => `or_nan(x, ${power("x", exponent)})`,
  gradient: ({ exponent }) => `dz * ${literal(exponent)} * or_nan(s, ${power("s", exponent - 1)})`,
  saves: "x",
});

/** x, but `min` where it is below, and `max` where it is above; the slope is 1 from one to the other, with both, as in PyTorch. */
export const clip = unary<{ readonly min?: number; readonly max?: number }>("clip", {
  attributes: { min: [undefined, perhaps(anyFinite)], max: [undefined, perhaps(anyFinite)] },
  refuse({ min, max }) {
    if (min === undefined && max === undefined) return "it has neither min nor max. Give at least one.";
    return min !== undefined && max !== undefined && min > max
      ? `min is ${min} and max is ${max}. Give a min that is not above max.`
      : undefined;
  },
  expression({ min, max }) {
    const above = min === undefined ? "x" : `max(x, V${literal(min)})`;
    return `or_nan(x, ${max === undefined ? above : `min(${above}, V${literal(max)})`})`;
  },
  gradient({ min, max }) {
    const below = min === undefined ? [] : [`(s < V${literal(min)})`];
    return `select(dz, V(0), ${[...below, ...(max === undefined ? [] : [`(s > V${literal(max)})`])].join(" | ")})`;
  },
  saves: "x",
});
