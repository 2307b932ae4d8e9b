// What dropout does with random numbers.

import { defineElementwise, literal } from "./elementwise.ts";
import type { Op } from "./op.ts";

/** x / (1 - rate) where u, uniform in [0, 1), is at least `rate`, else 0; what was dropped is handed on as 0 times x, so NaN stays. */
export const drop: Op<"x" | "u", "z", { readonly rate: number }> = defineElementwise({
  name: "drop",
  inputs: ["x", "u"],
  attributes: { rate: [undefined, "at least 0 and below 1"] },
  expression: ({ rate }: { readonly rate: number }) =>
    `x * select(V(0), V${literal(1 / (1 - rate))}, u >= V${literal(rate)})`,
  back: ({ dz, u }, { attributes, give, emit }) => give("x", () => emit(drop, { x: dz, u }, attributes).z),
});
