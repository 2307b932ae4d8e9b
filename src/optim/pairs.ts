// What is given by name or pattern: an object, a Map or a list of pairs. Their order decides, for later rules win, and an object
// keeps it only while no key looks like a whole number: JavaScript puts those first.

import { OptionError } from "../errors.ts";
import { checkOrder, shown } from "../option.ts";

/** A pattern with what it stands for. */
export type Pair<T> = readonly [name: string, value: T];

/** Values by name or pattern, in their order. An object must have no key that looks like a whole number. */
export type Named<T> = Readonly<Record<string, T>> | ReadonlyMap<string, T> | readonly Pair<T>[];

/** Whether a member of a list is a pair, and not a list of its own. */
export const isPair = (value: unknown): value is Pair<unknown> => Array.isArray(value) && typeof value[0] === "string";

/** The pairs in the order in which they were given. */
export function entriesOf<T>(place: string, named: unknown): Pair<T>[] {
  if (typeof named !== "object" || named === null) {
    throw new OptionError(`${place} is ${shown(named)}, it must be an object, a Map or a list of pairs.`);
  }
  if (!(Symbol.iterator in named)) {
    checkOrder(place, named);
    return Object.entries(named) as [string, T][];
  }
  const pairs = Array.from(named as Iterable<Pair<T>>);
  const odd = pairs.find((pair) => !isPair(pair) || pair.length !== 2);
  if (odd === undefined) return pairs;
  throw new OptionError(`${place} has ${shown(odd)} among its pairs. Write each as ["head", value].`);
}
