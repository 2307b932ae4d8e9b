// The rate finder as a cohort: each copy is its run alone at its rate, and what is suggested works.

import { expect, test } from "vitest";
import { type FindRateOptions, findRate } from "../../src/cohort/index.ts";
import { compile, crossEntropy, dense, OptionError, relu, sequential, sgd, suggestRates } from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const model = sequential({ body: [dense(16), relu()], head: dense(2) });
const all = { input: [6], batch: 16, loss: crossEntropy(), optimizer: sgd({ lr: 0.1, momentum: 0.9 }) };
const samplesOf = (salt: number, count = 64) => {
  const x = Float32Array.from({ length: count * 6 }, (_, i) => 2 * uniform(salt, i) - 1);
  return { x, y: Uint8Array.from({ length: count }, (_, i) => ((x[6 * i] ?? 0) > (x[6 * i + 1] ?? 0) ? 1 : 0)) };
};
const [data, validation] = [samplesOf(1), samplesOf(2)];

test("each loss is that of a run alone at its rate, from the same snapshot, and the best one is the least", () =>
  guarded(async (device) => {
    const start = await compile(model, { ...all, device, seed: 4 });
    await start.fit(data, { epochs: 2 });
    const weights = await start.weights();
    const rates = { head: { multiplier: 2 } };
    const found = await findRate(model, data, {
      ...{ ...all, device, weights, rates, validation, copies: 5, lo: 1e-3, hi: 10, steps: 6, seed: 3 },
    });
    const alone: number[] = [];
    for (const rate of found.rates) {
      const one = await compile(model, {
        ...all,
        device,
        weights,
        optimizer: sgd({ lr: rate / 2, momentum: 0.9 }),
        rates,
        seed: 3,
      });
      await one.fit(data, { steps: 6 });
      alone.push((await one.evaluate(validation)).loss);
      one.dispose();
    }
    for (const [i, loss] of found.losses.entries()) expect(Math.abs(loss - (alone[i] as number))).toBeLessThan(1e-6);
    expect(found.rates.length).toBeGreaterThan(2);
    for (const [i, rate] of found.rates.entries()) {
      expect(rate / (1e-3 * 10 ** i)).toBeCloseTo(1, 12);
      expect((found.byLayer.head?.[i] as number) / rate).toBeCloseTo(1, 12);
      expect((found.byLayer["body.0"]?.[i] as number) / rate).toBeCloseTo(0.5, 12);
    }
    expect(found.best).toBe(found.rates[found.losses.indexOf(Math.min(...found.losses))]);
    expect(found.stopped).toBe(false);
  }));

test("it repeats, ends where rates run away, and what it suggests trains", () =>
  guarded(async (device) => {
    const options = { ...all, device, copies: 20, lo: 1e-4, hi: 1e30, steps: 12 };
    const found = await findRate(model, data, options);
    expect(await findRate(model, data, options)).toEqual(found);
    expect(found.rates.length).toBeLessThan(20);
    expect(found.losses.every(Number.isFinite)).toBe(true);
    expect(suggestRates(found.rates, found.losses)).toEqual({
      ...{ valley: found.valley, steep: found.steep, minimum: found.minimum, slide: found.slide },
    });
    const trainer = await compile(model, { ...all, device, optimizer: sgd({ lr: found.best, momentum: 0.9 }) });
    const { epochs } = await trainer.fit(data, { epochs: 10 });
    expect(epochs.at(-1)?.loss).toBeLessThan(0.3);
  }));

test("some layers alone: the others train at their own rates", () =>
  guarded(async (device) => {
    const seen: number[] = [];
    const { byLayer, rates } = await findRate(model, data, {
      ...{ ...all, device, layers: "head", copies: 3, lo: 1e-3, hi: 1e-1, steps: 2 },
      onStep: ({ step, copies }) => seen.push(step, copies.length),
    });
    expect(byLayer.head).toEqual(rates);
    expect(byLayer["body.0"]).toEqual([0.1, 0.1, 0.1]);
    expect(seen).toEqual([1, 3, 2, 3]);
  }));

test("where no copy is left nothing is suggested", () =>
  guarded(async (device) => {
    // Also where the steps before the last copy's end are known by then: each is waited for.
    const waits = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
    for (const more of [{}, { onStep: waits }]) {
      const found = await findRate(model, data, { ...all, ...more, device, copies: 2, lo: 1e32, hi: 1e36, steps: 5 });
      expect([found.best, found.valley, found.losses]).toEqual([Number.NaN, Number.NaN, []]);
    }
  }));

test.each<[Partial<FindRateOptions>, string]>([
  [{ copies: 1 }, "findRate: copies is 1, it must be a whole number of at least 2."],
  [{ steps: 0 }, "findRate: steps is 0, it must be a whole number of at least 1."],
  [{ lo: 1, hi: 1 }, "findRate: the rates go from 1 to 1. Give lo above 0 and hi above lo."],
  [{ seed: (() => 1) as never }, "findRate: seed is function. Give one number"],
  [{ rates: { "**": 0 } }, 'findRate: all rates of "**" are 0 or frozen'],
])("what cannot be tried is refused, %#", (odd, message) =>
  guarded(async (device) => {
    const refused = findRate(model, data, { ...all, device, copies: 2, steps: 2, ...odd });
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(message);
  }),
);
