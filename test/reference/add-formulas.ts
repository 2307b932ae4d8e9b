// Twins of ops that a reader brings with it, beside those of the core.

import { elementwise, formulas } from "./elementwise.ts";
import { twins } from "./twins.ts";

/** Names of these ops. */
export const added = new Set<string>();

export function addFormulas(more: typeof formulas): void {
  for (const name of Object.keys(more)) added.add(name);
  Object.assign(formulas as Record<string, unknown>, more);
  Object.assign(
    twins as Record<string, unknown>,
    Object.fromEntries(Object.keys(more).map((name) => [name, elementwise])),
  );
}
