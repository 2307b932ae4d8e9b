// What a race decides, as numbers: draws that cover a range once for each copy, when its rules look, and who follows whom.

import { describe, expect, test } from "vitest";
import { jittered, spreadOver, uniform } from "../../src/cohort/draw.ts";
import { halving, population } from "../../src/cohort/rule.ts";
import { tablesOf } from "../../src/cohort/table.ts";

describe("draws", () => {
  test("each copy has a part of a range to itself, on a scale of logarithms", () => {
    for (const seed of [0, 1, 2 ** 32 - 1]) {
      const rates = spreadOver([1e-4, 1], 8, seed, 0);
      const parts = rates.map((rate) => Math.floor(Math.log10(rate / 1e-4) * 2));
      expect(parts.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(spreadOver([1e-4, 1], 8, seed, 0)).toEqual(rates);
      expect(spreadOver([1e-4, 1], 8, seed, 1)).not.toEqual(rates);
    }
  });

  test("words that differ in one place give numbers that know nothing of each other", () => {
    const pairs = Array.from({ length: 4000 }, (_, i) => [uniform(7, i), uniform(7, i + 1)] as const);
    const mean = pairs.reduce((sum, [a]) => sum + a, 0) / pairs.length;
    const product = pairs.reduce((sum, [a, b]) => sum + (a - 0.5) * (b - 0.5), 0) / pairs.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.015); // three deviations of a mean of 4,000
    expect(Math.abs(product)).toBeLessThan(0.004);
  });

  test("a jittered rate stays within the factor, on both sides", () => {
    const factors = Array.from({ length: 500 }, (_, i) => jittered(1.5, 3, i));
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(1 / 1.5);
    expect(Math.max(...factors)).toBeLessThanOrEqual(1.5);
    expect(factors.filter((factor) => factor < 1).length / 500).toBeCloseTo(0.5, 1);
    expect(jittered(1, 3, 4)).toBe(1);
  });

  test("later patterns stay later, and what is no range is alike in all copies", () => {
    const { groups, tableOf } = tablesOf({ "**": [1e-3, 1e-1], stem: { multiplier: 0.5 }, head: [1e-2, 1] }, 4, 6);
    expect(groups.map(({ pattern }) => pattern)).toEqual(["**", "head"]);
    const tables = [0, 1, 2, 3].map((k) => tableOf(k) as unknown as [string, unknown][]);
    for (const table of tables) {
      expect(table.map(([pattern]) => pattern)).toEqual(["**", "stem", "head"]);
      expect(table[1]?.[1]).toEqual({ multiplier: 0.5 });
    }
    expect(new Set(tables.map((table) => table[2]?.[1])).size).toBe(4);
  });
});

describe("halving", () => {
  test("looks as often as copies can be halved, at equal distances, or when it is told to", () => {
    expect(halving().rungs(100, 8)).toEqual([25, 50, 75]);
    expect(halving().rungs(100, 5)).toEqual([25, 50, 75]);
    expect(halving({ rungs: 1 }).rungs(9, 8)).toEqual([5]);
    expect(halving({ rungs: [10, 40] }).rungs(100, 8)).toEqual([10, 40]);
    expect(() => halving({ rungs: [10, 10] }).rungs(100, 8)).toThrow(/a rung is at step 10/);
    expect(() => halving().rungs(3, 8)).toThrow(/3 rungs do not fit between 3 steps/);
    expect(() => halving({ jitter: 0.9 })).toThrow(/jitter is 0.9/);
  });

  test("the worst follows the best, the next the next, and nobody follows who follows or is out", () => {
    const { decide } = halving();
    expect(decide([4, 2, 0, 1, 3], 5)).toEqual({
      follow: [
        { from: 4, to: 3 },
        { from: 2, to: 1 },
      ],
      rest: [],
    });
    expect(decide([4, 2, 0, 1], 1)).toEqual({ follow: [1, 0, 2].map((to) => ({ from: 4, to })), rest: [] });
    expect(decide([4], 1)).toEqual({ follow: [], rest: [] });
    expect(halving({ losers: "rest" }).decide([4, 2, 0, 1, 3], 5)).toEqual({ follow: [], rest: [3, 1] });
  });
});

describe("population", () => {
  test("looks every so many steps, the end left out", () => {
    expect(population({ every: 25 }).rungs(100, 8)).toEqual([25, 50, 75]);
    expect(population({ every: 30 }).rungs(100, 8)).toEqual([30, 60, 90]);
    expect(() => population({ every: 100 }).rungs(100, 8)).toThrow(/every 100 steps, and the race has 100/);
    expect(() => population({ every: 3, part: 1 })).toThrow(/part is 1, it must be between 0 and 1/);
  });

  test("the worst part, and whoever is out, follows the best one", () => {
    const { decide } = population({ every: 1 });
    expect(decide([5, 1, 2, 3, 4, 0, 6, 7], 8).follow).toEqual([7, 6].map((to) => ({ from: 5, to })));
    expect(decide([5, 1, 2, 3, 4, 0, 6, 7], 5).follow).toEqual([7, 6, 0].map((to) => ({ from: 5, to })));
  });
});
