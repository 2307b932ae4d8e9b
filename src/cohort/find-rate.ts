// The rate finder as a cohort: copies of one snapshot, each at its own rate from the first step on, where the finder of a trainer sweeps
// through rates with one network, whose loss at a rate is also that of all rates before.

import {
  compile,
  constant,
  type Data,
  type FitOptions,
  type FoundRates,
  type Model,
  NonFiniteError,
  OptionError,
  suggestRates,
} from "../index.ts";
import type { Cohort, CohortStep, CohortTrainer } from "./cohort.ts";
import { type CohortOptions, compileCohort, type MakeTrainer } from "./compile-cohort.ts";
import type { Rates } from "./rates.ts";

/** As for `compileCohort`; all copies begin with the same weights and draws, and `weights` is the snapshot that they begin from. */
export interface FindRateOptions
  extends Omit<CohortOptions, "rates" | "seed" | "order" | "copies" | "schedule">,
    Pick<FitOptions, "shuffle" | "signal"> {
  /** Rates that are tried, a copy each. Default 24. */
  readonly copies?: number | undefined;
  /** First rate. Default 1e-5. */
  readonly lo?: number | undefined;
  /** Last rate. Default 10. */
  readonly hi?: number | undefined;
  /** Steps that each copy makes at its rate. Default 20. */
  readonly steps?: number | undefined;
  /** Rates by layer, which keep their proportions: the fastest layer gets the rate of the copy. Default: all layers have it. */
  readonly rates?: Rates | undefined;
  /** Tries rates of the layers that this pattern names alone; the others train at their own. Default: all. */
  readonly layers?: string | undefined;
  /** What copies are compared on when their steps are made. Default: the batches of the later half of their steps. */
  readonly validation?: Data | undefined;
  /** Decides what copies begin with and drop, and shuffles. Default 0. */
  readonly seed?: number | undefined;
  /** Told of each step. A promise is awaited. */
  readonly onStep?: (step: CohortStep) => unknown;
}

/** As `findRate` of a trainer gives it: `losses` are those that copies came to, not smoothed, for no rate hears of another. */
export interface RacedRates extends FoundRates {
  /** The rate of the least loss; NaN where no copy is left. */
  readonly best: number;
  /** Whether a signal ended it before its steps were made. */
  readonly stopped: boolean;
}

/** A rate that has become this many times worse than the best below it has run away, as in the finder of a trainer. */
const WORSE = 4;

/**
 * Finds a learning rate by trying many at once: copies of a network begin from the same weights, each with its own rate, and make the same steps. A
 * rate is judged by where it leads, not by the step at which a sweep comes by; all of them cost the dispatches of one run. `make` as that of
 * `compileCohort`. Nothing of it is left on the GPU.
 *
 * Throws OptionError for what cannot be tried, before anything moves, and what `compileCohort` throws.
 *
 * @example
 * const { best, valley } = await findRate(model, data, { copies: 24, input: [784], loss: crossEntropy(), optimizer: sgd() });
 */
export async function findRate(
  model: Model,
  data: Data,
  options: FindRateOptions,
  make: MakeTrainer<CohortTrainer> = compile,
): Promise<RacedRates> {
  const {
    lo = 1e-5,
    hi = 10,
    steps = 20,
    layers = "**",
    rates,
    validation,
    shuffle,
    signal,
    onStep,
    ...rest
  } = Object(options) as FindRateOptions;
  const { copies = 24, seed = 0 } = rest;
  checkFind({ copies, lo, hi, steps, seed, layers });
  const tried = Array.from({ length: copies }, (_, k) => lo * (hi / lo) ** (k / (copies - 1)));
  const cohort = await compileCohort(
    model,
    { ...rest, copies, seed, ...(rates !== undefined && { rates: () => rates }) },
    make,
  );
  try {
    const byLayer = takeRates(cohort, tried, layers);
    const seen: CohortStep[] = [];
    let stopped = false;
    try {
      const made = await cohort.fit(data, {
        steps,
        ...(shuffle !== undefined && { shuffle }),
        ...(signal !== undefined && { signal }),
        onStep(step) {
          seen.push(step);
          return onStep?.(step);
        },
      });
      stopped = made.stopped;
    } catch (error) {
      // That no copy is left is one of the ways in which rates end. What was told before says nothing, be it much or little.
      if (!(error instanceof NonFiniteError)) throw error;
      seen.length = 0;
    }
    const late = seen.slice(Math.floor(seen.length / 2));
    const meanOf = (k: number): number =>
      late.reduce((sum, { copies: told }) => sum + (told[k]?.loss ?? Number.NaN), 0) / late.length;
    const all =
      validation === undefined || seen.length === 0
        ? tried.map((_, k) => meanOf(k))
        : (await cohort.evaluate(validation)).map(({ loss }) => loss);
    return { ...curveOf(tried, all, byLayer), stopped };
  } finally {
    cohort.dispose();
  }
}

