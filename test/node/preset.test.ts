// Presets of layer-wise rates on a model of four layers, and on one of a single layer.

import { expect, test } from "vitest";
import {
  adam,
  discriminative,
  freezeOut,
  geometric,
  gradualUnfreezing,
  inputFirst,
  layerDecay,
  loraPlus,
  type MuPOptions,
  muP,
  type Rates,
} from "../../src/index.ts";
import { createCountedTable } from "../reference/counted-table.ts";

const start = { step: 0, stepsPerEpoch: undefined };

const tableOf = (rates: Rates, layers: number) => {
  const names = Array.from({ length: layers }, (_, i) => `l${i + 1}`);
  const placed = names.map((layer) => ({ name: `${layer}.weight`, shape: [2, 3], layer, offset: 0, length: 6 }));
  return createCountedTable(placed, new Map(names.map((name, i) => [name, i + 1])), adam({ lr: 0.1 }), { rates });
};
const ratesOf = (rates: Rates, layers = 4): number[] =>
  tableOf(rates, layers)
    .table(start)
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

test("presets that multiply do so together, whatever was there before", () => {
  close(ratesOf([{ l1: { multiplier: 10 } }, layerDecay(0.5), inputFirst(0.5), discriminative(2)]), [
    0.1 * 10 * 0.125 * 1 * 0.125,
    0.1 * 0.25 * 0.5 * 0.25,
    0.1 * 0.5 * 0.25 * 0.5,
    0.1 * 0.125,
  ]);
});

test("layerDecay freezes what would hardly learn", () => {
  const table = tableOf(layerDecay(0.5, { freezeBelow: 0.25 }), 4);
  expect(table.rows.map(({ frozen }) => frozen)).toEqual([true, false, false, false]);
  expect(tableOf(layerDecay(0.5, { freezeBelow: 0.3, floor: 0.4 }), 4).frozenAt(start)).toEqual([]);
});

/** A table of one layer "l" with tensors of these shapes. */
const tensorsOf = (shapes: Readonly<Record<string, readonly number[]>>, rates: Rates) =>
  createCountedTable(
    Object.entries(shapes).map(([name, shape]) => ({ name, shape, layer: "l", offset: 0, length: 1 })),
    new Map([["l", 1]]),
    adam({ lr: 1, weightDecay: 0.5 }),
    { rates },
  );
const multipliersOf = (shapes: Readonly<Record<string, readonly number[]>>, rates: Rates): number[] =>
  tensorsOf(shapes, rates).rows.map(({ multiplier }) => multiplier);

test("loraPlus speeds up the second factors alone, and says where there are none", () => {
  const shapes = { "l.loraA": [8, 2], "l.loraB": [2, 8], "l.q.lora_b": [2, 8], "l.B": [2, 8], B: [2, 8], "l.bB": [8] };
  expect(multipliersOf(shapes, loraPlus())).toEqual([1, 16, 16, 16, 16, 1]);
  expect(multipliersOf(shapes, [{ "**": { multiplier: 0.5 } }, loraPlus(4)])).toEqual([0.5, 2, 2, 2, 2, 0.5]);
  expect(() => tensorsOf({ "l.weight": [8, 2] }, loraPlus())).toThrowErrorMatchingInlineSnapshot(
    `[NameError: loraPlus: no tensor is called "loraB", "lora_b" or "B". Leave it out, or name the second factors so.]`,
  );
});

// Widths 4 and 12 times those of the base, so that inputs and outputs cannot be mistaken for each other.
const base = { stem: [3, 3, 3, 16], stemBias: [16], hidden: [16, 8], head: [8, 10], headBias: [10], scalar: [] };
const wide = { stem: [3, 3, 3, 64], stemBias: [64], hidden: [64, 96], head: [96, 10], headBias: [10], scalar: [] };

test("muP for Adam divides the rate of matrices by the growth of their inputs, and keeps rate times decay", () => {
  const table = tensorsOf(wide, muP({ base }));
  expect(table.rows.map(({ multiplier }) => multiplier)).toEqual([1, 1, 1 / 4, 1, 1, 1]);
  expect(table.rows.map(({ weightDecay }) => weightDecay)).toEqual([0.5, 0.5, 2, 0.5, 0.5, 0.5]);
});

test("muP for SGD speeds up what grows in one direction, and weighs the two of matrices", () => {
  expect(multipliersOf(wide, muP({ base, optimizer: "sgd" }))).toEqual([4, 4, 3, 12, 1, 1]);
  expect(multipliersOf(base, muP({ base, optimizer: "sgd" }))).toEqual([1, 1, 1, 1, 1, 1]);
});

