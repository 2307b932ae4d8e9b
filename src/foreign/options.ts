// The checks of options that entry points share: what is misspelt or out of its range is refused before anything moves.

import { OptionError } from "../index.ts";

/** A value as a message shows it. */
export const say = (value: unknown): string =>
  typeof value === "string"
    ? `"${value}"`
    : typeof value === "function"
      ? "a function"
      : Array.isArray(value)
        ? `[${value.map(say).join(", ")}]`
        : String(value);

/** What an option must be, as messages say it. */
export const kinds = {
  "a function": (value: unknown) => typeof value === "function",
  "a name": (value: unknown) => typeof value === "string" && value !== "",
  "a shape, or shapes by name": (value: unknown) => typeof value === "object" && value !== null,
  "true or false": (value: unknown) => typeof value === "boolean",
  "a number": (value: unknown) => typeof value === "number" && !Number.isNaN(value),
  "a number from 0 to 1": (value: unknown) => (value as number) >= 0 && (value as number) <= 1,
  "a number between 0 and 1": (value: unknown) => (value as number) > 0 && (value as number) < 1,
  "a finite number": (value: unknown) => Number.isFinite(value),
  "a finite number of at least 0": (value: unknown) => Number.isFinite(value) && (value as number) >= 0,
  "a finite number above 0": (value: unknown) => Number.isFinite(value) && (value as number) > 0,
  "a whole number": (value: unknown) => Number.isSafeInteger(value),
  "a whole number of at least 0": (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0,
  "a whole number of at least 1": (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1,
  '"auto", "min" or "max"': (value: unknown) => ["auto", "min", "max"].includes(value as string),
  '"most" or "least"': (value: unknown) => value === "most" || value === "least",
  anything: () => true,
};

export type Kind = keyof typeof kinds;

/** Refuses what is not of its kind. */
export function checkKind(place: string, name: string, value: unknown, kind: Kind): void {
  if (!kinds[kind](value)) throw new OptionError(`${place}: ${name} is ${say(value)}, it must be ${kind}.`);
}

/** Refuses what is no record of options. */
export function checkRecord(place: string, options: unknown): asserts options is object {
  if (typeof options !== "object" || options === null || Symbol.iterator in options)
    throw new OptionError(`${place}: its options are ${say(options)}, they must be an object.`);
}

/** Refuses what is no record, options that do not exist, and the first that is not of its kind. */
export function checkOptions(place: string, options: unknown, table: Readonly<Record<string, Kind>>): void {
  checkRecord(place, options);
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind === undefined)
      throw new OptionError(`${place}: it has no "${name}". It may have ${Object.keys(table).join(", ")}.`);
    if (value !== undefined) checkKind(place, name, value, kind);
  }
}
