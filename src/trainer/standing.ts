// Where training stands: a value. A plan gives the standing after each step, and the ledger takes it over once the step is
// known to have happened.

import type { Counts } from "../optim/counts.ts";

/** The place in the data of a fit, with all that decides what it means. */
export interface Place {
  /** Epochs begun before the present one; numbers its shuffle. */
  readonly epoch: number;
  /** Batches of the present epoch that were used. */
  readonly position: number;
  /** Epochs that the fit has finished. */
  readonly runEpoch: number;
  /** Samples of a batch, and batches of an update. */
  readonly batch: number;
  readonly accumulate: number;
  /** Samples of an epoch; 0 for a stream. */
  readonly count: number;
  readonly shuffle: boolean;
}

export interface Standing {
  /** Updates made. */
  readonly step: number;
  readonly place: Place;
  readonly counts: Counts;
}
