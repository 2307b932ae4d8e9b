// Random numbers: pure functions of stream and place, uniform or normal as they promise, and shuffles that lose nothing.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normal, permutation, stream, uniform, word } from "../../src/random.ts";

const key = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Pearson's statistic of counts that should all be equal; close to the number of counts, with deviation sqrt(2 n). */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

const expectEven = (counts: readonly number[]): void =>
  expect(unevenness(counts)).toBeLessThan(counts.length + 5 * Math.sqrt(2 * counts.length));

describe("streams", () => {
  test("are fixed for all time: other numbers would be other trainings", () => {
    expect([stream(0, "head.weight"), stream(1, "head.weight"), stream(0, "epoch 1")]).toMatchInlineSnapshot(`
      [
        3656392417,
        2995805199,
        1765854040,
      ]
    `);
    expect([0, 1, 2].map((i) => word(stream(7, "x"), i))).toMatchInlineSnapshot(`
      [
        1691971436,
        523400455,
        676068083,
      ]
    `);
  });

  test("differ by seed and by word", () => {
    const keys = Array.from({ length: 50 }, (_, seed) =>
      Array.from({ length: 50 }, (_, i) => stream(seed, `tensor ${i}`)),
    );
    expect(new Set(keys.flat()).size).toBe(2500);
  });

  test("of neighbouring keys have nothing to do with one another", () => {
    const n = 4000;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (uniform(1, i) - 0.5) * (uniform(2, i) - 0.5);
    expect(Math.abs(sum / n) * 12).toBeLessThan(5 / Math.sqrt(n));
  });
});

describe("uniform", () => {
  test("is in [0, 1)", () => {
    fc.assert(
      fc.property(key, fc.nat(), (k, i) => {
        const value = uniform(k, i);
        expect(value >= 0 && value < 1).toBe(true);
      }),
    );
  });

  test("falls into all parts alike, also by pairs", () => {
    const counts = Array<number>(64).fill(0);
    const pairs = Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) {
      const [a, b] = [uniform(stream(3, "x"), i), uniform(stream(3, "x"), i + 1)];
      counts[Math.floor(a * 64)]!++;
      pairs[8 * Math.floor(a * 8) + Math.floor(b * 8)]!++;
    }
    expectEven(counts);
    expectEven(pairs);
  });
});

describe("normal", () => {
  test("has mean 0, deviation 1, no skew and the kurtosis of a normal distribution", () => {
    const n = 50_000;
    const moments = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const value = normal(stream(5, "n"), i);
      for (let power = 1; power <= 4; power++) moments[power - 1]! += value ** power / n;
    }
    const spread = 5 / Math.sqrt(n);
    const [mean, square, cube, fourth] = moments as [number, number, number, number];
    expect(Math.abs(mean)).toBeLessThan(spread);
    expect(Math.abs(square - 1)).toBeLessThan(spread * Math.sqrt(2));
    expect(Math.abs(cube)).toBeLessThan(spread * Math.sqrt(15));
    expect(Math.abs(fourth - 3)).toBeLessThan(spread * Math.sqrt(96));
  });

  test("is finite for every key", () => {
    fc.assert(fc.property(key, fc.nat(), (k, i) => Number.isFinite(normal(k, i))));
  });
});

describe("permutation", () => {
  test("holds every number once", () => {
    fc.assert(
      fc.property(fc.nat(300), key, (count, k) => {
        const order = permutation(count, k);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  test("is the same for the same key and another for another", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(permutation(50, a)).toEqual(permutation(50, a));
        if (a !== b) expect(permutation(50, a)).not.toEqual(permutation(50, b));
      }),
    );
  });

  test("puts every number in every place alike", () => {
    const size = 8;
    const counts = Array<number>(size * size).fill(0);
    for (let k = 0; k < 8000; k++) {
      for (const [place, value] of permutation(size, stream(k, "epoch 0")).entries()) counts[size * place + value]!++;
    }
    expectEven(counts);
  });

  test("gives each order of four alike", () => {
    const counts = new Map<string, number>();
    for (let k = 0; k < 24_000; k++) {
      const order = permutation(4, stream(1, `epoch ${k}`)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expectEven([...counts.values()]);
  });
});
