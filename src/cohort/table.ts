// The tables of rates that a race begins with: drawn from ranges, by patterns of layers, or given for each copy.

import { OptionError, type RateSpec } from "../index.ts";
import { type Range, spreadOver } from "./draw.ts";
import type { Rates } from "./rates.ts";

/** A rate for some layers: a rule for all copies, or a range of which each copy draws its own. */
export type RateRange = RateSpec | Range;
/** Pairs of a pattern and a rate; later ones win. */
type Entries = readonly (readonly [pattern: string, rate: RateRange])[];

/** By pattern; later ones win. */
export type RateRanges = Readonly<Record<string, RateRange>> | ReadonlyMap<string, RateRange> | Entries;

/** A pattern of which each copy has a rate of its own. */
export interface Group {
  readonly pattern: string;
  readonly range: Range;
}

export interface Tables {
  readonly groups: readonly Group[];
  readonly tableOf: (copy: number) => Rates | undefined;
}

const isRange = (rate: RateRange): rate is Range => Array.isArray(rate);

/** Tables for so many copies. */
export function tablesOf(ranges: RateRanges, copies: number, seed: number): Tables {
  const entries = entriesOf(ranges);
  for (const [pattern, rate] of entries) {
    if (!isRange(rate)) continue;
    const [lo, hi] = rate;
    if (rate.length === 2 && lo > 0 && hi > lo && Number.isFinite(hi)) continue;
    throw new OptionError(
      `race: the rates of "${pattern}" go from ${String(lo)} to ${String(hi)}. Give [lo, hi] with lo above 0 and hi above lo.`,
    );
  }
  const groups = entries.flatMap(([pattern, rate]) => (isRange(rate) ? [{ pattern, range: rate }] : []));
  if (groups.length === 0)
    throw new OptionError('race: no rate is a range, so that all copies would be alike. Give { "**": [1e-4, 1e-1] }.');
  const drawn = entries.map(([, rate], i) => (isRange(rate) ? spreadOver(rate, copies, seed, i) : undefined));
  return {
    groups,
    tableOf: (copy) => entries.map(([pattern, rate], i) => [pattern, drawn[i]?.[copy] ?? rate]) as unknown as Rates,
  };
}

function entriesOf(ranges: RateRanges): Entries {
  if (typeof ranges !== "object" || ranges === null)
    throw new OptionError(
      `race: rates is ${String(ranges)}. Give ranges by pattern, { "**": [1e-4, 1e-1] }, or tables.`,
    );
  if (Symbol.iterator in ranges) return [...ranges];
  const whole = Object.keys(ranges).find((key) => /^\d+$/.test(key));
  if (whole === undefined) return Object.entries(ranges);
  throw new OptionError(
    `race: the key "${whole}" is a whole number, and JavaScript puts those first. Give a list of pairs: [["${whole}", ...], ...].`,
  );
}
