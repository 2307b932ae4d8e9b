// The ridge that frozen features are judged by, where its answer can be written down.

import { expect, test } from "vitest";
import { accuracyOf, ridge, solve } from "../reference/ridge.ts";

test("of one feature, the slope is the product of the deviations over their squares and the strength", () => {
  // Deviations -2, -1, 0, 3 and, of class 1, -1/2, -1/2, 1/2, 1/2: product 3, squares 14.
  const at = { x: [1, 2, 3, 6], labels: [0, 0, 1, 1] };
  for (const strength of [0, 1, 100]) {
    const [scores] = ridge(at, 2, [strength]);
    const slope = 3 / (14 + strength);
    const [zero, one] = scores!([3 + 2]);
    expect(one).toBeCloseTo(0.5 + 2 * slope, 12);
    expect(zero).toBeCloseTo(0.5 - 2 * slope, 12);
  }
});

test("of two features that go together, the slopes are those of the inverse of two by two", () => {
  // Columns -1, 0, 1, 0 and -1, -1, 1, 1: sums 2, 2 and 4; with class 1 the products are 1 and 2.
  const at = { x: [-1, -1, 0, -1, 1, 1, 0, 1], labels: [0, 0, 1, 1] };
  const [scores] = ridge(at, 2, [3]);
  const determinant = (2 + 3) * (4 + 3) - 2 * 2;
  const slopes = [(7 * 1 - 2 * 2) / determinant, (5 * 2 - 2 * 1) / determinant];
  expect(scores!([1, 0])[1]).toBeCloseTo(0.5 + slopes[0]!, 12);
  expect(scores!([0, 1])[1]).toBeCloseTo(0.5 + slopes[1]!, 12);
});

test("a row is hit where its own class has the highest score", () => {
  const [scores] = ridge({ x: [1, 2, 3, 6], labels: [0, 0, 1, 1] }, 2, [1]);
  expect(accuracyOf(scores!, { x: [0, 1, 5, 7], labels: [0, 1, 1, 1] })).toBe(0.75);
});

test("a matrix that is not positive definite is refused at the row where it shows", () => {
  expect(() => solve(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1), 2)).toThrow("row 1 of 2 has the pivot -3");
});
