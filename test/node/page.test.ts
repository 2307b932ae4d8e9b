// What the pages reckon on their own: layers in groups, and the random numbers of a run.

import { expect, test } from "vitest";
import { groupedRows, groupedStats } from "../../demo/page/layer-groups.ts";
import { normals, permutation, uniforms } from "../../demo/random.ts";
import type { LayerRow } from "../../src/index.ts";

const row = (name: string, parameterCount: number, state: string, base: number) =>
  ({ name, parameterCount, state, base }) as unknown as LayerRow;

test("a group has the parameters of its layers, and is active where one of them is", () => {
  const rows = [row("a.x", 3, "frozen", 1), row("a.y.z", 4, "active", 2), row("b", 5, "frozen", 3)];
  expect(groupedRows(rows)).toMatchObject([
    { name: "a", parameterCount: 7, state: "active", base: 2 },
    { name: "b", parameterCount: 5, state: "frozen", base: 3 },
  ]);
});

test("lengths of a group are those of its numbers in one vector", () => {
  const seen = (name: string, gradient: number, weight: number, ratio: number, nonFinite: number) =>
    ({ name, gradient, weight, ratio, nonFinite, lr: 0.1, scale: 1 }) as const;
  const { step, layers } = groupedStats({
    step: 9,
    layers: [seen("a.x", 3, 6, 0.5, 1), seen("b", 1, 0, 0, 0), seen("a.y", 4, 8, 0.5, 2)],
  });
  expect(step).toBe(9);
  // Steps of length 3 and 4 over weights of length 6 and 8.
  expect(layers).toMatchObject([
    { name: "a", gradient: 5, weight: 10, ratio: 0.5, nonFinite: 3 },
    { name: "b", gradient: 1, weight: 0, ratio: 0, nonFinite: 0 },
  ]);
});

test("random numbers are decided by their text", () => {
  const [one, same, other] = [normals(4000, "noise 1"), normals(4000, "noise 1"), normals(4000, "noise 2")];
  expect(one).toEqual(same);
  expect(one).not.toEqual(other);
  const mean = one.reduce((sum, value) => sum + value, 0) / one.length;
  const variance = one.reduce((sum, value) => sum + (value - mean) ** 2, 0) / one.length;
  expect(Math.abs(mean)).toBeLessThan(0.05); // three deviations of the mean of 4,000
  expect(Math.abs(variance - 1)).toBeLessThan(0.07);
  const next = uniforms("x");
  const tenths = new Set(Array.from({ length: 200 }, () => Math.floor(10 * next())));
  expect([...tenths].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...permutation(50, "a")].sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
  expect(permutation(50, "a")).not.toEqual(permutation(50, "b"));
});
