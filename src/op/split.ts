// How often a sum is cut, for products whose result is small and whose sum is long: the gradient of a weight sums over
// the batch (and, for a filter, over all positions), while the result has only the weight's own size, so too few
// workgroups would run. A pure function of the shapes: the same graph, and so the same bits, on every device. What a GPU shares out
// further among the threads of a workgroup is said here too.

import type { DeviceFacts } from "./kernel.ts";

/** Threads that should be busy, when each computes an 8 x 8 tile. */
const THREADS = 256;
/** A part should keep at least this many terms, or adding the parts costs more than it gains. */
const TERMS = 128;

/** A part has at most this many terms: a longer sum of numbers of one sign loses digits. */
const MOST_TERMS = 2 ** 15;

/** From so many workgroups on a GPU is taken for busy. */
const BUSY = 96;

/** Whether so many workgroups keep a GPU busy, or are as many as sums of so many terms are worth: a thread for 4 results and 64 terms. */
export const isBusy = (workgroups: number, threads: number, results: number, terms: number): boolean =>
  workgroups >= BUSY || workgroups * threads >= (results / 4) * Math.ceil(terms / 64);

/** Into how many parts a GPU takes sums of so many terms, each of which as many workgroups share: a power of 2. */
export function splitsForGpu(workgroups: number, results: number, terms: number): number {
  let splits = 1;
  while (splits * 64 < terms && !isBusy(workgroups * splits, 64, results, terms)) splits *= 2;
  return splits;
}

/** From so many numbers on a CPU shares a row among threads: each time that they wait for one another takes it as long as hundreds of sums. */
const LONG_FOR_CPU = 2 ** 14;

/** Whether a workgroup shares a row: on a CPU a very long one, on a GPU one of `long` numbers, or where a thread for each row would leave it idle. */
export const sharesRow = (rows: number, columns: number, long: number, { software }: DeviceFacts): boolean =>
  software ? columns >= LONG_FOR_CPU : columns >= long || !isBusy(Math.ceil(rows / 64), 64, rows * columns, columns);

export function splitsFor(rows: number, columns: number, terms: number): number {
  const tiles = Math.ceil(rows / 8) * Math.ceil(columns / 8);
  const most = Math.max(Math.min(THREADS / tiles, terms / TERMS), terms / MOST_TERMS);
  return most < 2 ? 1 : 2 ** Math.round(Math.log2(most));
}

/** How often a sum is cut whose result is large enough for all threads. */
export const splitsForTerms = (terms: number): number => Math.ceil(terms / MOST_TERMS);

/** How often a sum over rows alone is cut: into about as many parts as a part has rows. */
export const splitsForSum = (rows: number): number => (rows < 1024 ? 1 : Math.ceil(Math.sqrt(rows)));

/** The same for rows that a workgroup shares, each of whose threads has many before others are worth another dispatch. */
export const splitsForRows = (rows: number): number => (rows <= 65_536 ? 1 : splitsForSum(rows));

/** How many threads share a row of `columns` numbers. */
export const partsOfRow = (columns: number): number => Math.ceil(columns / 1024);

/** A list of the tokens of one row has about so many at most, where tokens are spread evenly over the rows. */
const TOKENS_OF_ROW = 32;

/** How often the sum over the tokens of each row of a table is cut. */
export function splitsForTokens(tokens: number, rows: number): number {
  const most = tokens / rows / TOKENS_OF_ROW;
  return most < 2 ? 1 : 2 ** Math.floor(Math.log2(most));
}
