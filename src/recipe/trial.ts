// A trial: fits and changes of rates that belong together. It is checked before anything moves, and what it did can be put
// back as it was, to the bit.

import type { Data } from "../data/dataset.ts";
import type { RateTable } from "../optim/rates.ts";
import type { FitOptions, FitResult } from "./fit-options.ts";

/** A trainer in the hands of the finder or the recipe, while nobody else may train it. */
export interface Trial {
  readonly rates: RateTable;
  /** Updates made so far. */
  readonly steps: () => number;
  /** Steps of an epoch of data; undefined for a stream. Throws what `fit` would throw of the data and options. */
  readonly check: (data: Data, options: FitOptions) => number | undefined;
  readonly fit: (data: Data, options: FitOptions) => Promise<FitResult>;
  readonly stop: () => void;
  readonly save: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly load: (bytes: Uint8Array) => void;
}

/** Runs a trial, and puts everything back when it fails, or `always`. */
export async function tried<T>(trial: Trial, work: () => Promise<T>, { always }: { always: boolean }): Promise<T> {
  const before = await trial.save();
  let kept = false;
  try {
    const result = await work();
    kept = !always;
    return result;
  } finally {
    trial.rates.sweep(undefined);
    if (!kept) trial.load(before);
  }
}
