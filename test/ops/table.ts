// What tests told of ops -> a row for each op, and what is missing of it.

import type { Told } from "./told.ts";

export interface Row {
  readonly op: string;
  readonly kernel: string;
  readonly back: boolean;
  readonly texts: number;
  readonly shapes: number;
  readonly cases: number;
  /** Largest error on the GPU, relative to the largest number; null without a kernel. */
  readonly error: number | null;
  /** As a part of what is allowed. */
  readonly share: number | null;
  readonly gradients: number;
  /** Largest error of the gradient; null without a way back. */
  readonly gradient: number | null;
  readonly failed: number;
  /** In words; empty where all was tried. */
  readonly missing: readonly string[];
}

export interface Test {
  readonly told: Told;
  readonly passed: boolean;
}

const most = (values: readonly (number | undefined)[]): number | null =>
  values.reduce<number | null>(
    (largest, value) => (value === undefined ? largest : Math.max(largest ?? 0, value)),
    null,
  );

/** A row for each op, by name. */
export function tableOf(tests: readonly Test[]): Row[] {
  const names = [...new Set(tests.map(({ told }) => told.op))].sort();
  return names.map((op) =>
    rowOf(
      op,
      tests.filter(({ told }) => told.op === op),
    ),
  );
}

function rowOf(op: string, tests: readonly Test[]): Row {
  const told = tests.map((one) => one.told);
  const kernel = told.find((one) => one.kernel !== undefined)?.kernel ?? "unknown";
  const back = told.some((one) => one.back === true);
  const onGpu = told.filter((one) => one.texts !== undefined);
  const gradients = told.filter((one) => one.gradient !== undefined);
  const row = {
    op,
    kernel,
    back,
    texts: new Set(onGpu.flatMap(({ texts = [] }) => texts)).size,
    shapes: told.reduce((sum, { shapes = 0 }) => sum + shapes, 0),
    cases: onGpu.length,
    error: most(onGpu.map(({ error }) => error)),
    share: most(onGpu.map(({ share }) => share)),
    gradients: gradients.length,
    gradient: most(gradients.map(({ gradient }) => gradient)),
    failed: tests.filter(({ passed }) => !passed).length,
  };
  const missing = [
    ...(kernel === "unknown" ? ["its place among the ops"] : []),
    ...(kernel !== VIEW && row.cases === 0 ? ["cases on the GPU"] : []),
    ...(kernel !== VIEW && row.shapes === 0 ? ["shapes"] : []),
    ...(back && row.gradients === 0 ? ["a check of its gradient"] : []),
  ];
  return { ...row, missing };
}

/** In the place of a kernel, where an op only sees numbers in another shape. */
export const VIEW = "a view";

const digits = (value: number | null): string => (value === null ? "-" : value === 0 ? "0" : value.toExponential(1));

const columns: readonly (readonly [string, (row: Row) => string])[] = [
  ["op", ({ op }) => op],
  ["kernel", ({ kernel }) => kernel],
  ["texts", ({ texts }) => String(texts)],
  ["shapes", ({ shapes }) => String(shapes)],
  ["cases", ({ cases }) => String(cases)],
  ["error", ({ error }) => digits(error)],
  ["of allowed", ({ share }) => (share === null ? "-" : `${Math.ceil(100 * share)} %`)],
  ["gradient", ({ back, gradient }) => (back ? digits(gradient) : "none")],
  ["", ({ failed, missing }) => (failed > 0 ? `${failed} FAILED` : missing.length > 0 ? `MISSING: ${missing}` : "")],
];

/** Columns as wide as their widest word. */
export function printed(rows: readonly Row[]): string {
  const words = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, word]) => word(row)))];
  const widths = columns.map((_, i) => Math.max(...words.map((line) => (line[i] as string).length)));
  const lines = words.map((line) =>
    line
      .map((word, i) => word.padEnd(widths[i] as number))
      .join("  ")
      .trimEnd(),
  );
  return lines.join("\n");
}

export const isWhole = ({ failed, missing }: Row): boolean => failed === 0 && missing.length === 0;

export function summary(rows: readonly Row[]): string {
  const sum = (of: (row: Row) => number) => rows.reduce((all, row) => all + of(row), 0).toLocaleString("en-US");
  const wrong = rows.filter((row) => !isWhole(row)).length;
  return `${rows.length} ops, ${sum(({ cases }) => cases)} cases on the GPU, ${sum(({ gradients }) => gradients)} gradients: ${wrong === 0 ? "nothing missing, nothing wrong" : `${wrong} with faults`}`;
}
