// The checks of what a user gives as options. Whatever is misspelt or out of its range would do nothing, or the wrong thing,
// in silence; so every public function asks here first, and the message says what is allowed.

import { didYouMean, OptionError } from "./errors.ts";

/** A value as a message shows it: what JSON drops or cannot write is shown all the same. */
export function shown(value: unknown): string {
  if (typeof value === "function") return `the function ${value.name || "() => ..."}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" || value === undefined || typeof value === "symbol") return String(value);
  // JSON would write a Map or a promise as {}.
  const kind = Object.prototype.toString.call(value);
  if (typeof value === "object" && value !== null && !/ (Object|Array)\]$/.test(kind)) return kind;
  try {
    const text = JSON.stringify(value) ?? String(value);
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Whether it can hold options: a list, a Map or a promise has none, so that whatever it holds would be passed over. */
export const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !(Symbol.iterator in value) && !("then" in value);

/**
 * Refuses what is no record of options, such as the bare number of another library, and options that do not exist.
 * `example` is what a user may write instead.
 */
export function checkOptions(place: string, options: unknown, keys: readonly string[], example = ""): void {
  if (!isRecord(options)) {
    throw new OptionError(
      `${place}: its options are ${shown(options)}, they must be an object. ${example === "" ? `It may have ${keys.join(", ")}.` : `Write ${example}.`}`,
    );
  }
  checkKeys(place, "it", options, keys);
}

/** What other libraries call an option. */
const aliases: Readonly<Record<string, string>> = {
  learningRate: "lr",
  learning_rate: "lr",
  epsilon: "eps",
  beta1: "betas",
  beta2: "betas",
};

/** Refuses entries that do not exist. */
export function checkKeys(place: string, what: string, options: object, keys: readonly string[]): void {
  const odd = Object.keys(options).find((key) => !keys.includes(key));
  if (odd === undefined) return;
  const alias = Object.hasOwn(aliases, odd) && keys.includes(aliases[odd] as string) ? aliases[odd] : undefined;
  throw new OptionError(
    `${place}: ${what} has no "${odd}".${didYouMean(alias ?? odd, keys)} ${keys.length === 0 ? "It has no options." : `It may have ${keys.join(", ")}.`}`,
  );
}

/** The largest number of f32. */
export const MOST_F32 = 3.4028234663852886e38;

const ranges = {
  "a finite number of at least 0": (value: number) => value >= 0,
  "a normal number of f32 above 0": (value: number) => value >= 2 ** -126,
  "at least 0": (value: number) => value >= 0,
  "greater than 0": (value: number) => value > 0,
  "greater than 1": (value: number) => value > 1,
  "at least 1": (value: number) => value >= 1,
  "from 0 to 1": (value: number) => value >= 0 && value <= 1,
  "at least 0 and below 1": (value: number) => value >= 0 && value < 1,
  "between 0 and 1": (value: number) => value > 0 && value < 1,
  "a whole number of at least 0": (value: number) => Number.isSafeInteger(value) && value >= 0,
  "a whole number of at least 1": (value: number) => Number.isSafeInteger(value) && value >= 1,
};

/** Refuses the first of these options that is out of the range; NaN and what is no number are in none. */
export function checkRange(place: string, range: keyof typeof ranges, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    const beyond = Number.isFinite(value) && Math.abs(value) > MOST_F32;
    if (Number.isFinite(value) && ranges[range](value) && !beyond) continue;
    throw new OptionError(
      `${place}: ${name} is ${shown(value)}, it must be ${range}${beyond ? ", and within f32: at most 3.4e38" : ""}.`,
    );
  }
}

/** Refuses what is not a function, such as the number 0.5 in the place of a schedule. */
export function checkFunction(place: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a function.`);
}

/** Refuses a name that is none of these. */
export function checkName(place: string, option: string, value: string, names: readonly string[]): void {
  if (names.includes(value)) return;
  throw new OptionError(
    `${place}: ${option} is ${shown(value)}, it must be ${names.map((name) => `"${name}"`).join(" or ")}.${didYouMean(String(value), names)}`,
  );
}

/** Refuses what is not a list, such as the number 30 in the place of milestones. */
export function checkList(place: string, name: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be a list.`);
}

/** Refuses what is neither true nor false. */
export function checkSwitches(place: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== "boolean")
      throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be true or false.`);
  }
}
