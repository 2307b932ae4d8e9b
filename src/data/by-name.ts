// Records of data: which keys there are, and what was given for each stream.

import { DataError } from "../errors.ts";
import type { Stream } from "../graph/stream.ts";
import { checkKeys, isRecord } from "../option.ts";
import { isBatches } from "./dataset.ts";
import { described, isList, type Numbers } from "./numbers.ts";

/** Refuses what is no record of samples. */
export function checkRecord(place: string, samples: unknown, form: string): void {
  if (typeof samples !== "object" || samples === null || ArrayBuffer.isView(samples) || isBatches(samples)) {
    throw new DataError(`${place}: the data is ${described(samples)}, where samples are asked for. Give ${form}.`);
  }
  checkKeys(place, "the data", samples, ["x", "y", "weight", "mean", "std", "scale"]);
}

/** The streams with what was given for each: numbers for the only one, or a record with the name of each. */
export function byName<S extends Pick<Stream, "name">>(
  place: string,
  key: string,
  given: unknown,
  streams: readonly S[],
) {
  const [first] = streams;
  const of = (stream: S, part: unknown, name: string) => ({
    stream,
    given: part as Numbers,
    what: `${place}: data.${name}`,
  });
  if (first === undefined) return [];
  if (first.name === "") return [of(first, given, key)];
  const names = streams.map(({ name }) => name);
  if (!isRecord(given) || isList(given)) {
    throw new DataError(
      `${place}: data.${key} is ${described(given)}, the model has several by name. Give { ${names.join(", ")} }.`,
    );
  }
  checkKeys(place, `data.${key}`, given, names);
  const record = given as Readonly<Record<string, unknown>>;
  const missing = names.find((name) => !(name in record));
  if (missing !== undefined)
    throw new DataError(`${place}: data.${key}.${missing} is missing. Give { ${names.join(", ")} }.`);
  return streams.map((stream) => of(stream, record[stream.name], `${key}.${stream.name}`));
}
