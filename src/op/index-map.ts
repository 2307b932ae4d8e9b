// Where a number stands in memory, as WGSL, from its place in a count through some axes of a shape: how operands are repeated along
// axes that they have not, how sums walk along axes, and where numbers come from that only move. Neighbouring axes are one where both
// go on in step, so that the plain cases cost what they should: the same shape `at`, the last axis `at % N`, a number per row `at / N`,
// a single number `0u`.

import { size } from "./tensor.ts";

/** Which places along an axis of the count stand in memory: from `before` on each `every`-th, and so `many`. */
export interface Window {
  readonly before: number;
  readonly every: number;
  readonly many: number;
}

/** An axis of the count: how long it is, and how far apart its neighbours, those in the window, stand in memory. */
export interface Axis {
  readonly length: number;
  /** 0 where it is repeated, below 0 where it is reversed. */
  readonly to: number;
  readonly window?: Window | undefined;
}

/** Axes that are one, and how far apart neighbours are in the count. */
interface Run extends Axis {
  readonly from: number;
}

export interface IndexMap {
  /** The slowest first. */
  readonly runs: readonly Run[];
  /** How far the count goes. */
  readonly count: number;
  /** Where its first number stands in memory. */
  readonly first: number;
}

/** The map of a count through these axes, the slowest first. */
export function mapOf(axes: readonly Axis[], first = 0): IndexMap {
  const runs: Run[] = [];
  let from = 1;
  for (const { length, to, window } of [...axes].reverse()) {
    const [run] = runs;
    const goesOn = run !== undefined && run.from * run.length === from && run.to * run.length === to;
    if (window !== undefined) runs.unshift({ length, from, to, window });
    else if (goesOn && run.window === undefined) runs[0] = { ...run, length: run.length * length };
    else if (length > 1 && to !== 0) runs.unshift({ length, from, to });
    from *= length;
  }
  return { runs, count: from, first };
}

type Axes = (axis: number) => boolean;

/** The count goes through the axes of `shape` that are `counted`; memory holds those that are `stored`. */
export function indexMap(shape: readonly number[], counted: Axes, stored: Axes): IndexMap {
  const axes = shape.map((length, axis) => {
    const behind = shape.filter((_, other) => other > axis && stored(other));
    return { length, to: stored(axis) ? size(behind) : 0 };
  });
  return mapOf(axes.filter((_, axis) => counted(axis)));
}

/** How far apart neighbours along each axis of a shape stand in memory. */
export const strides = (shape: readonly number[]): number[] => shape.map((_, axis) => size(shape.slice(axis + 1)));

/** The shape to which all of these are repeated, as in NumPy: they end together, and 1 goes with any length. Undefined where there is none. */
export function broadcast(shapes: readonly (readonly number[])[]): readonly number[] | undefined {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const lengths = Array.from({ length: rank }, (_, i) => shapes.map((shape) => shape.at(i - rank) ?? 1));
  const whole = lengths.map((all) => Math.max(...all));
  return lengths.every((all, i) => all.every((length) => length === 1 || length === whole[i])) ? whole : undefined;
}

/** Where the numbers of an operand stand that is repeated to `shape`. */
export const repeated = (operand: readonly number[], shape: readonly number[]): IndexMap =>
  indexMap(
    shape,
    () => true,
    (axis) => operand[axis - shape.length + operand.length] === shape[axis],
  );

/** The place along an axis, from an expression for the place in the count. */
function digitOf({ from, length }: Run, count: number, at: string): string {
  const digit = from === 1 ? at : `${at} / ${from}u`;
  return from * length === count ? digit : `${digit} % ${length}u`;
}

/** The place in memory, from an expression for the place in the count; where that is inside. */
export function placeOf({ runs, count, first }: IndexMap, at: string): string {
  const terms = runs.map((run) => {
    const digit = digitOf(run, count, at);
    const { before, every } = run.window ?? { before: 0, every: 1 };
    const inside = before === 0 ? digit : `(${digit} - ${before}u)`;
    const own = every === 1 ? inside : `${inside} / ${every}u`;
    const far = Math.abs(run.to);
    return `${run.to < 0 ? "-" : "+"} ${far === 1 ? own : `${own} * ${far}u`}`;
  });
  const text = `${first === 0 ? "" : `${first}u `}${terms.join(" ")}`.replace(/^\+ /, "").trim();
  return text === "" ? "0u" : text;
}

/** Whether a place in the count stands in memory, as a condition; the empty string where each does. */
export const insideOf = ({ runs, count }: IndexMap, at: string): string =>
  runs
    .flatMap((run) => {
      if (run.window === undefined) return [];
      const { before, every, many } = run.window;
      const digit = digitOf(run, count, at);
      // What stands before the window is a very large number then.
      const inside = before === 0 ? digit : `(${digit} - ${before}u)`;
      return [`(${inside} < ${many * every}u)`, ...(every === 1 ? [] : [`(${inside} % ${every}u == 0)`])];
    })
    .join(" & ");
