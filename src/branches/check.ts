// The check of steps that lines of time share, whose least one is theirs to say.

import { OptionError } from "../index.ts";

export function checkWhole(what: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw new OptionError(`${what} is ${String(value)}, it must be a whole number of at least ${least}.`);
}
