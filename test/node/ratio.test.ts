// The ratio of two builds' times and its interval: right on made times, blind to the blocks that other work spoils.

import { expect, test } from "vitest";
import { stream, uniform } from "../../src/random.ts";
import { ratioOf } from "../bench/against/ratio.ts";

/** Times about 1, with a spread of 10 %; in every seventh other work takes half of the machine. */
const times = (name: string, rounds: number): number[] =>
  Array.from({ length: rounds }, (_, i) => {
    const key = stream(1, name);
    return (0.9 + 0.2 * uniform(key, 2 * i)) * (uniform(key, 2 * i + 1) < 1 / 7 ? 2 : 1);
  });

test("times that are equal, and those that differ by a constant factor, have no interval", () => {
  const some = times("some", 30);
  expect(ratioOf(some, some)).toEqual({ ratio: 1, low: 1, high: 1 });
  const { ratio, low, high } = ratioOf(
    some.map((time) => 1.5 * time),
    some,
  );
  for (const value of [ratio, low, high]) expect(value).toBeCloseTo(1.5, 12);
});

test("the centre is the median of the means of two, the ends are those of the signed-rank test", () => {
  const logs = Array.from({ length: 30 }, (_, i) => i - 10);
  const found = ratioOf(
    logs.map(Math.exp),
    logs.map(() => 1),
  );
  // 465 means; 232.5 - 1.96 * 48.6 = 137.2 of them lie outside at each end.
  const means = logs.flatMap((a, i) => logs.slice(i).map((b) => (a + b) / 2)).sort((a, b) => a - b);
  expect(Math.log(found.ratio)).toBeCloseTo(4.5, 10);
  expect(Math.log(found.low)).toBeCloseTo(means[137] as number, 10);
  expect(Math.log(found.high)).toBeCloseTo(means[464 - 137] as number, 10);
});

test("the interval holds the truth in about 95 of 100 runs, and sees a build that is slower by a tenth", () => {
  const runs = Array.from({ length: 100 }, (_, run) => [times(`a${run}`, 120), times(`b${run}`, 120)] as const);
  const held = runs.filter(([a, b]) => {
    const { low, high } = ratioOf(a, b);
    return low <= 1 && 1 <= high;
  });
  expect(held.length).toBeGreaterThanOrEqual(88);
  expect(held.length).toBeLessThanOrEqual(99);
  const slower = runs.filter(
    ([a, b]) =>
      ratioOf(
        a.map((time) => 1.1 * time),
        b,
      ).low > 1,
  );
  expect(slower.length).toBeGreaterThanOrEqual(95);
});
