// A race: copies that begin from one snapshot, each with rates of its own, and a rule that lets the worse ones follow the better ones. So
// a table of rates is found in one training, where a sweep takes one for each.

import { compile, type Data, type FitOptions, type Model, OptionError, type Trainer } from "../index.ts";
import type { Cohort, CohortStep, CohortTrainer, CopyEvaluation } from "./cohort.ts";
import { type CohortOptions, compileCohort, type MakeTrainer } from "./compile-cohort.ts";
import type { Rates } from "./rates.ts";
import { checkAlike, jitteringOf, type RowRates, ratesNow, takeRates } from "./row.ts";
import { halving, type Moves, type RaceRule } from "./rule.ts";
import { type RateRanges, tablesOf } from "./table.ts";

/** As for `compileCohort`; all copies begin with the same weights and draws. */
export interface RaceOptions
  extends Omit<CohortOptions, "rates" | "seed" | "order" | "copies">,
    Pick<FitOptions, "shuffle" | "signal"> {
  /** Updates that each copy makes. */
  readonly steps: number;
  /** How many. Default 8, or as many as there are tables. */
  readonly copies?: number | undefined;
  /** Rates of which each copy draws its own, log-uniform: `{ "**": [1e-4, 1e-1], head: [1e-3, 1] }`. Later patterns win. */
  readonly rates?: RateRanges | undefined;
  /** In the place of `rates`: those of each copy, as `compile` takes them. */
  readonly tables?: readonly CompileRates[] | undefined;
  /** When copies are compared, and what becomes of them: `halving()` or `population({ every })`. Default halving(). */
  readonly rule?: RaceRule | undefined;
  /** What copies are compared on. Default: the batches that they trained on since they were last compared. */
  readonly validation?: Data | undefined;
  /** What they are compared by: the least loss, the highest accuracy, or the least of a number of yours. Default "loss". */
  readonly by?: keyof typeof scores | ((told: CopyEvaluation) => number) | undefined;
  /** Decides what copies begin with and drop, shuffles, and what the race draws. Default 0. */
  readonly seed?: number | undefined;
  /** Told of each rung. A promise is awaited. */
  readonly onRung?: (rung: RaceRung) => unknown;
}

/** Rates as `compile` takes them. */
type CompileRates = NonNullable<Rates>;

/** What was seen at a rung, and done. Plain JSON, but for NaN of a copy that is out. */
export interface RaceRung extends Moves {
  /** Updates made. */
  readonly step: number;
  /** Of each copy. */
  readonly copies: readonly CopyEvaluation[];
  /** Those in the race, the best first. */
  readonly ranked: readonly number[];
  /** Rates of each copy up to here, by tensor. */
  readonly rates: readonly RowRates[];
}

/** What a race leaves: the copies, the best of them, and what each look at them came to. */
export interface RaceResult<T extends CohortTrainer = Trainer> {
  /** All copies, to train on or to be disposed of. */
  readonly cohort: Cohort<T>;
  /** The best copy: `cohort.extract(winner)` has its weights. */
  readonly winner: number;
  /** What it was told to be at the end. */
  readonly told: CopyEvaluation;
  /** Its rates, by tensor, as `compile` takes them. */
  readonly rates: RowRates;
  /** The rates that its weights were trained with, from the first step on: one for each time that it followed another. */
  readonly lineage: readonly { readonly step: number; readonly copy: number; readonly rates: RowRates }[];
  /** The last one is the end, at which nothing moves. */
  readonly rungs: readonly RaceRung[];
  /** Whether a signal ended it before its steps were made. */
  readonly stopped: boolean;
}

const scores = {
  loss: ({ loss }: CopyEvaluation): number => loss,
  accuracy: ({ accuracy }: CopyEvaluation): number => -accuracy,
};

/**
 * Trains copies of a network from one snapshot, each with its own rates; at each rung the worse ones take what the better ones are, on the
 * GPU, with their rates jittered, or rest (`rule`). One run, and no sweep. The same seed and data give the same bits. `make` as that of `compileCohort`.
 *
 * Throws OptionError for what cannot be raced, before anything moves, NonFiniteError where no copy is left, and what `compileCohort` throws.
 *
 * @example
 * const { cohort, winner, rates } = await race(model, data, {
 *   copies: 16, rates: { "**": [1e-4, 1e-1], head: [1e-3, 1] }, steps: 200, validation, input: [784], loss: crossEntropy(),
 * });
 * const weights = await cohort.extract(winner);
 */
