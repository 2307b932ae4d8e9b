// What the optimizer benchmark reports: a row for each engine and cell, the copies beside them, and what follows: how far
// times differ along each axis, and which share of a copy's bandwidth an update reaches.

import { aligned, type Column, digits } from "../report.ts";
import type { Cell } from "./cell.ts";

export const updateEngines = ["gradus", "gradus per group", "tfjs", "jax-js"] as const;
export type UpdateEngine = (typeof updateEngines)[number];

interface Times {
  /** Milliseconds: median, fastest and slowest of the timed blocks. */
  readonly msMedian: number;
  readonly msMin: number;
  readonly msMax: number;
  /** At the median; for an update 28 bytes per parameter. */
  readonly gigabytesPerSecond: number;
}

export interface UpdateRow extends Cell, Times {
  readonly engine: UpdateEngine;
  readonly distinctRates: number;
  /** Per step. */
  readonly dispatches: number;
}

export interface CopyRow extends Times {
  /** The total of parameters whose update moves as many bytes. */
  readonly parameters: number;
  readonly threads: number;
  readonly vectorsPerThread: number;
  readonly sizedArrays: boolean;
}

export interface Measured {
  readonly rows: readonly UpdateRow[];
  readonly copies: readonly CopyRow[];
}

/** What holds for the update of Gradus at one total; spreads and shares are fractions. */
export interface Finding {
  readonly parameters: number;
  readonly mostDispatches: number;
  /** The slowest median over the fastest, minus 1: the worst row of cells along the rates, and along the tensors. */
  readonly spreadAlongRates: number;
  readonly spreadAlongTensors: number;
  /** Bandwidth of the slowest cell, and of the median one, over that of the copy of the update's own shape. */
  readonly leastShareOfCopy: number;
  readonly medianShareOfCopy: number;
}

export interface UpdateReport extends Measured {
  readonly date: string;
  readonly commit: string;
  readonly browser: string;
  readonly adapter: string;
  /** Of the copy in the update's own shape, the better of its two forms, at the largest total. */
  readonly copyGigabytesPerSecond: number;
  readonly findings: readonly Finding[];
}

const groupsBy = <T>(items: readonly T[], key: (item: T) => number): T[][] => {
  const groups = new Map<number, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
};

/** The best copy with 64 threads of one vector each, as the update has them. */
export const copyBandwidth = (copies: readonly CopyRow[], parameters: number): number =>
  Math.max(
    ...copies
      .filter((copy) => copy.parameters === parameters && copy.threads === 64 && copy.vectorsPerThread === 1)
      .map(({ gigabytesPerSecond }) => gigabytesPerSecond),
  );

export function findings({ rows, copies }: Measured): Finding[] {
  const own = rows.filter(({ engine }) => engine === "gradus");
  return groupsBy(own, ({ parameters }) => parameters).map((cells) => {
    const { parameters } = cells[0] as UpdateRow;
    const spread = (lines: UpdateRow[][]): number =>
      Math.max(
        ...lines.map((line) => {
          const times = line.map(({ msMedian }) => msMedian);
          return Math.max(...times) / Math.min(...times) - 1;
        }),
      );
    const shares = cells
      .map(({ gigabytesPerSecond }) => gigabytesPerSecond / copyBandwidth(copies, parameters))
      .sort((a, b) => a - b);
    return {
      parameters,
      mostDispatches: Math.max(...cells.map(({ dispatches }) => dispatches)),
      spreadAlongRates: spread(groupsBy(cells, ({ tensors }) => tensors)),
      spreadAlongTensors: spread(groupsBy(cells, ({ rates }) => rates)),
      leastShareOfCopy: shares[0] as number,
      medianShareOfCopy: shares[Math.floor(shares.length / 2)] as number,
    };
  });
}

const total = (parameters: number): string => `${parameters / 2 ** 20} M`;
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** Everything as text for people. */
export function updateTable(measured: Measured): string {
  const { rows, copies } = measured;
  const share = ({ gigabytesPerSecond, parameters }: UpdateRow | CopyRow): string =>
    percent(gigabytesPerSecond / copyBandwidth(copies, parameters));
  const times: Column<Times>[] = [
    { title: "ms", cell: ({ msMedian }) => digits(msMedian) },
    { title: "[min-max]", cell: ({ msMin, msMax }) => `[${digits(msMin)}-${digits(msMax)}]` },
    { title: "GB/s", cell: ({ gigabytesPerSecond }) => digits(gigabytesPerSecond) },
  ];
  const updates = aligned<UpdateRow>(rows, [
    { title: "engine", cell: ({ engine }) => engine, words: true },
    { title: "parameters", cell: ({ parameters }) => total(parameters) },
    { title: "tensors", cell: ({ tensors }) => `${tensors}` },
    { title: "rates", cell: ({ rates }) => `${rates}` },
    ...times,
    { title: "of copy", cell: share },
    { title: "dispatches", cell: ({ dispatches }) => digits(dispatches) },
  ]);
  const copied = aligned<CopyRow>(copies, [
    { title: "copy", cell: ({ sizedArrays }) => (sizedArrays ? "sized arrays" : "runtime arrays"), words: true },
    { title: "parameters", cell: ({ parameters }) => total(parameters) },
    { title: "threads", cell: ({ threads }) => `${threads}` },
    { title: "vec4f each", cell: ({ vectorsPerThread }) => `${vectorsPerThread}` },
    ...times,
    { title: "of copy", cell: share },
  ]);
  const found = findings(measured).map(
    (finding) =>
      `${total(finding.parameters)}: at most ${finding.mostDispatches} dispatch a step; times differ by ` +
      `${percent(finding.spreadAlongRates)} along the rates, ${percent(finding.spreadAlongTensors)} along the tensors; ` +
      `bandwidth ${percent(finding.medianShareOfCopy)} of the copy in the median cell, ` +
      `${percent(finding.leastShareOfCopy)} in the slowest`,
  );
  return [updates, copied, ...found].join("\n\n");
}
