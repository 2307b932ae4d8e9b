// Where a number stands in memory, as WGSL, from its place in a count through some axes of a shape: how operands are repeated along
// axes that they have not, and how sums walk along axes. Neighbouring axes are one where both go on in step, so that the plain
// cases cost what they should: the same shape `at`, the last axis `at % N`, a number per row `at / N`, a single number `0u`.

/** Axes that are one: how long they are, and how far apart neighbours are in the count and in memory. */
interface Run {
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

export interface IndexMap {
  /** The slowest first. */
  readonly runs: readonly Run[];
  /** How far the count goes. */
  readonly count: number;
}

type Axes = (axis: number) => boolean;

/** The count goes through the axes of `shape` that are `counted`; memory holds those that are `stored`. */
export function indexMap(shape: readonly number[], counted: Axes, stored: Axes): IndexMap {
  const runs: Run[] = [];
  let [from, to] = [1, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number;
    const [run] = runs;
    if (length > 1 && counted(axis) && stored(axis)) {
      const goesOn = run !== undefined && run.from * run.length === from && run.to * run.length === to;
      if (goesOn) runs[0] = { ...run, length: run.length * length };
      else runs.unshift({ length, from, to });
    }
    if (counted(axis)) from *= length;
    if (stored(axis)) to *= length;
  }
  return { runs, count: from };
}

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

/** The place in memory, from an expression for the place in the count. */
export function placeOf({ runs, count }: IndexMap, at: string): string {
  const terms = runs.map(({ length, from, to }) => {
    const digit = from === 1 ? at : `${at} / ${from}u`;
    const own = from * length === count ? digit : `${digit} % ${length}u`;
    return to === 1 ? own : `${own} * ${to}u`;
  });
  return terms.length === 0 ? "0u" : terms.join(" + ");
}
