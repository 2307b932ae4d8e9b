// Twins of ops that a reader brings with it, beside those of the core.

import { elementwise, formulas } from "./elementwise.ts";
import { twins } from "./twins.ts";

export function addFormulas(more: typeof formulas): void {
  Object.assign(formulas as Record<string, unknown>, more);
  Object.assign(
    twins as Record<string, unknown>,
    Object.fromEntries(Object.keys(more).map((name) => [name, elementwise])),
  );
}
