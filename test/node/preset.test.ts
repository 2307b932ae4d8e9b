// Presets of layer-wise rates on a model of four layers, and on one of a single layer.

import { expect, test } from "vitest";
import { adam, discriminative, geometric, inputFirst, layerDecay, type RatePredicate } from "../../src/index.ts";
import { createRateTable } from "../../src/optim/rates.ts";

const tableOf = (rates: RatePredicate, layers: number) => {
  const names = Array.from({ length: layers }, (_, i) => `l${i + 1}`);
  const placed = names.map((layer) => ({ name: `${layer}.weight`, shape: [2, 3], layer, offset: 0, length: 6 }));
  return createRateTable(placed, new Map(names.map((name, i) => [name, i + 1])), adam({ lr: 0.1 }), { rates });
};
const ratesOf = (rates: RatePredicate, layers = 4): number[] =>
  tableOf(rates, layers)
    .table({ step: 0, updates: 0, stepsPerEpoch: undefined })
    .map(({ lr }) => lr);

const close = (found: number[], expected: number[]): void => {
  expect(found).toHaveLength(expected.length);
  for (const [i, rate] of found.entries()) expect(rate).toBeCloseTo(expected[i] as number, 14);
};

test("layerDecay slows the input side, down to its floor", () => {
  close(ratesOf(layerDecay(0.5)), [0.0125, 0.025, 0.05, 0.1]);
  close(ratesOf(layerDecay(0.5, { floor: 0.3 })), [0.03, 0.03, 0.05, 0.1]);
  close(ratesOf(layerDecay(0.5), 1), [0.1]);
});

test("discriminative divides by 2.6 for each layer away from the head", () => {
  close(ratesOf(discriminative()), [0.1 / 2.6 ** 3, 0.1 / 2.6 ** 2, 0.1 / 2.6, 0.1]);
  close(ratesOf(discriminative(10)), [0.0001, 0.001, 0.01, 0.1]);
});

test("geometric goes from the one rate to the other in equal ratios", () => {
  close(ratesOf(geometric(1e-5, 1e-2)), [1e-5, 1e-4, 1e-3, 1e-2]);
  close(ratesOf(geometric(1e-5, 1e-2), 1), [1e-2]);
});

test("inputFirst slows the head", () => {
  close(ratesOf(inputFirst(0.5)), [0.1, 0.05, 0.025, 0.0125]);
});

test("presets refuse what cannot be meant", () => {
  const uses = [() => layerDecay(0), () => layerDecay(2), () => layerDecay(0.5, { floor: 2 }), () => inputFirst(-1)];
  for (const use of [...uses, () => discriminative(0.5), () => geometric(0, 1), () => geometric(1, Number.NaN)]) {
    expect(use).toThrow(/^(layerDecay|inputFirst|discriminative|geometric): .*(must|Both)/);
  }
});
