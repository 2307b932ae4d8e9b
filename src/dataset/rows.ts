// Samples row by row: how many there are, some of them, and one after another. Numbers stay in arrays of the kind in which they were given, and
// inputs by name stay records.

import { say } from "../foreign/options.ts";
import { DataError, type Samples } from "../index.ts";

type List = ArrayLike<unknown> & { readonly BYTES_PER_ELEMENT?: number };

export const isList = (value: unknown): value is List =>
  typeof value === "object" && value !== null && typeof (value as List).length === "number";

/** What samples are made of. */
const parts = ["x", "y", "weight"] as const;

/** Samples of which each list is put through `made`; what is told beside them, such as `mean`, stays. */
function mapped(samples: Samples, made: (list: List, name: string) => unknown): Samples {
  const through = (given: unknown, name: string): unknown => {
    if (isList(given)) return made(given, name);
    if (typeof given !== "object" || given === null)
      throw new DataError(`${name} is ${say(given)}. Give an array or a typed array of numbers.`);
    return Object.fromEntries(Object.entries(given).map(([key, one]) => [key, through(one, `${name}.${key}`)]));
  };
  const own = parts.filter((part) => samples[part] !== undefined).map((part) => [part, through(samples[part], part)]);
  return { ...samples, ...Object.fromEntries(own) };
}

const listLike = (list: List, length: number): List =>
  ArrayBuffer.isView(list) ? new (list.constructor as Uint8ArrayConstructor)(length) : new Array(length);

/** Entries of a list that a row has; throws DataError where rows are not whole. */
export function widthOf(place: string, list: List, count: number, name: string): number {
  if (list.length % count === 0 && list.length > 0) return list.length / count;
  throw new DataError(
    `${place}: ${name} has ${list.length} entries, which is no multiple of ${count} rows. Give as many of each, and the shape of a row of x as input.`,
  );
}

/** Refuses lists that have not something for each of `count` rows. */
export const checkRows = (place: string, samples: Samples, count: number): void =>
  void mapped(samples, (list, name) => widthOf(place, list, count, name));

/** These rows of samples, in this order. */
export const picked = (samples: Samples, count: number, rows: Uint32Array): Samples =>
  mapped(samples, (list, name) => {
    const width = widthOf("rows", list, count, name);
    const made = listLike(list, rows.length * width);
    if (ArrayBuffer.isView(list)) {
      const [from, to] = [list, made] as unknown as [Uint8Array, Uint8Array];
      for (const [i, row] of rows.entries()) to.set(from.subarray(row * width, (row + 1) * width), i * width);
    } else {
      const to = made as unknown[];
      for (const [i, row] of rows.entries()) for (let j = 0; j < width; j++) to[i * width + j] = list[row * width + j];
    }
    return made;
  });

/** The rows of several samples of one form, one after another. */
export function chained(all: readonly Samples[]): Samples {
  const [first, ...others] = all as readonly [Samples, ...Samples[]];
  if (others.length === 0) return first;
  return mapped(first, (list, name) => {
    const lists = [
      list,
      ...others.map((one) => name.split(".").reduce((at: unknown, key) => Object(at)[key], one) as List),
    ];
    const made = listLike(
      list,
      lists.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const one of lists) {
      if (ArrayBuffer.isView(made)) (made as unknown as Uint8Array).set(one as unknown as Uint8Array, at);
      else for (let i = 0; i < one.length; i++) (made as unknown[])[at + i] = one[i];
      at += one.length;
    }
    return made;
  });
}
