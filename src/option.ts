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

/** Whether it can hold options: a list, a Map, a promise or a Date has none, so that whatever it holds would be passed over. */
export const isRecord = (value: unknown): value is object =>
  typeof value === "object" &&
  value !== null &&
  / (Object|Module)\]$/.test(Object.prototype.toString.call(value)) &&
  !(Symbol.iterator in value) &&
  !("then" in value);

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

/** Refuses a record whose order says something and has a key that JavaScript puts first, wherever it was written. */
export function checkOrder(place: string, record: object): void {
  const whole = Object.keys(record).find((key) => String(Number(key) >>> 0) === key);
  if (whole === undefined) return;
  throw new OptionError(
    `${place}: the key "${whole}" is a whole number, and JavaScript puts those first. Give a list of pairs: [["${whole}", ...], ...].`,
  );
}

/** The largest number of f32. */
export const MOST_F32 = 3.4028234663852886e38;

const number = (holds: (value: number) => boolean) => (value: unknown) =>
  typeof value === "number" && Math.abs(value) <= MOST_F32 && holds(value);

/** What an option may have to be, as messages say it; all numbers are within f32. */
const kinds = {
  "a function": (value: unknown) => typeof value === "function",
  "a list": Array.isArray,
  "a name": (value: unknown) => typeof value === "string",
  "true or false": (value: unknown) => typeof value === "boolean",
  "a finite number": number(() => true),
  "a finite number of at least 0": number((value) => value >= 0),
  "a normal number of f32 above 0": number((value) => value >= 2 ** -126),
  "at least 0": number((value) => value >= 0),
  "greater than 0": number((value) => value > 0),
  "greater than 1": number((value) => value > 1),
  "at least 1": number((value) => value >= 1),
  "from 0 to 1": number((value) => value >= 0 && value <= 1),
  "above 0 and at most 1": number((value) => value > 0 && value <= 1),
  "at least 0 and below 1": number((value) => value >= 0 && value < 1),
  "between 0 and 1": number((value) => value > 0 && value < 1),
  "a whole number of at least 0": number((value) => Number.isSafeInteger(value) && value >= 0),
  "a whole number of at least 1": number((value) => Number.isSafeInteger(value) && value >= 1),
};

/** Refuses the first of these options that is not of the kind. */
export function checkRange(place: string, kind: keyof typeof kinds, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (kinds[kind](value)) continue;
    const beyond = typeof value === "number" && Number.isFinite(value) && Math.abs(value) > MOST_F32;
    throw new OptionError(
      `${place}: ${name} is ${shown(value)}, it must be ${kind}${beyond ? ", and within f32: at most 3.4e38" : ""}.`,
    );
  }
}

/** Refuses what is not a function, such as the number 0.5 in the place of a schedule. */
export const checkFunction = (place: string, name: string, value: unknown): void =>
  checkRange(place, "a function", { [name]: value });

/** Refuses what is not a list, such as the number 30 in the place of milestones. */
export const checkList = (place: string, name: string, value: unknown): void =>
  checkRange(place, "a list", { [name]: value });

/** Refuses what is neither true nor false. */
export const checkSwitches = (place: string, options: Readonly<Record<string, unknown>>): void =>
  checkRange(place, "true or false", options);

/** Refuses a name that is none of these. */
export function checkName(place: string, option: string, value: unknown, names: readonly string[]): void {
  if (names.includes(value as string)) return;
  throw new OptionError(
    `${place}: ${option} is ${shown(value)}, it must be ${names.map((name) => `"${name}"`).join(" or ")}.${didYouMean(String(value), names)}`,
  );
}

/** What an option must be: of a kind, one of some names, or what a check of its own passes. */
export type Kind = keyof typeof kinds | readonly string[] | ((place: string, name: string, value: unknown) => void);

/** The kind of any number. */
export const anyFinite = "a finite number";

/** The kind of what has a check elsewhere. */
export const anything = (): void => undefined;

/** Refuses what is not of the kind. */
export function checkKind(place: string, name: string, value: unknown, kind: Kind): void {
  if (typeof kind === "string") checkRange(place, kind, { [name]: value });
  else if (typeof kind === "function") kind(place, name, value);
  else checkName(place, name, value, kind);
}

/**
 * An option: its default, and its kind. Where none is told, a switch must be a switch, and a number finite and at least 0; what has
 * no default may then be anything.
 */
export type Entry = readonly [otherwise?: unknown, kind?: Kind | undefined, ...more: unknown[]];

/** Each option of `Options` must be in the table. */
export type Table<Options> = { readonly [Key in keyof Required<Options>]: Entry };

export type Resolved<Options, Entries> = {
  readonly [Key in keyof Options & keyof Entries]-?: Entries[Key] extends readonly [undefined?, ...unknown[]]
    ? Options[Key]
    : Exclude<Options[Key], undefined>;
};

const usual: Readonly<Record<string, Kind>> = { boolean: "true or false", number: "a finite number of at least 0" };

/** The options, each checked, and the defaults of those that are left out. Lists are copied: what was given may change later. */
export function resolved<Options extends object, const Entries extends Table<Options>>(
  place: string,
  options: Options,
  table: Entries,
  example = "",
): Resolved<Options, Entries> {
  checkOptions(place, options, Object.keys(table), example);
  const given = options as Readonly<Record<string, unknown>>;
  const all = Object.entries<Entry>(table).map(([key, [otherwise, kind = usual[typeof otherwise]]]) => {
    const value = given[key] === undefined ? otherwise : given[key];
    if (kind !== undefined) checkKind(place, key, value, kind);
    return [key, Array.isArray(value) ? [...value] : value];
  });
  return Object.fromEntries(all);
}
