// The base: weights that never train in a trainer, named by a pattern when it is compiled.

import { OptionError } from "../errors.ts";
import { matching, tester } from "../pattern.ts";

const PLACE = "compile: base";

/** Whether a weight is of the base, by its name. */
export const inBase = (pattern: string | undefined): ((name: string) => boolean) =>
  pattern === undefined ? () => false : tester(PLACE, pattern);

/** Refuses a pattern that names no weight, and one that leaves none. */
export function checkBase(
  pattern: string,
  weights: readonly { readonly name: string; readonly layer: string }[],
): void {
  const names = weights.map(({ name }) => name);
  const found = matching(PLACE, pattern, names, [...new Set(weights.map(({ layer }) => layer))]);
  if (found.length < names.length) return;
  throw new OptionError(
    `${PLACE}: "${pattern}" names all weights, so there is nothing to train. Give a pattern that leaves some, such as those of the last layer.`,
  );
}
