// The learning-rate finder: trains a few steps at rising rates, looks at the losses, and puts everything back as it was.

import type { Data } from "../data/dataset.ts";
import { NonFiniteError, OptionError } from "../errors.ts";
import { wholeNumber } from "../op/layer.ts";
import { type RateSuggestions, rateOfTry, smoothed, suggestRates } from "../optim/find-rate.ts";
import type { RateTable } from "../optim/rates.ts";
import { checkOptions, checkRange } from "../option.ts";
import { type Trial, tried } from "./trial.ts";

/** Options of `findRate`. */
export interface FindRateOptions {
  /** First rate. Default 1e-7. */
  readonly lo?: number;
  /** Last rate. Default 10. */
  readonly hi?: number;
  /** Tries, one step each. Default 100. */
  readonly steps?: number;
  /** Sweeps only the layers that this pattern names; the others train at their own rates. Default: all. */
  readonly layers?: string;
  /** Called for each try. A promise is awaited. */
  readonly onStep?: (found: { readonly lr: number; readonly loss: number }) => unknown;
}

/** What `findRate` gives: the curve of the range test, and what it suggests. */
export interface FoundRates extends RateSuggestions {
  /** Rates that were tried, up to where the loss ran away: those of the fastest layer that was swept. */
  readonly rates: readonly number[];
  /** What each layer had at each of them. */
  readonly byLayer: Readonly<Record<string, readonly number[]>>;
  /** Smoothed loss at each. */
  readonly losses: readonly number[];
}

/** A sweep that has become this many times worse than its best is over. */
const WORSE = 4;

export async function findRate(trial: Trial, data: Data, options: FindRateOptions = {}): Promise<FoundRates> {
  checkOptions("findRate", options, ["lo", "hi", "steps", "layers", "onStep"]);
  const { lo = 1e-7, hi = 10, steps = 100, layers = "**", onStep } = options;
  wholeNumber("findRate", "steps", steps);
  checkRange("findRate", "a finite number of at least 0", { lo, hi });
  if (!(lo > 0 && lo < hi)) {
    throw new OptionError(`findRate: the rates go from ${lo} to ${hi}. Give lo above 0 and hi above lo.`);
  }
  const { rates: table } = trial;
  // The fastest of the layers gets the rate of the try, and the others keep their proportions to it.
  const swept = table.find("findRate", layers).map((row) => table.rows[row] as RateTable["rows"][number]);
  const fastest = Math.max(...swept.filter(({ frozen }) => !frozen).map(({ lr, multiplier }) => lr * multiplier));
  if (!(fastest > 0)) {
    throw new OptionError(
      `findRate: all rates of "${layers}" are 0 or frozen, which no sweep can scale. Give them a rate, or unfreeze them.`,
    );
  }
  trial.check(data, {});
  return tried(trial, () => sweep(trial, data, { lo, hi, steps, layers, onStep }, fastest), { always: true });
}

type Sweep = Required<Omit<FindRateOptions, "onStep">> & { readonly onStep: FindRateOptions["onStep"] | undefined };

async function sweep(
  trial: Trial,
  data: Data,
  { lo, hi, steps, layers, onStep }: Sweep,
  fastest: number,
): Promise<FoundRates> {
  const first = trial.steps();
  const rates: number[] = [];
  const losses: number[] = [];
  const byLayer: Record<string, number[]> = {};
  let best = Number.POSITIVE_INFINITY;
  const rateAt = (step: number): number => rateOfTry(lo, hi, Math.min(steps - 1, step - first), steps);
  trial.rates.sweep(layers, ({ step }) => rateAt(step) / fastest);
  try {
    await trial.fit(data, {
      steps,
      async onStep({ step, loss, rates: used }) {
        const mean = smoothed([...losses, loss]).at(-1) as number;
        if (rates.length > 0 && mean > WORSE * best) return trial.stop();
        best = Math.min(best, mean);
        const lr = rateAt(step - 1);
        rates.push(lr);
        losses.push(loss);
        for (const [layer, own] of Object.entries(used())) {
          byLayer[layer] ??= [];
          byLayer[layer].push(own);
        }
        await onStep?.({ lr, loss });
      },
    });
  } catch (error) {
    // A loss that is not finite is one of the ways in which a sweep ends.
    if (!(error instanceof NonFiniteError)) throw error;
  }
  const smooth = smoothed(losses);
  return { ...suggestRates(rates, smooth), rates, losses: smooth, byLayer };
}
