// What the benchmark reports: a row per workload and engine, as plain data for --json and as a table to read.

import type { Counts } from "../train/count.ts";
import { aligned, type Column, digits } from "./columns.ts";
import type { AnyEngine } from "./engine.ts";
import type { KernelRow } from "./kernels/report.ts";
import { type Roof, type RoofRow, roofline } from "./roofline/roof.ts";
import type { Work } from "./roofline/work.ts";
import type { WorkloadName } from "./workload.ts";

export interface Row {
  readonly workload: WorkloadName;
  readonly engine: AnyEngine;
  readonly backend: string;
  /** Of the first steps, by which engines were compared before their times. */
  readonly losses: readonly number[];
  /** Milliseconds per step: median, fastest and slowest of the timed blocks. */
  readonly msMedian: number;
  readonly msMin: number;
  readonly msMax: number;
  /** Milliseconds from a model and data on the host to the loss of the first step. */
  readonly msFirst?: number;
  /** Of the buffers that are alive after the first steps, where there are any. */
  readonly liveBytes?: number;
  /** Of WebGPU. */
  readonly perStep?: Counts;
  /** What each dispatch of a step has to do, where the engine tells. */
  readonly works?: readonly Work[];
  /** Milliseconds below which the adapter cannot do that, with the submits that were counted. */
  readonly msRoofline?: number;
}

/** What was measured. */
export interface Findings {
  readonly roofline: readonly RoofRow[];
  readonly rows: readonly Row[];
  readonly kernels: readonly KernelRow[];
}

/** That, and where. */
export interface Report extends Findings {
  readonly date: string;
  readonly commit: string;
  readonly browser: string;
  readonly adapter: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] as number;
  const half = (sorted.length - 1) / 2;
  return (at(Math.floor(half)) + at(Math.ceil(half))) / 2;
}

const counted = (title: string, what: keyof Counts): Column<Row> => ({
  title,
  cell({ perStep }) {
    const value = perStep?.[what];
    return value === undefined ? "-" : Number.isInteger(value) ? `${value}` : value.toFixed(1);
  },
});

export const timesOf = (times: readonly number[]): Pick<Row, "msMedian" | "msMin" | "msMax"> => ({
  msMedian: median(times),
  msMin: Math.min(...times),
  msMax: Math.max(...times),
});

/** Time relative to that of Gradus on the same workload. */
function againstGradus(rows: readonly Row[]): Column<Row> {
  const own = new Map<string, number>();
  for (const row of rows) if (`${row.engine}` === "gradus") own.set(row.workload, row.msMedian);
  return {
    title: "vs gradus",
    cell: ({ workload, msMedian }) => `${(msMedian / (own.get(workload) ?? Number.NaN)).toFixed(2)}x`,
  };
}

/** A row beside the roofline of what its engine does. */
export const beneath = (row: Row, roof: Roof | undefined): Row =>
  row.works === undefined || roof === undefined
    ? row
    : { ...row, msRoofline: roofline(row.works, roof, row.perStep?.submits) };

/** The rows as aligned text, with a last column of ratios where Gradus takes part. */
export function table(rows: readonly Row[]): string {
  const columns: Column<Row>[] = [
    { title: "workload", cell: (row) => row.workload, words: true },
    { title: "engine", cell: (row) => row.engine, words: true },
    { title: "backend", cell: (row) => row.backend, words: true },
    { title: "ms/step", cell: (row) => digits(row.msMedian) },
    { title: "[min-max]", cell: (row) => `[${digits(row.msMin)}-${digits(row.msMax)}]` },
    counted("dispatches", "dispatches"),
    counted("submits", "submits"),
    counted("buffers", "createBuffer"),
    counted("bind groups", "createBindGroup"),
  ];
  const known = (value: number | undefined): string => (value === undefined ? "-" : digits(value));
  if (rows.some(({ msFirst }) => msFirst !== undefined))
    columns.push(
      { title: "first step", cell: ({ msFirst }) => known(msFirst) },
      { title: "MB", cell: ({ liveBytes }) => known(liveBytes && liveBytes / 2 ** 20) },
    );
  if (rows.some(({ msRoofline }) => msRoofline !== undefined)) {
    const over = ({ msMedian, msRoofline }: Row): string =>
      msRoofline === undefined ? "-" : `${(msMedian / msRoofline).toFixed(2)}x`;
    columns.push(
      { title: "roofline", cell: ({ msRoofline }) => (msRoofline === undefined ? "-" : digits(msRoofline)) },
      { title: "over it", cell: over },
    );
  }
  if (rows.some((row) => `${row.engine}` === "gradus")) columns.push(againstGradus(rows));
  return aligned(rows, columns);
}

/** Which engines have not what a workload needs, in one line for each; empty where all have. */
export function absent(rows: readonly Row[], engines: readonly AnyEngine[]): string {
  const names = [...new Set(rows.map(({ workload }) => workload))];
  const missing = (engine: AnyEngine): WorkloadName[] =>
    names.filter((name) => !rows.some((row) => row.workload === name && row.engine === engine));
  const lines = engines.map((engine) => ({ engine, not: missing(engine) })).filter(({ not }) => not.length > 0);
  return lines
    .map(
      ({ engine, not }) => `${engine} does not play ${not.join(", ")}: not written for it here, or not with its losses`,
    )
    .join("\n");
}
