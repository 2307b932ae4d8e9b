// The update rules that there are, found in their files: the name of each formula, and the texts that it is made of.

import type { Optimizer } from "../../src/optim/optimizer.ts";

const files = import.meta.glob<Readonly<Record<string, () => Optimizer>>>("../../src/optim/rule/*.ts", { eager: true });

/** What every factory makes of its defaults. */
export const optimizers: readonly Optimizer[] = Object.values(files).flatMap((file) =>
  Object.values(file).map((factory) => factory()),
);

export const rules: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  optimizers.map(({ rule }) => [rule.kernel, rule.texts]),
);
