// What a run of the tests in one runtime leaves behind.

import type { Losses } from "./losses.ts";
import type { Runtime } from "./options.ts";

export interface Report {
  readonly runtime: Runtime;
  /** With its number. */
  readonly version?: string;
  readonly adapter?: string;
  /** All files, the short choice, those of a filter, or no tests but the losses. */
  readonly form: "whole" | "short" | "part" | "losses";
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly failures: readonly { readonly file: string; readonly test: string; readonly errors: readonly string[] }[];
  /** Why the run did not come to its end. */
  readonly failure?: string;
  readonly losses?: Losses;
}
