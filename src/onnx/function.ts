// Functions of one number that Gradus has no op for, and a number times and plus constants: what most scalars of a file are for, which
// ends the kernel before it and needs no tensor.

import { defineElementwise, type Op, type Scope, type Value } from "../index.ts";

const literal = (value: unknown): string => `V(${Math.fround(value as number)}f)`;

/** x factor + offset. */
export const affine: Op<"x", "z"> = defineElementwise({
  name: "affine",
  inputs: ["x"],
  attributes: { factor: [1, "a finite number"], offset: [0, "a finite number"] },
  expression({ factor, offset }: { readonly factor: number; readonly offset: number }): string {
    const product = factor === 1 ? "x" : `x * ${literal(factor)}`;
    return offset === 0 ? product : `${product} + ${literal(offset)}`;
  },
  back({ dz }, { attributes: { factor }, give, emit }) {
    give("x", () => emit(affine, { x: dz }, { factor, offset: 0 }).z);
  },
});

export const scale = (scope: Scope, x: Value, factor: number, offset = 0): Value =>
  factor === 1 && offset === 0 ? x : scope.op(affine, { x }, { factor, offset }).z;

/** 2 / sqrt(pi) e^(-x^2), the slope of erf. */
const erfBackward = defineElementwise({
  name: "erfBackward",
  inputs: ["dz", "x"],
  expression: "dz * (1.1283791671 * exp(-x * x))",
});

/** The error function, by the normal distribution. */
export const erf = defineElementwise({
  name: "erf",
  inputs: ["x"],
  expression: "2 * normal_cdf(1.4142135624 * x) - 1",
  back({ dz, x }, { give, emit }) {
    give("x", () => emit(erfBackward, { dz, x }).z);
  },
});

/** A function that goes in steps: no gradient goes through it. */
const steps = (name: string) =>
  defineElementwise({ name, inputs: ["x"], expression: `${name}(x)`, back: () => undefined });

export const floor = steps("floor");
export const ceil = steps("ceil");
export const round = steps("round");
export const trunc = steps("trunc");
