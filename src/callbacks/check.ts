// The checks of options that all callbacks share: what is misspelt or out of its range is refused when the callback is made.

import { OptionError } from "../index.ts";

/** A value as a message shows it. */
export const say = (value: unknown): string =>
  typeof value === "string" ? `"${value}"` : typeof value === "function" ? "a function" : String(value);

/** What an option must be, as messages say it. */
export const kinds = {
  "a function": (value: unknown) => typeof value === "function",
  "a name": (value: unknown) => typeof value === "string" && value !== "",
  "true or false": (value: unknown) => typeof value === "boolean",
  "a number": (value: unknown) => typeof value === "number" && !Number.isNaN(value),
  "a finite number of at least 0": (value: unknown) => Number.isFinite(value) && (value as number) >= 0,
  "a finite number above 0": (value: unknown) => Number.isFinite(value) && (value as number) > 0,
  "a number between 0 and 1": (value: unknown) => (value as number) > 0 && (value as number) < 1,
  "a whole number of at least 0": (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0,
  "a whole number of at least 1": (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1,
  '"auto", "min" or "max"': (value: unknown) => ["auto", "min", "max"].includes(value as string),
  anything: () => true,
};

/** Refuses what is no record of options, options that do not exist, and the first that is not of its kind. */
export function checkOptions(
  place: string,
  options: unknown,
  table: Readonly<Record<string, keyof typeof kinds>>,
): void {
  if (typeof options !== "object" || options === null || Symbol.iterator in options)
    throw new OptionError(`${place}: its options are ${say(options)}, they must be an object.`);
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind === undefined)
      throw new OptionError(`${place}: it has no "${name}". It may have ${Object.keys(table).join(", ")}.`);
    if (value !== undefined && !kinds[kind](value))
      throw new OptionError(`${place}: ${name} is ${say(value)}, it must be ${kind}.`);
  }
}
