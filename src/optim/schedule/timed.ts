// Schedules that have a length in steps or epochs: their options, checked, and the factor as a function of step and length.

import { resolved, type Table } from "../../option.ts";
import { lengthOf, type Schedule, type Span } from "./clock.ts";
import { schedule } from "./spec.ts";

/**
 * The factory of a schedule that has a length, from the table of its other options: `factor` gives it at step `t` of `total`. Where
 * the options name no length, it is `usual` steps; without one they cannot be left out.
 */
export /* @__NO_SIDE_EFFECTS__ */ function timed<Options extends Span>(
  name: string,
  table: () => Table<Omit<Options, keyof Span>>,
  factor: (all: Required<Options>, t: number, total: number) => number,
  usual?: number,
): (options?: Options) => Schedule {
  return schedule(name, (given?: Options): Schedule => {
    const options = given === undefined && usual !== undefined ? ({} as Options) : (given as Options);
    const steps = typeof options === "number" ? options : 1000;
    const entries = { steps: [], epochs: [], ...table() } as unknown as Table<Options>;
    const all = resolved(name, options, entries, `${name}({ steps: ${steps} })`) as unknown as Required<Options>;
    const length = lengthOf(name, options, usual);
    return (clock) => factor(all, clock.step, length(clock));
  });
}