export function race(model: Model, data: Data, options: RaceOptions): Promise<RaceResult>;
export function race<T extends CohortTrainer>(
  model: Model,
  data: Data,
  options: RaceOptions,
  make: MakeTrainer<T>,
): Promise<RaceResult<T>>;
export async function race(
  model: Model,
  data: Data,
  options: RaceOptions,
  make: MakeTrainer<CohortTrainer> = compile,
): Promise<RaceResult<CohortTrainer>> {
  const {
    steps,
    rates,
    tables,
    rule = halving(),
    validation,
    by = "loss",
    onRung,
    shuffle,
    signal,
    ...rest
  } = Object(options) as RaceOptions;
  const { copies = tables?.length ?? 8, seed = 0 } = rest;
  const score = typeof by === "function" ? by : scores[by];
  checkRace({ copies, steps, rates, tables, seed, score: score as unknown, by, data });
  const ends = [...rule.rungs(steps, copies), steps];
  const { groups, tableOf } =
    tables === undefined
      ? tablesOf(rates as RateRanges, copies, seed)
      : { groups: [], tableOf: (k: number) => tables[k] };
  const cohort = await compileCohort(model, { ...rest, copies, seed, rates: tableOf }, make);
  try {
    return await run();
  } catch (error) {
    cohort.dispose();
    throw error;
  }

  async function run(): Promise<RaceResult<CohortTrainer>> {
    if (rule.follows) checkAlike(cohort);
    const jittering = jitteringOf(cohort, groups);
    const rungs: RaceRung[] = [];
    let racing = Array.from({ length: copies }, (_, k) => k);
    let lineages = racing.map((copy) => [{ step: 0, copy, rates: ratesNow(cohort, copy) }]);
    let stopped = false;
    for (const [i, end] of ends.entries()) {
      const seen = meanOf(copies);
      const { stopped: ended } = await cohort.fit(data, {
        steps: end - cohort.steps,
        resume: true,
        ...(shuffle !== undefined && { shuffle }),
        ...(signal !== undefined && { signal }),
        onStep: seen.add,
      });
      stopped = ended;
      const told = validation === undefined ? seen.told() : await cohort.evaluate(validation);
      const found = told.map(score as (told: CopyEvaluation) => number);
      const ranked = [...racing].sort((a, b) => comparable(found[a]) - comparable(found[b]) || a - b);
      const finite = ranked.filter((k) => comparable(found[k]) < MOST).length;
      const isEnd = stopped || i === ends.length - 1 || finite === 0;
      const { follow, rest } = isEnd ? { follow: [], rest: [] } : rule.decide(ranked, finite);
      const row = (k: number): RowRates => ratesNow(cohort, k);
      const step = cohort.steps;
      const rung: RaceRung = { step, copies: told, ranked, rates: told.map((_, k) => row(k)), follow, rest };
      // All of them take what others were when they were compared: who is followed does not follow.
      for (const { from, to } of follow) {
        cohort.replace(from, to);
        takeRates(cohort, { from, to, jitter: rule.jitter, words: [seed, step] }, jittering);
      }
      for (const k of rest) cohort.rates.freeze(String(k));
      const before = lineages;
      lineages = before.map((own, k) => {
        const from = follow.find(({ to }) => to === k)?.from;
        return from === undefined ? own : [...(before[from] as typeof own), { step, copy: k, rates: row(k) }];
      });
      racing = racing.filter((k) => !rest.includes(k));
      rungs.push(rung);
      await onRung?.(rung);
      if (isEnd) break;
    }
    const last = rungs.at(-1) as RaceRung;
    const winner = last.ranked[0] as number;
    return {
      ...{ cohort, winner, rungs, stopped },
      told: last.copies[winner] as CopyEvaluation,
      rates: last.rates[winner] as RowRates,
      lineage: lineages[winner] as RaceResult["lineage"],
    };
  }
}

/** The largest number; what is none comes behind all that are. */
const MOST = Number.MAX_VALUE;
const comparable = (score: number | undefined): number => (Number.isFinite(score) ? (score as number) : MOST);

/** Means of steps. */
function meanOf(copies: number) {
  const sums = Array.from({ length: copies }, () => ({ loss: 0, accuracy: 0 }));
  let steps = 0;
  return {
    add(step: CohortStep): void {
      steps++;
      for (const [k, { loss, accuracy }] of step.copies.entries()) {
        const own = sums[k] as (typeof sums)[number];
        own.loss += loss;
        own.accuracy += accuracy;
      }
    },
    told: (): CopyEvaluation[] =>
      sums.map(({ loss, accuracy }) => ({ loss: loss / steps, accuracy: accuracy / steps })),
  };
}

interface Asked extends Pick<RaceOptions, "steps" | "rates" | "tables" | "by"> {
  readonly copies: number;
  readonly seed: number;
  readonly score: unknown;
  readonly data: Data;
}

/** Refuses what cannot be raced. */
function checkRace({ copies, steps, rates, tables, seed, score, by, data }: Asked): void {
  const refuse = (message: string): never => {
    throw new OptionError(`race: ${message}`);
  };
  if (!(Number.isSafeInteger(copies) && copies >= 2))
    refuse(`copies is ${String(copies)}, it must be a whole number of at least 2: one alone has nobody to race with.`);
  if (!(Number.isSafeInteger(steps) && steps >= 1))
    refuse(`steps is ${String(steps)}, it must be a whole number of at least 1.`);
  if (typeof seed !== "number")
    refuse(`seed is ${typeof seed}. Give one number: all copies begin from the same snapshot.`);
  if ((rates === undefined) === (tables === undefined)) {
    refuse(
      rates === undefined
        ? 'there are no rates to race. Give ranges, rates: { "**": [1e-4, 1e-1] }, or tables.'
        : "both rates and tables are given. Give one of them.",
    );
  }
  if (tables !== undefined && !(Array.isArray(tables) && tables.length === copies))
    refuse(
      `there are ${Array.isArray(tables) ? tables.length : typeof tables} tables for ${copies} copies. Give a list with one for each.`,
    );
  if (typeof score !== "function")
    refuse(`by is ${String(by)}, it must be ${Object.keys(scores).join(" or ")}, or a function.`);
  const walk = Object(data)[Symbol.iterator] ?? Object(data)[Symbol.asyncIterator];
  if (typeof walk === "function" && walk.call(data) === data)
    refuse(
      "the data can be walked over once, and each rung begins a walk. Give a list, or what begins anew each time.",
    );
}
