// How far a kernel may be from the truth, and what to say where it is farther. The truth is the twin in f64; the yardstick
// is the same twin in sequential f32. Only the largest error of a tensor counts, relative to its own size, so that zeros
// in the place of small gradients cannot pass.

export interface Comparison {
  readonly name: string;
  readonly shape: readonly number[];
  readonly got: ArrayLike<number>;
  readonly expected: Float64Array;
  /** What a sequential f32 computation gives. Absent for whole numbers, which must be equal. */
  readonly sequential?: Float64Array | undefined;
}

/** Steps of f32 relative to the largest number, beside four times the error of the sequential computation. */
const STEPS = 4;
const STEP = 2 ** -23;

/** The error that is allowed. */
export function allowance(expected: Float64Array, sequential: Float64Array): number {
  let largest = 0;
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(expected[i])) continue;
    largest = Math.max(largest, Math.abs(expected[i]!));
    error = Math.max(error, Math.abs(sequential[i]! - expected[i]!));
  }
  return 4 * error + STEPS * STEP * largest;
}

/** The largest error, relative to the largest number of the truth, and as a part of what is allowed: 0 where both are 0. */
export function distance({ got, expected, sequential }: Comparison): {
  readonly error: number;
  readonly share: number;
} {
  const allowed = sequential === undefined ? 0 : allowance(expected, sequential);
  let largest = 0;
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(expected[i])) continue;
    largest = Math.max(largest, Math.abs(expected[i]!));
    error = Math.max(error, Math.abs(got[i]! - expected[i]!));
  }
  return { error: error === 0 ? 0 : error / largest, share: error === 0 ? 0 : error / allowed };
}

/** What is wrong, with name, shape, worst errors and the first wrong places; undefined where all is right. */
export function complaint({ name, shape, got, expected, sequential }: Comparison): string | undefined {
  if (got.length !== expected.length) return `${name}: ${got.length} numbers came, ${expected.length} were expected.`;
  const allowed = sequential === undefined ? 0 : allowance(expected, sequential);
  const wrong: number[] = [];
  let absolute = 0;
  let relative = 0;
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i]! - expected[i]!);
    // Where the truth is no number, nothing else will do.
    if (error <= allowed || Object.is(got[i], expected[i])) continue;
    wrong.push(i);
    // NaN counts as infinitely wrong.
    absolute = Math.max(absolute, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    relative = Math.max(relative, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / Math.abs(expected[i]!));
  }
  if (wrong.length === 0) return undefined;
  const places = wrong.slice(0, 4).map((i) => `  [${coordinates(i, shape)}] is ${got[i]}, expected ${expected[i]}`);
  return [
    `${name} [${shape}]: ${wrong.length} of ${got.length} numbers are wrong by more than ${allowed.toExponential(2)}; ` +
      `worst absolute error ${absolute.toExponential(2)}, worst relative error ${relative.toExponential(2)}. First:`,
    ...places,
  ].join("\n");
}

function coordinates(i: number, shape: readonly number[]): number[] {
  let rest = i;
  return [...shape]
    .reverse()
    .map((length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    })
    .reverse();
}
