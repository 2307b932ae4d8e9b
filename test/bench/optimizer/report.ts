// What the optimizer benchmark reports: a row for each engine and cell, the copies beside them, and what follows: how far
// times differ along each axis, and which share of a copy's bandwidth an update reaches.

import { aligned, type Column, digits } from "../../../demo/bench/columns.ts";
import { median } from "../../../demo/bench/report.ts";
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
  /** What of the blocks' times it goes by. The fastest block shows more where other work disturbs the machine. */
  readonly by: "msMedian" | "msMin";
  readonly mostDispatches: number;
  /** The slowest cell over the fastest, minus 1: of the worst line of cells along the rates, and along the tensors. */
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

const ofUpdateShape = ({ threads, vectorsPerThread }: CopyRow): boolean => threads === 64 && vectorsPerThread === 1;

/** The better copy in the shape of the update, at one total. */
export const bestCopy = (copies: readonly CopyRow[], parameters: number, by: Finding["by"] = "msMedian"): CopyRow =>
  copies
    .filter((copy) => copy.parameters === parameters && ofUpdateShape(copy))
    .reduce((best, copy) => (copy[by] < best[by] ? copy : best));

export const findings = ({ rows, copies }: Measured): Finding[] =>
  groupsBy(
    rows.filter(({ engine }) => engine === "gradus"),
    ({ parameters }) => parameters,
  ).flatMap((cells) =>
    (["msMedian", "msMin"] as const).map((by) => {
      const { parameters } = cells[0] as UpdateRow;
      const spread = (lines: UpdateRow[][]): number =>
        Math.max(
          ...lines.map((line) => {
            const times = line.map((row) => row[by]);
            return Math.max(...times) / Math.min(...times) - 1;
          }),
        );
      const copy = bestCopy(copies, parameters, by)[by];
      return {
        parameters,
        by,
        mostDispatches: Math.max(...cells.map(({ dispatches }) => dispatches)),
        spreadAlongRates: spread(groupsBy(cells, ({ tensors }) => tensors)),
        spreadAlongTensors: spread(groupsBy(cells, ({ rates }) => rates)),
        leastShareOfCopy: copy / Math.max(...cells.map((row) => row[by])),
        medianShareOfCopy: copy / median(cells.map((row) => row[by])),
      };
    }),
  );

const total = (parameters: number): string => `${parameters / 2 ** 20} M`;
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** Everything as text for people. */
export function updateTable(measured: Measured): string {
  const { rows, copies } = measured;
  const share = ({ gigabytesPerSecond, parameters }: UpdateRow | CopyRow): string =>
    percent(gigabytesPerSecond / bestCopy(copies, parameters).gigabytesPerSecond);
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
      `${total(finding.parameters)}, ${finding.by === "msMin" ? "fastest blocks" : "medians"}: at most ${finding.mostDispatches} dispatch a step; times differ by ` +
      `${percent(finding.spreadAlongRates)} along the rates, ${percent(finding.spreadAlongTensors)} along the tensors; ` +
      `bandwidth ${percent(finding.medianShareOfCopy)} of the copy in the median cell, ` +
      `${percent(finding.leastShareOfCopy)} in the slowest`,
  );
  return [updates, copied, found.join("\n")].join("\n\n");
}
