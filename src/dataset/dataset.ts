// Data sets: rows that can be asked for by their numbers, wherever they are, and what makes others of them without touching a row.

import { checkKind, checkOptions, say } from "../foreign/options.ts";
import { DataError, type Input, OptionError, type Samples } from "../index.ts";
import { inOrder, permutation } from "./order.ts";
import { checkRows, isList, picked } from "./rows.ts";

/** Rows, each an input with its target, that are read when they are asked for. */
export interface Dataset {
  /** Rows in it. */
  readonly count: number;
  /** Bytes that a row takes in memory when it is read; 0 where all of them are there already. */
  readonly bytes: number;
  /** Some rows by their numbers, from 0, in this order. Neighbours are read at once. */
  readonly rows: (numbers: Uint32Array) => Samples | Promise<Samples>;
}

/** Options of `arrays`. */
export interface ArraysOptions {
  /** The shape of a row of x, as `compile` has it; for several inputs by name. Left out where x is nested and has an entry for each row. */
  readonly input?: Input | Readonly<Record<string, Input>>;
}

/** Refuses what is no data set. */
export function checkDataset(place: string, given: unknown): asserts given is Dataset {
  const { count, rows } = Object(given) as Partial<Dataset>;
  if (Number.isSafeInteger(count) && typeof rows === "function") return;
  throw new OptionError(
    `${place}: ${say(given)} is no data set. Give what arrays(), records() or another function of gradus/dataset made.`,
  );
}

const lengthOf = (shape: unknown): number =>
  (Array.isArray(shape) ? shape : ((Object(shape).shape ?? []) as number[])).reduce((a: number, b: number) => a * b, 1);

/** An input that has numbers, and its shape where one is told. */
function firstOf(x: unknown, input: unknown): readonly [list: ArrayLike<unknown>, shape: unknown] | undefined {
  if (isList(x)) return [x, input];
  const [name] = Object.keys(Object(x));
  const own = name === undefined ? undefined : Object(x)[name];
  return isList(own) ? [own, Object(input)[name as string]] : undefined;
}

/**
 * Samples in memory as a data set: `{ x, y, weight }` as `fit` takes them. Throws DataError where there is not something for each row.
 *
 * @example
 * const [training, held] = split(arrays({ x, y }, { input: [28, 28, 1] }), [0.9, 0.1], { seed: 1 });
 */
export function arrays(samples: Samples, options: ArraysOptions = {}): Dataset {
  const place = "arrays";
  checkOptions(place, options, { input: "a shape, or shapes by name" });
  const { input } = options;
  const first = firstOf(Object(samples).x, input);
  if (first === undefined)
    throw new DataError(`${place}: data.x is ${say(Object(samples).x)}. Give { x, y } with arrays of numbers.`);
  const [list, shape] = first;
  const isNested = isList(list[0]);
  if (!isNested && shape === undefined)
    throw new OptionError(
      `${place}: x is ${list.length} numbers after one another, and nothing says how many a row has. Give the shape of one, { input: [28, 28, 1] }.`,
    );
  const count = isNested ? list.length : list.length / lengthOf(shape);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new DataError(
      `${place}: x has ${list.length} numbers, which is no multiple of the ${lengthOf(shape)} of a row. Check input.`,
    );
  checkRows(place, samples, count);
  return { count, bytes: 0, rows: (numbers) => picked(samples, count, numbers) };
}

/** Rows of a set by a list of their numbers. */
const chosen = ({ bytes, rows }: Dataset, numbers: Uint32Array): Dataset => ({
  ...{ count: numbers.length, bytes },
  rows: (asked) => rows(asked.map((row) => numbers[row] as number)),
});

/** Rows of a set from `from` on. */
export const part = ({ bytes, rows }: Dataset, from: number, count: number): Dataset => ({
  ...{ count, bytes },
  rows: (asked) => rows(asked.map((row) => from + row)),
});

/** Options of what draws. */
export interface SeedOptions {
  /** Of what is drawn. Default 0. */
  readonly seed?: number;
}

function seedOf(place: string, options: SeedOptions): number {
  checkOptions(place, options, { seed: "a whole number" });
  return options.seed ?? 0;
}

/**
 * Parts of a set, by their shares, which add up to at most 1. With a seed rows are drawn, each part in the order of the set, so that a file is
 * still read from front to back; without one the parts follow one another. No row is in two of them. Throws OptionError for shares that do not
 * fit, DataError where a part would be empty.
 *
 * @example
 * const [training, validation] = split(set, [0.9, 0.1], { seed: 1 });
 */
