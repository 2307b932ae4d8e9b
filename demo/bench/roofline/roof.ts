// What an adapter gives, as rows of measured numbers, and the time below which work on it cannot come.

import { aligned, type Column, digits } from "../columns.ts";
import type { Work } from "./work.ts";

export interface RoofRow {
  /** What was measured: "multiply-add f32", "copy", "dispatch", "submit", "readback". */
  readonly kind: RoofKind;
  /** Which form of it. */
  readonly form: string;
  /** In `unit`: of the median block, and of the best and the worst. */
  readonly value: number;
  readonly best: number;
  readonly worst: number;
  readonly unit: "GFLOP/s" | "GB/s" | "us";
}

export const roofKinds = ["multiply-add f32", "multiply-add f16", "copy", "dispatch", "submit", "readback"] as const;
export type RoofKind = (typeof roofKinds)[number];

/** The rates and costs that a roofline is made of. */
export interface Roof {
  readonly gigaflops: number;
  readonly gigabytesPerSecond: number;
  readonly microsecondsPerDispatch: number;
  readonly microsecondsPerSubmit: number;
}

/** The best form of a kind, by its median. */
export function bestOf(rows: readonly RoofRow[], kind: RoofKind): RoofRow | undefined {
  const isBetter = (a: RoofRow, b: RoofRow): boolean => (a.unit === "us" ? a.value < b.value : a.value > b.value);
  return rows
    .filter((row) => row.kind === kind)
    .reduce<RoofRow | undefined>((best, row) => (best === undefined || isBetter(row, best) ? row : best), undefined);
}

export function roofOf(rows: readonly RoofRow[]): Roof {
  const best = (kind: RoofKind): number => bestOf(rows, kind)?.value ?? Number.NaN;
  return {
    gigaflops: best("multiply-add f32"),
    gigabytesPerSecond: best("copy"),
    microsecondsPerDispatch: best("dispatch"),
    microsecondsPerSubmit: best("submit"),
  };
}

/** Milliseconds that the arithmetic or the traffic of each dispatch takes, whichever is more, and all dispatches and submits. */
export function roofline(works: readonly Work[], roof: Roof, submits = 1): number {
  const { gigaflops, gigabytesPerSecond, microsecondsPerDispatch, microsecondsPerSubmit } = roof;
  const at = ({ operations, bytes, runs }: Work): number =>
    Math.max(operations / gigaflops, bytes / gigabytesPerSecond) / 1e6 + (runs * microsecondsPerDispatch) / 1e3;
  return works.reduce((sum, work) => sum + at(work), (submits * microsecondsPerSubmit) / 1e3);
}

const columns: readonly Column<RoofRow>[] = [
  { title: "roofline", cell: ({ kind }) => kind, words: true },
  { title: "form", cell: ({ form }) => form, words: true },
  { title: "median", cell: ({ value }) => digits(value) },
  { title: "[best-worst]", cell: ({ best, worst }) => `[${digits(best)}-${digits(worst)}]` },
  { title: "unit", cell: ({ unit }) => unit, words: true },
];

export const roofTable = (rows: readonly RoofRow[]): string => aligned(rows, columns);