/** The curve up to where the loss runs away, and what it suggests. */
function curveOf(tried: readonly number[], all: readonly number[], byLayer: FoundRates["byLayer"]) {
  let best = Number.POSITIVE_INFINITY;
  const ends = all.findIndex((loss) => {
    if (!Number.isFinite(loss) || loss > WORSE * best) return true;
    best = Math.min(best, loss);
    return false;
  });
  const end = ends < 0 ? all.length : ends;
  const [rates, losses] = [tried.slice(0, end), all.slice(0, end)];
  return {
    ...suggestRates(rates, losses),
    best: rates[losses.indexOf(best)] ?? Number.NaN,
    ...{ rates, losses },
    byLayer: Object.fromEntries(Object.entries(byLayer).map(([layer, own]) => [layer, own.slice(0, end)])),
  };
}

/** Gives each copy its rate, and tells those of its layers. */
function takeRates(cohort: Cohort<CohortTrainer>, tried: readonly number[], layers: string): Record<string, number[]> {
  cohort.rates.set("**", { schedule: constant() });
  const [asked, rows] = [cohort.rates.scale(`0.${layers}`, 1), cohort.rates.table({ tensors: true })];
  const swept = rows.filter(({ name, state }) => asked.includes(name) && state !== "frozen");
  const fastest = Math.max(...swept.map(({ base, multiplier }) => base * multiplier));
  if (!(fastest > 0)) {
    throw new OptionError(
      `findRate: all rates of "${layers}" are 0 or frozen, which nothing can scale. Give them a rate, or unfreeze them.`,
    );
  }
  for (const [k, rate] of tried.entries()) cohort.rates.scale(`${k}.${layers}`, rate / fastest);
  const own: Record<string, number[]> = {};
  for (const { name, lr } of cohort.rates.table()) {
    const layer = name.slice(name.indexOf(".") + 1);
    own[layer] ??= [];
    own[layer].push(lr);
  }
  return own;
}

/** Refuses what cannot be tried. */
function checkFind(asked: Required<Pick<FindRateOptions, "copies" | "lo" | "hi" | "steps" | "seed" | "layers">>): void {
  const { copies, lo, hi, steps, seed, layers } = asked as Record<keyof typeof asked, unknown>;
  const refuse = (message: string): never => {
    throw new OptionError(`findRate: ${message}`);
  };
  for (const [name, value, least] of [
    ["copies", copies, 2],
    ["steps", steps, 1],
  ] as const) {
    if (!(Number.isSafeInteger(value) && (value as number) >= least))
      refuse(`${name} is ${String(value)}, it must be a whole number of at least ${least}.`);
  }
  if (!(Number.isFinite(lo) && Number.isFinite(hi) && (lo as number) > 0 && (hi as number) > (lo as number)))
    refuse(`the rates go from ${String(lo)} to ${String(hi)}. Give lo above 0 and hi above lo.`);
  if (typeof seed !== "number")
    refuse(`seed is ${typeof seed}. Give one number: all copies begin from the same snapshot.`);
  if (typeof layers !== "string") refuse(`layers is ${String(layers)}, it must be a pattern such as "head".`);
}
