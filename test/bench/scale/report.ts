// What the benchmark of scale asks for, and how it prints what comes back.

import { aligned } from "../../../demo/bench/columns.ts";
import {
  type Axis,
  axes,
  exponentCells,
  exponentsOf,
  type ScaleRow,
  scaleCells,
  scaleTitles,
} from "../../../demo/bench/scale.ts";

const powers = (from: number, to: number, factor = 2): number[] => {
  const found: number[] = [];
  for (let size = from; size <= to; size *= factor) found.push(size);
  return found;
};

/** The sizes of each axis, and how often each is timed. */
export const scaleSizes = {
  full: {
    sizes: { depth: powers(1, 512), width: powers(16, 1024), batch: powers(1, 1024), sequence: powers(16, 512) },
    rounds: 5,
  },
  quick: { sizes: { depth: [1, 8, 64], width: [16, 64], batch: [1, 32], sequence: [16, 64] }, rounds: 3 },
} as const satisfies Readonly<
  Record<string, { readonly sizes: Readonly<Record<Axis, readonly number[]>>; readonly rounds: number }>
>;

/** The rows as aligned text, and behind those of an axis the exponents that were fitted to them. */
export function scaleTable(rows: readonly ScaleRow[]): string {
  const exponents = exponentsOf(rows);
  const lines = axes.flatMap((axis) => {
    const own = rows.filter((row) => row.axis === axis);
    const found = exponents.find((one) => one.axis === axis);
    return [
      ...own.map((row) => [axis, `${row.size}`, ...scaleCells(row)]),
      ...(found !== undefined && own.length > 1 ? [[axis, "exponent", ...exponentCells(found)]] : []),
    ];
  });
  return aligned(
    lines,
    ["axis", "size", ...scaleTitles].map((title, i) => ({
      title,
      cell: (cells: readonly string[]) => cells[i] ?? "",
      ...(i === 0 && { words: true }),
    })),
  );
}
