// What the finder suggests from a sweep: curves whose answers are known, and the smoothing.

import { expect, test } from "vitest";
import { rateOfTry, smoothed, suggestRates } from "../../src/optim/find-rate.ts";

const rates = Array.from({ length: 100 }, (_, i) => rateOfTry(1e-7, 10, i, 100));

test("rates rise from the first to the last in equal ratios", () => {
  expect(rates[0]).toBe(1e-7);
  expect(rates[99]).toBeCloseTo(10, 12);
  for (let i = 1; i < 100; i++)
    expect((rates[i] as number) / (rates[i - 1] as number)).toBeCloseTo(1e8 ** (1 / 99), 12);
  expect(rateOfTry(0.5, 10, 0, 1)).toBe(0.5);
});

test("smoothing leaves a constant alone, and starts without bias", () => {
  for (const loss of smoothed(new Array(50).fill(2.3))) expect(loss).toBeCloseTo(2.3, 12);
  const [first, second] = smoothed([4, 2]) as [number, number];
  expect(first).toBeCloseTo(4, 12);
  expect(second).toBeCloseTo((0.98 * 4 + 2) / 1.98, 12);
});

test("a flat start, a fall from try 40 to 70, and a rise: each suggestion where it belongs", () => {
  const losses = rates.map((_, i) =>
    i < 40 ? 2.3 + 1e-6 * i : i <= 70 ? 2.3 - (i - 40) * 0.06 : 0.5 + (i - 70) ** 2 * 0.05,
  );
  const { valley, steep, minimum, slide } = suggestRates(rates, losses);
  const tryOf = (rate: number): number => Math.round((99 * Math.log(rate / 1e-7)) / Math.log(1e8));
  // 32 falling losses, one of the flat and those of tries 40 to 70, which is 60 with the first ten left out.
  expect(tryOf(valley)).toBe(60 - 32 + Math.floor(32 / 3) + Math.floor(32 / 6) + 10);
  expect(tryOf(steep)).toBeGreaterThanOrEqual(40);
  expect(tryOf(steep)).toBeLessThan(70);
  expect(tryOf(minimum * 10)).toBe(70);
  expect(tryOf(slide)).toBeLessThan(70);
});

test("too few tries suggest nothing", () => {
  expect(suggestRates([1, 2, 3], [1, 2, 3]).valley).toBeNaN();
});
