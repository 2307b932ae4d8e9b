// How a step grows with what it is made of: rows of one axis after the other, exponents fitted to them, and both as a table.

import { digits } from "./columns.ts";
import { median } from "./report.ts";

/** What grows, all else being equal. */
export const axes = ["depth", "width", "batch", "sequence"] as const;
export type Axis = (typeof axes)[number];

/** What it grows in, and what stays. */
export const axisTitles: Readonly<Record<Axis, string>> = {
  depth: "layers of dense 64 and relu, batch 32",
  width: "numbers between four layers, batch 32",
  batch: "samples for four layers of dense 64",
  sequence: "places of a Transformer block of 64 numbers and 4 heads, batch 4",
};

export interface ScaleRow {
  readonly axis: Axis;
  readonly size: number;
  /** Milliseconds of a step, block by block. */
  readonly ms: readonly number[];
  /** Microseconds of a step on the host, with a device that does nothing and at once, block by block. */
  readonly hostMicroseconds: readonly number[];
  /** Milliseconds of `compile` on the host alone: tracing, planning, recording. */
  readonly planMs: number;
  readonly dispatches: number;
  /** Of activations: what the plan takes, and what no plan is below. */
  readonly plannedBytes: number;
  readonly leastBytes: number;
}

export interface ScaleReport {
  readonly rows: readonly ScaleRow[];
  readonly exponents: readonly Exponents[];
}

/** That, and where. */
export interface ScaleNumbers extends ScaleReport {
  readonly date: string;
  readonly commit: string;
  readonly browser: string;
  readonly adapter: string;
}

/** The powers of a size that figures follow. */
export interface Exponents {
  readonly axis: Axis;
  readonly ms: number;
  readonly hostMicroseconds: number;
  readonly planMs: number;
  readonly plannedBytes: number;
}

/** The exponent e of y = c x^e that is the nearest in least squares of the logarithms; NaN of fewer than two sizes. */
export function exponentOf(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [middle, height] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const sum = (of: (x: number, y: number) => number): number =>
    logs.reduce((total, [x, y]) => total + of(x - middle, y - height), 0);
  return sum((x, y) => x * y) / sum((x) => x * x);
}

const figures = {
  ms: ({ ms }) => median(ms),
  hostMicroseconds: ({ hostMicroseconds }) => median(hostMicroseconds),
  planMs: ({ planMs }) => planMs,
  plannedBytes: ({ plannedBytes }) => plannedBytes,
} satisfies Readonly<Record<keyof Omit<Exponents, "axis">, (row: ScaleRow) => number>>;

/** Of each axis that has rows. */
export const exponentsOf = (rows: readonly ScaleRow[]): Exponents[] =>
  axes
    .map((axis) => ({ axis, own: rows.filter((row) => row.axis === axis) }))
    .filter(({ own }) => own.length > 0)
    .map(({ axis, own }) => {
      const fitted = Object.entries(figures).map(([name, of]) => [
        name,
        exponentOf(own.map((row) => [row.size, of(row)])),
      ]);
      return { axis, ...(Object.fromEntries(fitted) as Omit<Exponents, "axis">) };
    });

export const scaleTitles = ["ms a step", "host, us", "plan, ms", "dispatches", "planned", "of the least"];

const bytes = (value: number): string =>
  value < 2 ** 20 ? `${(value / 2 ** 10).toFixed(1)} kB` : `${(value / 2 ** 20).toFixed(1)} MB`;

/** The cells of a row under `scaleTitles`. */
export const scaleCells = (row: ScaleRow): string[] => [
  digits(figures.ms(row)),
  digits(figures.hostMicroseconds(row)),
  digits(row.planMs),
  `${row.dispatches}`,
  bytes(row.plannedBytes),
  row.leastBytes === 0 ? "" : (row.plannedBytes / row.leastBytes).toFixed(2),
];

/** The same of the exponents. */
export const exponentCells = (found: Exponents): string[] => {
  const power = (value: number): string => (Number.isFinite(value) ? `^${value.toFixed(2)}` : "");
  return [
    ...[power(found.ms), power(found.hostMicroseconds), power(found.planMs), ""],
    ...[power(found.plannedBytes), ""],
  ];
};