export function split(set: Dataset, shares: readonly number[], options: SeedOptions = {}): Dataset[] {
  const place = "split";
  checkDataset(place, set);
  const seed = seedOf(place, options);
  if (!Array.isArray(shares))
    throw new OptionError(`${place}: its shares are ${say(shares)}. Give a list, [0.9, 0.1].`);
  for (const [i, share] of shares.entries()) checkKind(place, `share ${i}`, share, "a number from 0 to 1");
  const sum = shares.reduce((a, b) => a + b, 0);
  if (sum > 1 + 1e-9) throw new OptionError(`${place}: its shares add up to ${sum}, they must be at most 1 together.`);
  const order = options.seed === undefined ? undefined : permutation(set.count, seed);
  let until = 0;
  return shares.map((share, i) => {
    const from = until;
    const whole = shares.slice(0, i + 1).reduce((a, b) => a + b, 0);
    until = Math.min(set.count, Math.round(whole * set.count));
    if (until === from)
      throw new DataError(
        `${place}: share ${i} is ${share}, which leaves no row of ${set.count}. Give more rows, or another share.`,
      );
    return order === undefined ? part(set, from, until - from) : chosen(set, order.subarray(from, until).toSorted());
  });
}

/**
 * The rows of a set in one drawn order. For a new order in each epoch give `batch` its `shuffle`; of a file that is read at any place, row by
 * row, where `batch` reads blocks.
 *
 * @example shuffle(set, { seed: 1 })
 */
export function shuffle(set: Dataset, options: SeedOptions = {}): Dataset {
  checkDataset("shuffle", set);
  return chosen(set, permutation(set.count, seedOf("shuffle", options)));
}

/** Options of `balance`. */
export interface BalanceOptions extends SeedOptions {
  /** How many rows each class gets: as many as the "most" of them, whose rows are repeated then, or as the "least", of which rows go. Default "most". */
  readonly to?: "most" | "least";
}

/**
 * As many rows of each class, by the label of each row. Rows keep the order of the set; where a class has too few, all of its rows come
 * equally often, and which of them once more is drawn. Throws OptionError for labels that are not one a row.
 *
 * @example balance(arrays({ x, y }, { input: [28, 28, 1] }), y)
 */
export function balance(set: Dataset, labels: ArrayLike<number>, options: BalanceOptions = {}): Dataset {
  const place = "balance";
  checkDataset(place, set);
  checkOptions(place, options, { seed: "a whole number", to: '"most" or "least"' });
  if (!isList(labels) || labels.length !== set.count)
    throw new OptionError(
      `${place}: its labels are ${isList(labels) ? labels.length : say(labels)}, the set has ${set.count} rows. Give a label for each.`,
    );
  const classes = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const own = classes.get(labels[i] as number);
    if (own === undefined) classes.set(labels[i] as number, [i]);
    else own.push(i);
  }
  const { to = "most", seed = 0 } = options;
  const counts = [...classes.values()].map(({ length }) => length);
  const many = to === "most" ? Math.max(...counts) : Math.min(...counts);
  const numbers = [...classes.values()].flatMap((own, i) => {
    const drawn = permutation(own.length, seed, i);
    return Array.from({ length: many }, (_, at) => own[drawn[at % own.length] as number] as number);
  });
  return chosen(set, Uint32Array.from(numbers).sort());
}

/**
 * Sets of as many rows side by side, as where images and labels are files of their own: a row has what each of them has. Throws OptionError
 * where they differ in their rows.
 *
 * @example join(records(images, { x: { shape: [28, 28, 1], dtype: "u8" } }, { skip: 16 }), records(labels, { y: { shape: [], dtype: "u8" } }, { skip: 8 }))
 */
export function join(...sets: readonly Dataset[]): Dataset {
  const place = "join";
  for (const set of sets) checkDataset(place, set);
  const [first, ...others] = sets;
  if (first === undefined) throw new OptionError(`${place}: it was given no set. Give at least one.`);
  const other = others.find(({ count }) => count !== first.count);
  if (other !== undefined)
    throw new OptionError(`${place}: its sets have ${first.count} and ${other.count} rows. Give as many of each.`);
  return {
    count: first.count,
    bytes: sets.reduce((sum, { bytes }) => sum + bytes, 0),
    async rows(numbers) {
      const all = await Promise.all(sets.map(({ rows }) => rows(numbers)));
      return Object.assign({}, ...all) as Samples;
    },
  };
}

/**
 * All rows of a set in one piece, as `fit` and `upload` take them.
 *
 * @example await trainer.fit(await whole(training), { validation: await whole(held) })
 */
export async function whole(set: Dataset): Promise<Samples> {
  checkDataset("whole", set);
  return set.rows(inOrder(set.count));
}
