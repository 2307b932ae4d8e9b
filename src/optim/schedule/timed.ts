// Schedules that have a length in steps or epochs: their options, checked, and the factor as a function of step and length.

import { type Resolved, resolved, type Table } from "../../option.ts";
import { lengthOf, type Schedule, type Span } from "./clock.ts";
import { named } from "./spec.ts";

/**
 * A schedule that has a length, from the table of its other options: `factor` gives it at step `t` of `total`. Where the options
 * name no length, it is `usual` steps.
 */
export function timed<Options extends Span, const Entries extends Table<Omit<Options, keyof Span>>>(
  place: string,
  options: Options,
  table: Entries,
  factor: (all: Resolved<Options, Entries>, t: number, total: number) => number,
  usual?: number,
): Schedule {
  const steps = typeof options === "number" ? options : 1000;
  const entries = { steps: [], epochs: [], ...table } as Entries & Table<Options>;
  const all: Resolved<Options, Entries> = resolved(place, options, entries, `${place}({ steps: ${steps} })`);
  const length = lengthOf(place, options, usual);
  return named(place, options, (clock) => factor(all, clock.step, length(clock)));
}
