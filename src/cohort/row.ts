// The rates of a copy as they stand, and how another takes them over.

import { OptionError, type RateSpec } from "../index.ts";
import type { Cohort } from "./cohort.ts";
import { jittered, type Range } from "./draw.ts";
import type { Group } from "./table.ts";

/** What has rates of each copy. */
type Rated = Pick<Cohort, "rates" | "copies">;

/** Rates by tensor, with the names of a network alone: what `compile` takes as `rates`. */
export type RowRates = Readonly<Record<string, RateSpec>>;

export const ratesNow = (cohort: Rated, k: number): RowRates =>
  Object.fromEntries(
    tensorsOf(cohort, k).map(({ name, base, multiplier, state }) => [
      withoutCopy(name),
      state === "frozen" ? { frozen: true } : base * multiplier,
    ]),
  );

const tensorsOf = (cohort: Rated, k: number) =>
  cohort.rates.table({ tensors: true }).filter(({ name }) => name.startsWith(`${k}.`));

const withoutCopy = (name: string): string => name.slice(name.indexOf(".") + 1);

/** What is jittered together, by the tensors of a network alone: those of a range, within it, or else those of a layer. */
export interface Jittering {
  readonly group: number;
  readonly range: Range | undefined;
}

/** Of each tensor whose rate a race moves. Where patterns overlap the last one counts. */
export function jitteringOf(cohort: Rated, groups: readonly Group[]): ReadonlyMap<string, Jittering> {
  if (groups.length > 0) {
    return new Map(
      groups.flatMap(({ pattern, range }, group) =>
        cohort.rates.scale(`0.${pattern}`, 1).map((name) => [withoutCopy(name), { group, range }] as const),
      ),
    );
  }
  const rows = tensorsOf(cohort, 0);
  const layers = [...new Set(rows.map(({ layer }) => layer))];
  return new Map(
    rows.map(({ name, layer }) => [withoutCopy(name), { group: layers.indexOf(layer), range: undefined }] as const),
  );
}

export interface Follow {
  readonly from: number;
  readonly to: number;
  readonly jitter: number;
  /** What the draws begin with. */
  readonly words: readonly number[];
}

/** Copy `to` takes the rates of copy `from`, jittered, and its decays. */
export function takeRates(
  cohort: Rated,
  { from, to, jitter, words }: Follow,
  jittering: ReadonlyMap<string, Jittering>,
): void {
  for (const { name, base, multiplier, weightDecay } of tensorsOf(cohort, from)) {
    const alone = withoutCopy(name);
    const { group, range } = jittering.get(alone) ?? { group: -1, range: undefined };
    const rate = base * multiplier * (group < 0 ? 1 : jittered(jitter, ...words, to, group));
    const [lo, hi] = range ?? [0, Number.POSITIVE_INFINITY];
    cohort.rates.set(`${to}.${alone}`, { lr: Math.min(hi, Math.max(lo, rate)), weightDecay });
  }
}

/** Copies that follow one another must train the same tensors, since moments are as old as their updates. */
export function checkAlike(cohort: Rated): void {
  const of = (k: number) => tensorsOf(cohort, k);
  const first = of(0);
  for (let k = 1; k < cohort.copies; k++) {
    const odd = of(k).findIndex(({ state }, i) => state !== first[i]?.state);
    if (odd < 0) continue;
    throw new OptionError(
      `race: "${withoutCopy(first[odd]?.name as string)}" is ${first[odd]?.state} in copy 0 and ${of(k)[odd]?.state} in copy ${k}, so that one cannot take the place of the other. Give a rate of 0 in place of a freeze, or halving({ losers: "rest" }).`,
    );
  }
}
