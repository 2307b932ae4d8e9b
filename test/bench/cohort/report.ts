// What the benchmark of cohorts reports: a step of many copies beside a step of one trainer, in turn in one page.

import { aligned, digits } from "../../../demo/bench/columns.ts";
import { median } from "../../../demo/bench/report.ts";

/** Workloads of cohorts, and the most that a step of 8 copies may take, in steps of one. */
export const cohortMarks = { deep: 7, cnn: 7.5 } as const;
export type CohortWorkload = keyof typeof cohortMarks;

/** Copies that are timed, and how often. */
export const cohortSizes = { full: { copies: 8, rounds: 9 }, quick: { copies: 8, rounds: 3 } } as const;

export interface CohortRow {
  readonly workload: CohortWorkload;
  readonly copies: number;
  /** Dispatches of a step of one, and of all copies. */
  readonly dispatches: readonly [one: number, many: number];
  /** Milliseconds of a step, in each round. */
  readonly one: readonly number[];
  readonly many: readonly number[];
}

/** How many steps of one a step of all copies takes: the median over rounds, in each of which both took their turns. */
export const cohortRatio = ({ one, many }: CohortRow): number =>
  median(many.map((time, i) => time / (one[i] as number)));

export const cohortTable = (rows: readonly CohortRow[]): string =>
  aligned(rows, [
    { title: "workload", cell: ({ workload }) => workload, words: true },
    { title: "copies", cell: ({ copies }) => String(copies) },
    { title: "ms of one", cell: ({ one }) => digits(median(one)) },
    { title: "ms of all", cell: ({ many }) => digits(median(many)) },
    { title: "ratio", cell: (row) => cohortRatio(row).toFixed(2) },
    { title: "mark", cell: ({ workload, copies }) => (copies === 8 ? String(cohortMarks[workload]) : "") },
    { title: "dispatches", cell: ({ dispatches }) => dispatches.join(", ") },
  ]);
