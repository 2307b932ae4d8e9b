// Comparisons, and the choice between two operands; all are repeated as in arithmetic.

import { defineElementwise } from "./elementwise.ts";
import type { Op } from "./op.ts";

/** 1 where x and y compare so, else 0, also where one is NaN. No gradient goes through it. */
const comparison = /* @__NO_SIDE_EFFECTS__ */ (name: string, sign: string): Op<"x" | "y", "z"> =>
  defineElementwise({
    name,
    inputs: ["x", "y"],
    expression: `select(V(0), V(1), x ${sign} y)`,
    back: () => undefined,
  });

/** x > y. */
export const greater = comparison("greater", ">");

/** x < y. */
export const less = comparison("less", "<");

/** x == y. */
export const equal = comparison("equal", "==");

/** dz where `condition` is 0, or where it is not. */
export const whereBackward = defineElementwise({
  name: "whereBackward",
  inputs: ["dz", "condition"],
  expression: ({ chosen }) => `select(${chosen ? "dz, V(0)" : "V(0), dz"}, condition == V(0))`,
});

/** x where `condition` is not 0, else y. */
export const where: Op<"condition" | "x" | "y", "z"> = defineElementwise({
  name: "where",
  inputs: ["condition", "x", "y"],
  // NaN is not equal to 0, but on some devices neither is it unequal.
  expression: "select(x, y, condition == V(0))",
  back({ dz, condition }, { give, emit }) {
    give("x", () => emit(whereBackward, { dz, condition }, { chosen: true }).z);
    give("y", () => emit(whereBackward, { dz, condition }, { chosen: false }).z);
  },
});
