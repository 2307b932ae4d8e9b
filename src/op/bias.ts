// The bias of a layer.

import { defineElementwise } from "./elementwise.ts";

/** x + b, with one b for each entry of the last axis as a rule. */
export const bias = defineElementwise({
  name: "bias",
  inputs: ["x", "b"],
  expression: "x + b",
  back({ dz }, { give }) {
    give("x", () => dz);
    give("b", () => dz);
  },
});
