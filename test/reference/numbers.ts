// Test numbers: pure functions of a count and a stream's key, all representable in f32.

import { normal, permutation, type Stream, uniform } from "../../src/random.ts";

export type Fill = (count: number, key: Stream | number) => Float64Array;

const filled =
  (value: (key: Stream | number, i: number) => number): Fill =>
  (count, key) =>
    Float64Array.from({ length: count }, (_, i) => Math.fround(value(key, i)));

/** Normal with deviation 1. */
export const normals = filled(normal);

/** Uniform between two numbers. */
export const between = (low: number, high: number): Fill => filled((key, i) => low + (high - low) * uniform(key, i));

/** Whole numbers from 0 to below `end`. */
export const below = (end: number): Fill => filled((key, i) => Math.floor(uniform(key, i) * end));

/** Few different values, so that many are equal. */
export const coarse = filled((key, i) => Math.round(2 * normal(key, i)) / 2);

/** No two are near each other and none is near 0, so that no small change crosses a kink. */
export const apart: Fill = (count, key) =>
  Float64Array.from(permutation(count, key), (place) => Math.fround(((place - (count >> 1) + 0.5) * 4) / count));

/** The lowest f32 throughout. */
export const lowest: Fill = (count) => new Float64Array(count).fill(-3.4028234663852886e38);

/** Cheap, for very long tensors. */
export const cycle: Fill = (count) => {
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = ((i * 7) % 1021) - 510;
  return numbers;
};

/** Every seventh number is NaN. */
export const holed =
  (fill: Fill = normals): Fill =>
  (count, key) =>
    fill(count, key).map((value, i) => (i % 7 === 6 ? Number.NaN : value));

/** The last numbers are NaN. */
export const torn =
  (from: number): Fill =>
  (count, key) =>
    normals(count, key).map((value, i) => (i >= from ? Number.NaN : value));

/** A third of the numbers are infinite, of either sign, so that sums of them are NaN with the sign bit that the device likes. */
export const endless: Fill = (count, key) =>
  normals(count, key).map((value, i) => (i % 3 === 0 ? Math.sign(value) * Number.POSITIVE_INFINITY : value));
