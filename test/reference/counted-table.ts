// A layer table with its counts in hand: what a trainer does with them, step after step, for tests of the table alone.

import { type Counts, withRest, withRowsOf } from "../../src/optim/counts.ts";
import { createRateTable } from "../../src/optim/rates.ts";
import type { StepClock } from "../../src/optim/row.ts";

export type CountedTable = ReturnType<typeof createCountedTable>;

export function createCountedTable(...[tensors, depths, optimizer, options = {}]: Parameters<typeof createRateTable>) {
  let next = 0;
  const table = createRateTable(tensors, depths, optimizer, { now: () => next, ...options });
  let counts = table.start();
  /** The counts before each step. */
  const before: Counts[] = [];
  return {
    ...table,
    get counts(): Counts {
      return counts;
    },
    advance(clock: StepClock): void {
      next = clock.step;
      table.advance(clock);
    },
    /** Plans a step and takes it as made. */
    write(into: Float32Array, clock: StepClock, takesPart: (row: number) => boolean, momentum?: number): void {
      before[clock.step] = counts;
      counts = table.plan({ ...clock, updates: clock.step }, counts, takesPart, into, momentum);
      next = clock.step + 1;
    },
    /** Rows go back to what they had counted before a step. */
    backTo(step: number, rows: readonly number[] = [...table.rows.keys()]): void {
      counts = withRowsOf(counts, rows, before[step] ?? counts);
    },
    rest(layer: string, from: number, until: number): void {
      counts = withRest(counts, layer, [from, until]);
    },
    table: (clock: StepClock) => table.table(clock, counts),
    tensorTable: (clock: StepClock) => table.tensorTable(clock, counts),
    ratesAt: (clock: StepClock) => table.ratesAt(clock, counts).map((rate) => rate ?? 0),
    state: () => table.state(counts),
    restore(state: Parameters<typeof table.restore>[0], step: number): void {
      counts = table.restore(state, step);
      next = step;
    },
  };
}
