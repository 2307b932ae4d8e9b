// The checks of options that lines of time share: what is misspelt or out of its range is refused before anything moves.

import { OptionError } from "../index.ts";

export function checkWhole(what: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw new OptionError(`${what} is ${String(value)}, it must be a whole number of at least ${least}.`);
}

export function checkRecord(place: string, options: unknown): asserts options is object {
  if (typeof options !== "object" || options === null || Symbol.iterator in options) {
    throw new OptionError(`${place}: its options are ${String(options)}, they must be an object.`);
  }
}

export function checkKeys(place: string, options: unknown, keys: readonly string[]): void {
  checkRecord(place, options);
  const odd = Object.keys(options).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new OptionError(`${place}: it has no "${odd}". It may have ${keys.join(", ")}.`);
}
