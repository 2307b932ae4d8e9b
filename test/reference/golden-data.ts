// Check values of networks that others published: golden.json beside them, and the input that its rule makes.

export interface GoldenLayer {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
}

export interface Golden {
  readonly net: string;
  readonly input_shape: readonly number[];
  readonly output_shape: readonly number[];
  readonly output_sum: number;
  readonly output: readonly number[];
  readonly layers: readonly GoldenLayer[];
}

/** The input of the rule, scaled. */
export function ruleInput(shape: readonly number[], scaled: (x: number) => number = (x) => x): Float64Array {
  const length = shape.reduce((all, one) => all * one, 1);
  return Float64Array.from({ length }, (_, i) => scaled(((i * 7919) % 1009) / 1009));
}

/** Mean and standard deviation. */
export function moments(values: ArrayLike<number>): { readonly mean: number; readonly std: number } {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  const mean = sum / values.length;
  for (let i = 0; i < values.length; i++) squares += ((values[i] as number) - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length) };
}

/** The largest difference, as a part of the largest number. */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [largest, error] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i] as number));
    error = Math.max(error, Math.abs((got[i] as number) - (expected[i] as number)));
  }
  return error / largest;
}
