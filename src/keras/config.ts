// What the file says of a layer, read with care: every value is checked where it is used, and whatever does not fit is refused with
// the layer's name and class.

import { CheckpointError } from "../index.ts";

/** A layer as the file has it. */
export interface Config {
  /** Names from the model down to it, as they are in the file. */
  readonly path: readonly string[];
  /** Its class, `Conv2D`. */
  readonly kind: string;
  /** Its options. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The first number of the version of Keras that wrote it. */
  readonly major: number;
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Refuses a file. */
export function fail(place: string, what: string): never {
  throw new CheckpointError(`fromKeras: ${place}${place === "" ? "" : ": "}${what}`);
}

/** `layer "conv1" (Conv2D)`. */
export const placeOf = ({ path, kind }: Pick<Config, "path" | "kind">): string => `layer "${path.join("/")}" (${kind})`;

/** Refuses a layer. */
export const refuse = (config: Config, what: string): never => fail(placeOf(config), what);

/** Whether it is an object of JSON. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === "[object Object]";

/** An own entry: what every object has is none. */
export const entry = (values: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(values, key) ? (values[key] ?? undefined) : undefined;

/** An option of a layer. */
export const optionOf = (config: Config, key: string): unknown => entry(config.values, key);

/** The largest length of an axis that is believed. */
const MOST = 2 ** 31 - 1;

/** Whether it can be the length of an axis. */
export const isLength = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST;

/** A whole number of at least 1. */
export function count(config: Config, key: string, otherwise?: number): number {
  const value = optionOf(config, key) ?? otherwise;
  if (isLength(value)) return value;
  return refuse(config, `${key} is ${shown(value)}, it must be a whole number of at least 1.`);
}

/** A finite number; some versions write it as a list of one. */
export function number(config: Config, key: string, otherwise?: number): number {
  const given = optionOf(config, key) ?? otherwise;
  const value = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return refuse(config, `${key} is ${shown(given)}, it must be a finite number.`);
}

/** True or false; some versions write 1 and 0. */
export function flag(config: Config, key: string, otherwise: boolean): boolean {
  const value = optionOf(config, key) ?? otherwise;
  if (typeof value === "boolean" || value === 0 || value === 1) return Boolean(value);
  return refuse(config, `${key} is ${shown(value)}, it must be true or false.`);
}

/** One of some words. */
export function word<Word extends string>(config: Config, key: string, words: readonly Word[], otherwise: Word): Word {
  const value = optionOf(config, key) ?? otherwise;
  if (words.includes(value as Word)) return value as Word;
  return refuse(config, `${key} is ${shown(value)}. Known: ${words.join(", ")}.`);
}

/** So many whole numbers of at least `least`; one number stands for all. */
export function counts(config: Config, key: string, length: number, otherwise: unknown, least = 1): readonly number[] {
  const value = optionOf(config, key) ?? otherwise;
  const all: unknown[] = Array.isArray(value) ? value : Array.from({ length }, () => value);
  if (
    all.length === length &&
    all.every((one) => Number.isInteger(one) && (one as number) >= least && (one as number) <= MOST)
  )
    return all as number[];
  return refuse(
    config,
    `${key} is ${shown(value)}, it must be ${length === 1 ? "a whole number" : `${length} whole numbers`} of at least ${least}.`,
  );
}

/** Refuses what stands in another order than [batch, .., channels]. */
export function checkChannelsLast(config: Config): void {
  word(config, "data_format", ["channels_last"], "channels_last");
}
