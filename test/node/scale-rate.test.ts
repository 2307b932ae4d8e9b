// The rate for another batch size: the rules, and what each of them keeps, in closed form, on a quadratic with noise.

import { expect, test } from "vitest";
import { scaleRate } from "../../src/callbacks/index.ts";
import { OptionError } from "../../src/index.ts";

/** Variance at which SGD on h x^2 / 2 comes to rest, where a sample's gradient has the variance 1: v = (1 - r h)^2 v + r^2 / batch. */
const restsAt = (rate: number, batch: number, h: number): number => rate / (batch * h * (2 - rate * h));

test('"linear" keeps where SGD comes to rest, and how far samples move', () => {
  const rate = scaleRate(1e-4, { from: 32, to: 256 });
  expect(rate).toBeCloseTo(8e-4, 15);
  expect(restsAt(rate, 256, 1) / restsAt(1e-4, 32, 1)).toBeCloseTo(1, 3);
  expect(restsAt(1e-4, 256, 1) / restsAt(1e-4, 32, 1)).toBeCloseTo(1 / 8, 3);
});

test('"sqrt" keeps the noise of an update, whose gradient has the variance 1 / batch', () => {
  const noise = (rate: number, batch: number): number => rate / Math.sqrt(batch);
  const rate = scaleRate(3e-3, { from: 128, to: 32, rule: "sqrt" });
  expect(rate).toBeCloseTo(1.5e-3, 15);
  expect(noise(rate, 32)).toBeCloseTo(noise(3e-3, 128), 15);
});

test.each([
  [() => scaleRate(-1, { from: 1, to: 2 }), "scaleRate: the rate is -1, it must be a finite number of at least 0."],
  [() => scaleRate(1, { from: 0, to: 2 }), "scaleRate: from is 0, it must be a whole number of at least 1."],
  [
    () => scaleRate(1, { from: 32 } as never),
    "scaleRate: from is 32 and to is undefined. Give both batch sizes: { from: 32, to: 128 }.",
  ],
  [
    () => scaleRate(1, { from: 1, to: 2, rule: "cubic" as never }),
    'scaleRate: rule is "cubic", it must be "linear" or "sqrt".',
  ],
])("what cannot be meant is refused, %#", (make, message) => {
  expect(make).toThrow(new OptionError(message));
});