test("gradualUnfreezing begins at the head, and lets one layer more train each time", () => {
  const table = tableOf(gradualUnfreezing({ every: 100 }), 4);
  const active = (step: number) => 4 - table.frozenAt({ step, stepsPerEpoch: undefined }).length;
  expect([0, 99, 100, 199, 200, 299, 300].map(active)).toEqual([1, 1, 2, 2, 3, 3, 4]);
  expect(table.frozenAt(start)).not.toContain("l4.weight");
  const epochs = tableOf(gradualUnfreezing({ every: { epochs: 2 } }), 4);
  expect(epochs.nextChange({ step: 0, stepsPerEpoch: 7 })).toBe(14);
  expect(epochs.frozenAt({ step: 28, stepsPerEpoch: 7 })).toEqual(["l1.weight"]);
});

test("freezeOut anneals each layer over its own time and freezes it there", () => {
  const steps = 1000;
  for (const cubic of [true, false]) {
    const table = tableOf(freezeOut({ steps, t0: 0.7, cubic }), 4);
    for (const [i, linear] of [0.7, 0.8, 0.9, 1].entries()) {
      const part = cubic ? linear ** 3 : linear;
      for (const step of [0, 100, 342, 343, 511, 512, 513, 699, 700, 728, 729, 730, 899, 901, 999]) {
        const { lr, state } = table.table({ step, stepsPerEpoch: undefined })[i] as { lr: number; state: string };
        const frozen = step > part * steps - 1e-6;
        const rate = (0.1 / part / 2) * (1 + Math.cos((Math.PI * step) / (part * steps)));
        expect(state).toBe(frozen ? "frozen" : "active");
        expect(lr).toBeCloseTo(frozen ? 0 : rate, 14);
      }
    }
  }
  expect(tableOf(freezeOut({ steps }), 1).frozenAt({ step: 999, stepsPerEpoch: undefined })).toEqual([]);
  expect(tableOf(freezeOut({ steps }), 3).nextChange(start)).toBe(512);
});

test("presets refuse what cannot be meant", () => {
  const uses = [() => layerDecay(0), () => layerDecay(2), () => layerDecay(0.5, { floor: 2 }), () => inputFirst(-1)];
  for (const use of [...uses, () => discriminative(0.5), () => geometric(0, 1), () => geometric(1, Number.NaN)]) {
    expect(use).toThrow(/^(layerDecay|inputFirst|discriminative|geometric): .*(must|Both)/);
  }
});

test.each<[what: string, use: () => unknown]>([
  ["a misspelt floor", () => layerDecay(0.5, { flor: 0.1 } as object)],
  ["a freezeBelow above 1", () => layerDecay(0.5, { freezeBelow: 2 })],
  ["a ratio of 0", () => loraPlus(0)],
  ["no base", () => muP({} as MuPOptions)],
  ["a rule that is none", () => muP({ base, optimizer: "lion" as "adam" })],
  ["a misspelt base", () => muP({ bse: base } as unknown as MuPOptions)],
  ["a tensor that base lacks", () => tensorsOf({ hiddne: [2, 2] }, muP({ base }))],
  ["a shape of another rank", () => tensorsOf({ hidden: [2, 2, 2] }, muP({ base }))],
  ["no every", () => gradualUnfreezing({} as { every: number })],
  ["half a step", () => gradualUnfreezing({ every: 0.5 })],
  ["a misspelt every", () => gradualUnfreezing({ each: 3 } as unknown as { every: number })],
  ["no steps", () => freezeOut({} as { steps: number })],
  ["a t0 above 1", () => freezeOut({ steps: 10, t0: 2 })],
  ["a misspelt t0", () => freezeOut({ steps: 10, to: 0.5 } as { steps: number })],
])("presets refuse %s, and say what is valid", (_, use) => {
  expect(use).toThrowErrorMatchingSnapshot();
});

test("a preset that is named, not called, is answered with those that there are", () => {
  for (const rates of ["layerDecy", 0.1, null]) {
    expect(() => tableOf(rates as unknown as Rates, 2)).toThrow(
      /^rates: .* is no rule\..* muP\(\), .*freezeOut\(\)\.$/,
    );
  }
  expect(() => tableOf("layerDecy" as unknown as Rates, 2)).toThrow('Did you mean "layerDecay"?');
});
