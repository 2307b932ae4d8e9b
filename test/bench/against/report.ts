// What `--against` reports: a row for each subject, as data for --json and as a table to read.

import { aligned, digits } from "../../../demo/bench/columns.ts";
import type { Build } from "./build.ts";
import type { Ratio } from "./ratio.ts";

/** The training step of a workload, or the update by itself. */
export const subjects = ["mlp", "deep", "cnn", "optimizer"] as const;
export type Subject = (typeof subjects)[number];

export interface AgainstRow extends Ratio {
  readonly subject: Subject;
  /** Trainers of each build that were timed, and steps in a block. */
  readonly rounds: number;
  readonly steps: number;
  /** Milliseconds a step: medians of the blocks. */
  readonly msThis: number;
  readonly msPrevious: number;
  /** Largest relative difference between the numbers that both computed, before any block was timed. */
  readonly difference: number;
  /** Milliseconds a step of every trainer. */
  readonly times: { readonly this: readonly number[]; readonly previous: readonly number[] };
}

export interface AgainstReport {
  readonly date: string;
  readonly commit: string;
  readonly browser: string;
  readonly adapter: string;
  readonly method: string;
  readonly engine: Readonly<Record<"this" | "previous", Omit<Build, "text">>>;
  readonly rows: readonly AgainstRow[];
}

export const method =
  "ratio of the times of two trainers that are made anew in each round, medians of blocks that take turns; Hodges-Lehmann " +
  "estimate of the log ratio, 95 % interval of Wilcoxon's signed-rank test";

const percent = (ratio: number): string => `${ratio < 1 ? "" : "+"}${((ratio - 1) * 100).toFixed(2)} %`;

export const againstTable = (rows: readonly AgainstRow[]): string =>
  aligned(rows, [
    { title: "subject", cell: ({ subject }) => subject, words: true },
    { title: "ms this", cell: ({ msThis }) => digits(msThis) },
    { title: "ms previous", cell: ({ msPrevious }) => digits(msPrevious) },
    { title: "this / previous", cell: ({ ratio }) => ratio.toFixed(4) },
    { title: "slower by", cell: ({ ratio }) => percent(ratio) },
    { title: "95 % from", cell: ({ low }) => percent(low) },
    { title: "to", cell: ({ high }) => percent(high) },
    { title: "rounds", cell: ({ rounds }) => `${rounds}` },
    { title: "numbers differ by", cell: ({ difference }) => difference.toExponential(1) },
  ]);
