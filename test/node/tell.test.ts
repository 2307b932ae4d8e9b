// Predictions as probabilities and as classes: along the last axis, with equal numbers, large ones and NaN.

import { expect, test } from "vitest";
import { tellingOf } from "../../src/network/tell.ts";

const output = { shape: [2, 2, 3], data: Float32Array.of(1, 3, 3, -1000, 0, 1000, 0, Number.NaN, 1, 2, 1, 0) };

test("the largest, the first of equals; none where there is NaN", () => {
  const { shape, data } = tellingOf("predict", { argmax: true }, [2, 3])(output);
  expect([shape, [...data]]).toEqual([
    [2, 2],
    [1, 2, Number.NaN, 0],
  ]);
});

test("softmax by rows, of large numbers too; NaN makes its row NaN", () => {
  const { shape, data } = tellingOf("predict", { activation: "softmax" }, [2, 3])(output);
  expect(shape).toEqual([2, 2, 3]);
  expect([...data.subarray(3, 9)]).toEqual([0, 0, 1, Number.NaN, Number.NaN, Number.NaN]);
  for (const row of [0, 3]) expect(data.subarray(row * 3, row * 3 + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
});

test("sigmoid by number; nothing is made where nothing is asked for", () => {
  const { data } = tellingOf("predict", { activation: "sigmoid" }, [2, 3])(output);
  expect([...data.subarray(3, 8)]).toEqual([0, 0.5, 1, 0.5, Number.NaN]);
  expect(tellingOf("predict", {}, [])(output)).toBe(output);
});
