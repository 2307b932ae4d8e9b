// The learning-rate finder: trains a few steps at rising rates, looks at the losses, and puts everything back as it was.

import type { Data } from "../data/dataset.ts";
import { NonFiniteError, OptionError } from "../errors.ts";
import { wholeNumber } from "../model/layer.ts";
import { type RateSuggestions, rateOfTry, smoothed, suggest } from "../optim/find-rate.ts";
import type { RateTable } from "../optim/rates.ts";
import type { FitOptions, FitResult } from "./options.ts";

export interface FindRateOptions {
  /** First rate. Default 1e-7. */
  readonly lo?: number;
  /** Last rate. Default 10. */
  readonly hi?: number;
  /** Tries, one step each. Default 100. */
  readonly steps?: number;
  /** Sweeps only the layers that this pattern names; the others train at their own rates. Default: all. */
  readonly layers?: string;
  /** Called for each try. */
  readonly onStep?: (found: { readonly lr: number; readonly loss: number }) => void;
}

export interface FoundRates extends RateSuggestions {
  /** Rates that were tried, up to where the loss ran away. */
  readonly rates: readonly number[];
  /** Smoothed loss at each. */
  readonly losses: readonly number[];
}

/** What the finder needs of a trainer. */
export interface Searched {
  readonly steps: number;
  save(): Promise<Uint8Array<ArrayBuffer>>;
  load(bytes: Uint8Array): void;
  fit(data: Data, options: FitOptions): Promise<FitResult>;
  stop(): void;
}

/** A sweep that has become this many times worse than its best is over. */
const WORSE = 4;

export async function findRate(
  trainer: Searched,
  table: RateTable,
  base: number,
  data: Data,
  { lo = 1e-7, hi = 10, steps = 100, layers = "**", onStep }: FindRateOptions = {},
): Promise<FoundRates> {
  wholeNumber("findRate", "steps", steps);
  if (!(lo > 0 && lo < hi && Number.isFinite(hi))) {
    throw new OptionError(`findRate: the rates go from ${lo} to ${hi}. Give lo above 0 and hi above lo.`);
  }
  if (base === 0) throw new OptionError("findRate: the optimizer's lr is 0, which no sweep can scale. Give it a rate.");
  const before = await trainer.save();
  const first = trainer.steps;
  const rates: number[] = [];
  const losses: number[] = [];
  let best = Number.POSITIVE_INFINITY;
  table.sweep(layers, ({ step }) => rateOfTry(lo, hi, Math.min(steps - 1, step - first), steps) / base);
  try {
    await trainer.fit(data, {
      epochs: Number.MAX_SAFE_INTEGER,
      steps,
      onStep({ step, loss }) {
        const mean = smoothed([...losses, loss]).at(-1) as number;
        if (rates.length > 0 && mean > WORSE * best) return trainer.stop();
        best = Math.min(best, mean);
        const lr = rateOfTry(lo, hi, step - first - 1, steps);
        rates.push(lr);
        losses.push(loss);
        onStep?.({ lr, loss });
      },
    });
  } catch (error) {
    // A loss that is not finite is one of the ways in which a sweep ends.
    if (!(error instanceof NonFiniteError)) throw error;
  } finally {
    table.sweep(undefined);
    trainer.load(before);
  }
  const smooth = smoothed(losses);
  return { ...suggest(rates, smooth), rates, losses: smooth };
}
