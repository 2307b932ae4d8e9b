// What the benchmark reports: a row per workload and engine, as plain data for --json and as a table to read.

import type { Counts } from "../../demo/train/count.ts";
import { aligned, type Column, digits } from "./columns.ts";
import type { EngineName } from "./engine.ts";
import { type Roof, type RoofRow, roofline } from "./roofline/roof.ts";
import type { Work } from "./roofline/work.ts";
import type { Workload } from "./workload.ts";

export interface Row {
  readonly workload: Workload["name"];
  readonly engine: EngineName;
  readonly backend: string;
  /** Milliseconds per step: median, fastest and slowest of the timed blocks. */
  readonly msMedian: number;
  readonly msMin: number;
  readonly msMax: number;
  readonly perStep: Counts;
  /** What each dispatch of a step has to do, where the engine tells. */
  readonly works?: readonly Work[];
  /** Milliseconds below which the adapter cannot do that, with the submits that were counted. */
  readonly msRoofline?: number;
}

export interface Report {
  readonly date: string;
  readonly commit: string;
  readonly browser: string;
  readonly adapter: string;
  readonly roofline: readonly RoofRow[];
  readonly rows: readonly Row[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] as number;
  const half = (sorted.length - 1) / 2;
  return (at(Math.floor(half)) + at(Math.ceil(half))) / 2;
}

const count = (value: number): string => (Number.isInteger(value) ? `${value}` : value.toFixed(1));

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
    : { ...row, msRoofline: roofline(row.works, roof, row.perStep.submits) };

/** The rows as aligned text, with a last column of ratios where Gradus takes part. */
export function table(rows: readonly Row[]): string {
  const columns: Column<Row>[] = [
    { title: "workload", cell: (row) => row.workload, words: true },
    { title: "engine", cell: (row) => row.engine, words: true },
    { title: "backend", cell: (row) => row.backend, words: true },
    { title: "ms/step", cell: (row) => digits(row.msMedian) },
    { title: "[min-max]", cell: (row) => `[${digits(row.msMin)}-${digits(row.msMax)}]` },
    { title: "dispatches", cell: (row) => count(row.perStep.dispatches) },
    { title: "submits", cell: (row) => count(row.perStep.submits) },
    { title: "buffers", cell: (row) => count(row.perStep.createBuffer) },
    { title: "bind groups", cell: (row) => count(row.perStep.createBindGroup) },
  ];
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
