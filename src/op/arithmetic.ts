// What takes two operands, either of which may be repeated along the axes that it has not; `add` stands in elementwise.ts.

import { defineElementwise } from "./elementwise.ts";
import type { Op } from "./op.ts";
import { sumTo } from "./sum.ts";
import { neg } from "./unary.ts";

/** x - y. */
export const subtract: Op<"x" | "y", "z"> = defineElementwise({
  name: "subtract",
  inputs: ["x", "y"],
  expression: "x - y",
  back({ dz, y }, { give, emit }) {
    give("x", () => dz);
    // The sum goes first, for it is the smaller.
    give("y", () => emit(neg, { x: sumTo(dz, y.shape, emit) }).z);
  },
});

/** x * y. */
export const multiply: Op<"x" | "y", "z"> = defineElementwise({
  name: "multiply",
  inputs: ["x", "y"],
  expression: "x * y",
  back({ dz, x, y }, { give, emit }) {
    give("x", () => emit(multiply, { x: dz, y }).z);
    give("y", () => emit(multiply, { x: dz, y: x }).z);
  },
});

/** x / y. */
export const divide: Op<"x" | "y", "z"> = defineElementwise({
  name: "divide",
  inputs: ["x", "y"],
  expression: "x / y",
  back({ dz, y, z }, { give, emit }) {
    give("x", () => emit(divide, { x: dz, y }).z);
    give("y", () => emit(neg, { x: emit(multiply, { x: emit(divide, { x: dz, y }).z, y: z }).z }).z);
  },
});

/** dz where x < y, half of it where they are equal, as in PyTorch, else 0. */
export const ifLess = defineElementwise({
  name: "ifLess",
  inputs: ["dz", "x", "y"],
  expression: "select(select(V(0), dz, x < y), 0.5 * dz, x == y)",
});

/** The smaller of x and y; NaN where one of them is. */
export const minimum: Op<"x" | "y", "z"> = defineElementwise({
  name: "minimum",
  inputs: ["x", "y"],
  expression: "or_nan(x, or_nan(y, min(x, y)))",
  back({ dz, x, y }, { give, emit }) {
    give("x", () => emit(ifLess, { dz, x, y }).z);
    give("y", () => emit(ifLess, { dz, x: y, y: x }).z);
  },
});

/** The larger of x and y; NaN where one of them is. */
export const maximum: Op<"x" | "y", "z"> = defineElementwise({
  name: "maximum",
  inputs: ["x", "y"],
  expression: "or_nan(x, or_nan(y, max(x, y)))",
  back({ dz, x, y }, { give, emit }) {
    give("x", () => emit(ifLess, { dz, x: y, y: x }).z);
    give("y", () => emit(ifLess, { dz, x, y }).z);
  },
});
