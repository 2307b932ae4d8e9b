// How numbers of x become those that the model sees: bytes to [0, 1], then (v - mean) / std, the same for all numbers or for
// each channel its own. The result is data of the step, so other means need no other program.

import { OptionError, ShapeError } from "../errors.ts";
import type { DataFormat, Stream } from "../graph/stream.ts";
import { checkKeys, checkSwitches, isRecord, shown } from "../option.ts";
import { collect, described, isList, type Numbers } from "./numbers.ts";

/** Given with samples, or once for a trainer; what samples say holds for them. */
export interface Normalization {
  /** Subtracted, after bytes were scaled: one number, or one for each channel, the last axis of the input. Default 0. */
  readonly mean?: ByInput<number | Numbers>;
  /** What the difference is divided by, likewise; above 0. Default 1. */
  readonly std?: ByInput<number | Numbers>;
  /**
   * Whether bytes are scaled to [0, 1], in x and in targets that are numbers; `false` leaves them the counts that they are.
   * Labels are never scaled. Default true.
   */
  readonly scale?: ByInput<boolean>;
}

/** The same for all inputs, or for each of several its own, by name. */
export type ByInput<T> = T | { readonly [name: string]: T };

/** That of one input. */
export interface OneNormalization {
  readonly mean?: number | Numbers | undefined;
  readonly std?: number | Numbers | undefined;
  readonly scale?: boolean | undefined;
}

const isByName = <T>(given: ByInput<T> | undefined): given is { readonly [name: string]: T } =>
  isRecord(given) && !isList(given);

/** Refuses what is said of streams that there are not. */
export function checkNormalization(place: string, how: Normalization, streams: readonly Pick<Stream, "name">[]): void {
  const names = streams.map(({ name }) => name).filter(Boolean);
  if (names.length === 0) return; // A record is refused where its numbers are read.
  for (const [key, given] of Object.entries(how)) if (isByName(given)) checkKeys(place, key, given, names);
}

/** What a normalization says of the input or target of this name. */
export function normalizationOf({ mean, std, scale }: Normalization, name: string): OneNormalization {
  const of = <T>(given: ByInput<T> | undefined): T | undefined =>
    name !== "" && isByName(given) ? given[name] : (given as T | undefined);
  return { mean: of(mean), std: of(std), scale: of(scale) };
}

/** Scales and shifts as the gather reads them. */
export interface Scaling {
  /** After how many numbers of a sample they repeat, a multiple of 4; 0 where nothing is scaled or shifted. */
  readonly period: number;
  /** [2, period]: scales, then shifts; v enters the model as v * scale + shift. */
  readonly norm: Float32Array<ArrayBuffer>;
}

/** Several normalizations in one: of each entry the last that was given. */
export const mergeNormalization = (...all: readonly Normalization[]): Normalization =>
  Object.fromEntries(
    all.flatMap(({ mean, std, scale }) =>
      Object.entries({ mean, std, scale }).filter(([, value]) => value !== undefined),
    ),
  );

/** Scales and shifts for an input of so many channels. Throws OptionError and ShapeError where they cannot be. */
export function scalingOf(
  place: string,
  { mean = 0, std = 1, scale = true }: OneNormalization,
  bytes: boolean,
  channels: number,
): Scaling {
  checkSwitches(place, { scale });
  const [means, deviations] = [listOf(place, "mean", mean, channels), listOf(place, "std", std, channels)];
  const length = Math.max(means.length, deviations.length);
  const period = length % 4 === 0 ? length : length % 2 === 0 ? length * 2 : length * 4;
  const norm = new Float32Array(period * 2);
  for (let i = 0; i < period; i++) {
    const c = i % length;
    const [m, s] = [means[c % means.length] as number, deviations[c % deviations.length] as number];
    norm[i] = 1 / (bytes && scale ? 255 * s : s);
    norm[period + i] = m === 0 ? 0 : -m / s;
    const isSound =
      s > 0 &&
      Number.isFinite(Math.fround(s)) &&
      (norm[i] as number) > 0 &&
      [norm[i], norm[period + i]].every(Number.isFinite);
    if (isSound) continue;
    const channel = length === 1 ? "" : `, of channel ${c},`;
    throw new OptionError(
      `${place}: std${channel} is ${s} and mean ${m}. Both must be finite in f32 when divided by std, and std above 0; 1 leaves a channel as it is.`,
    );
  }
  const isPlain = norm.every((value, i) => value === (i < period ? 1 : 0));
  return isPlain ? { period: 0, norm: new Float32Array(0) } : { period, norm };
}

function listOf(place: string, key: string, given: number | Numbers, channels: number): ArrayLike<number> {
  if (isList(given)) {
    const { values, shape } = collect(`${place}: ${key}`, given, Float64Array);
    if (shape.length === 1 && values.length === channels) return values;
    throw new ShapeError(
      `${place}: ${key} has ${shape.length > 1 ? `shape [${shape}]` : `${values.length} numbers`}, the input has ${channels} channels in its last axis. Give one number, or one for each channel.`,
    );
  }
  if (typeof given === "number" && Number.isFinite(given)) return [given];
  const found = typeof given === "object" ? described(given) : shown(given);
  throw new OptionError(`${place}: ${key} is ${found}, it must be a finite number, or one for each channel.`);
}

/** The form of data that is normalized so, all bytes or all numbers. Throws as `scalingOf` does. */
export function formatOf(place: string, inputs: readonly Stream[], how: Normalization, bytes: boolean): DataFormat {
  checkNormalization(place, how, inputs);
  const formats = inputs.map(({ name, shape, classes }) =>
    classes === undefined
      ? { bytes, period: scalingOf(place, normalizationOf(how, name), bytes, shape.at(-1) ?? 1).period }
      : { bytes: false, period: 0 },
  );
  return { inputs: formats, targets: [], weights: [] };
}
