// Functions of one number that Keras has and Gradus has not as layers.

import { defineElementwise, type Layer, ops } from "../index.ts";

const literal = (value: number): string => `(${Math.fround(value)}f)`;

/** factor x + offset. */
export const line = defineElementwise<"x", { readonly factor: number; readonly offset: number }>({
  name: "line",
  inputs: ["x"],
  attributes: { factor: [1, "a finite number"], offset: [0, "a finite number"] },
  expression: ({ factor, offset }) => `${literal(factor)} * x + ${literal(offset)}`,
  back({ dz }, { attributes: { factor }, give, emit }) {
    give("x", () => emit(line, { x: dz }, { factor, offset: 0 }).z);
  },
});

/** dz / (1 + |x|)^2. */
const softsignBackward = defineElementwise({
  name: "softsignBackward",
  inputs: ["dz", "x"],
  expression: "dz / ((V(1) + abs(x)) * (V(1) + abs(x)))",
});

/** x / (1 + |x|). */
export const softsign = defineElementwise({
  name: "softsign",
  inputs: ["x"],
  expression: "x / (V(1) + abs(x))",
  back({ dz, x }, { give, emit }) {
    give("x", () => emit(softsignBackward, { dz, x }).z);
  },
});

/** A layer of such a function. */
export const scaling = (factor: number, offset: number): Layer => ({
  kind: "line",
  apply: (scope, x) => scope.op(line, { x }, { factor, offset }).z,
});

/** Keras 2's: 0.2 x + 0.5, within 0 and 1. */
export const oldHardSigmoid = (): Layer => ({
  kind: "hardSigmoid",
  apply: (scope, x) =>
    scope.op(ops.clip, { x: scope.op(line, { x }, { factor: 0.2, offset: 0.5 }).z }, { min: 0, max: 1 }).z,
});
