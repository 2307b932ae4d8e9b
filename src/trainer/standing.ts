// Where training stands: a value. A plan gives the standing after each step, and the ledger takes it over once the step is
// known to have happened.

import type { Place } from "../io/training.ts";
import type { Counts } from "../optim/counts.ts";

export type { Place };

export interface Standing {
  /** Updates made. */
  readonly step: number;
  /** Batches since training began: each has random numbers of its own. */
  readonly draws: number;
  /** The place in the data of a fit, with all that decides what it means. */
  readonly place: Place;
  /** Batches of an update under way. */
  readonly into: number;
  readonly counts: Counts;
}
