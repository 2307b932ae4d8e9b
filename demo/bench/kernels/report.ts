// What is told of kernels that are timed alone: a row for each case and engine, beside the roofline.

import { aligned, type Column, digits } from "../columns.ts";
import { type Roof, roofline } from "../roofline/roof.ts";
import type { Work } from "../roofline/work.ts";
import type { KernelName } from "./names.ts";

export const kernelEngines = ["gradus", "tfjs", "jax-js"] as const;
export type KernelEngine = (typeof kernelEngines)[number];

export interface KernelRow {
  readonly kernel: KernelName;
  readonly form: string;
  readonly engine: KernelEngine;
  /** Milliseconds a run: median, fastest and slowest of the timed blocks. */
  readonly msMedian: number;
  readonly msMin: number;
  readonly msMax: number;
  /** What Gradus's dispatches have to do, which others are held against too. */
  readonly works: readonly Work[];
  /** Milliseconds below which the adapter cannot do that; a submit counts for nothing, since many runs share one. */
  readonly msRoofline?: number;
  /** Shares of the measured peak of multiply-adds and of a copy's bandwidth. */
  readonly ofPeak?: number;
  readonly ofCopy?: number;
}

const total = (works: readonly Work[], of: "operations" | "bytes"): number =>
  works.reduce((sum, work) => sum + work[of], 0);

/** A row beside the roofline. */
export const kernelBeneath = (row: KernelRow, roof: Roof | undefined): KernelRow =>
  roof === undefined
    ? row
    : {
        ...row,
        msRoofline: roofline(row.works, roof, 0),
        ofPeak: total(row.works, "operations") / row.msMedian / 1e6 / roof.gigaflops,
        ofCopy: total(row.works, "bytes") / row.msMedian / 1e6 / roof.gigabytesPerSecond,
      };

const percent = (value: number | undefined): string => (value === undefined ? "-" : `${(100 * value).toFixed(1)} %`);

/** Time relative to that of Gradus on the same case. */
function againstGradus(rows: readonly KernelRow[]): Column<KernelRow> {
  const own = new Map(rows.filter(({ engine }) => engine === "gradus").map((row) => [row.form, row.msMedian]));
  return {
    title: "vs gradus",
    cell: ({ form, msMedian }) => `${(msMedian / (own.get(form) ?? Number.NaN)).toFixed(2)}x`,
  };
}

export const kernelTable = (rows: readonly KernelRow[]): string =>
  aligned(rows, [
    { title: "kernel", cell: ({ kernel }) => kernel, words: true },
    { title: "form", cell: ({ form }) => form, words: true },
    { title: "engine", cell: ({ engine }) => engine, words: true },
    { title: "ms", cell: ({ msMedian }) => digits(msMedian) },
    { title: "[min-max]", cell: ({ msMin, msMax }) => `[${digits(msMin)}-${digits(msMax)}]` },
    { title: "GFLOP/s", cell: ({ works, msMedian }) => digits(total(works, "operations") / msMedian / 1e6) },
    { title: "of peak", cell: ({ ofPeak }) => percent(ofPeak) },
    { title: "GB/s", cell: ({ works, msMedian }) => digits(total(works, "bytes") / msMedian / 1e6) },
    { title: "of copy", cell: ({ ofCopy }) => percent(ofCopy) },
    {
      title: "over roofline",
      cell: ({ msMedian, msRoofline = Number.NaN }) => `${(msMedian / msRoofline).toFixed(2)}x`,
    },
    againstGradus(rows),
  ]);
