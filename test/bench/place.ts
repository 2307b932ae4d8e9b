// What a part of the benchmark is given by the command, and what it gives back as soon as it has it.

import type { Report } from "../../demo/bench/report.ts";
import type { ScaleReport } from "../../demo/bench/scale.ts";
import type { AgainstReport } from "./against/report.ts";
import type { CohortRow } from "./cohort/report.ts";
import type { UpdateReport } from "./optimizer/report.ts";
import type { StreamReport } from "./stream/report.ts";

export type Origin = Pick<Report, "date" | "commit" | "browser" | "adapter">;

/** What was found so far, as text for people and as data for --json. */
export interface Result {
  readonly text: string;
  readonly data:
    | Omit<Report, keyof Origin>
    | Omit<UpdateReport, keyof Origin>
    | Omit<AgainstReport, keyof Origin>
    | (StreamReport & { readonly ratio: number })
    | ScaleReport
    | { readonly rows: readonly (CohortRow & { readonly ratio: number })[] };
}

type Measured = Pick<
  typeof globalThis,
  | "measure"
  | "measureRoof"
  | "measureKernels"
  | "measureUpdates"
  | "measureAgainst"
  | "writeStream"
  | "measureStream"
  | "measureCohort"
  | "measureScale"
>;

/** Calls one of these in a page or process that is begun anew. */
export type Measures = <Name extends keyof Measured>(
  name: Name,
  task: Parameters<Measured[Name]>[0],
) => ReturnType<Measured[Name]>;

export interface Place {
  readonly call: Measures;
  /** Hears of everything that was found until now, which is what is left where somebody interrupts. */
  found(result: Result): void;
  progress(line: string): void;
}
