// Trust ratios: the norms of a tensor scale its step. The rules that have one bring the pass along that finds it.

import trust from "../../shaders/trust.wgsl?raw";
import { threads } from "../op/kernel.ts";
import { type Pass, type Trust, tableOfStep, type UpdateRule } from "./update.ts";

export const trustBy = (kind: Trust["kind"], coefficient: number, eps: number): Trust => ({
  ...{ kind, coefficient, eps },
  choose: chooseTrust,
});

/** The pass that finds the ratio of each row, for the rules that have one. */
function chooseTrust(rules: readonly UpdateRule[], rows: number): Pass {
  const ratios = rules.map(({ trust: ratio, variant }) => {
    if (ratio === undefined) return "vec4f()";
    const isLars = ratio.kind === "lars";
    // Decoupled decay is no part of the gradient.
    const decays = isLars && variant.DECOUPLED !== true;
    return `vec4f(${ratio.coefficient}, ${ratio.eps}, ${Number(decays)}, ${isLars ? 1 : 2})`;
  });
  return {
    name: "trust",
    source: trust,
    holes: { RULES: rules.length, TRUST: ratios.join(", "), TABLE: tableOfStep(rows) },
    constants: { ROWS: rows },
    grid: threads(rows),
  };
}
