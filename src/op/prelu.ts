// A rectifier with a learned slope below 0.

import { defineElementwise } from "./elementwise.ts";

/** dL/dx. */
export const preluBackward = defineElementwise({
  name: "preluBackward",
  inputs: ["dz", "x", "a"],
  expression: "select(dz, a * dz, x <= V(0))",
});

/** What each number adds to the gradient of its slope. */
export const preluBackwardSlope = defineElementwise({
  name: "preluBackwardSlope",
  inputs: ["dz", "x"],
  expression: "select(dz * x, V(0), x > V(0))",
});

/** x, or a x where x is at most 0. */
export const prelu = defineElementwise({
  name: "prelu",
  inputs: ["x", "a"],
  expression: "select(x, a * x, x <= V(0))",
  back({ dz, x, a }, { give, emit }) {
    give("x", () => emit(preluBackward, { dz, x, a }).z);
    give("a", () => emit(preluBackwardSlope, { dz, x }).z);
  },
});
