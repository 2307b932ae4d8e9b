// A race: it repeats to the bit, its winner is the one that runs one after the other would have found, and who follows becomes who leads.

import { describe, expect, test } from "vitest";
import { halving, population, type RaceOptions, race } from "../../src/cohort/index.ts";
import { compile, crossEntropy, dense, OptionError, relu, sequential, sgd } from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const model = sequential({ body: [dense(16), relu()], head: dense(2) });
const all = { input: [6], batch: 16, loss: crossEntropy(), optimizer: sgd({ lr: 0.1, momentum: 0.9 }) };
/** Two classes with a line between them. */
const samplesOf = (salt: number, count = 48) => {
  const x = Float32Array.from({ length: count * 6 }, (_, i) => 2 * uniform(salt, i) - 1);
  const y = Uint8Array.from({ length: count }, (_, i) => ((x[6 * i] ?? 0) > (x[6 * i + 1] ?? 0) ? 1 : 0));
  return { x, y };
};
const [data, validation] = [samplesOf(1), samplesOf(2)];

test("the winner of halvings is the one that a serial comparison finds, and its weights are those of its run alone", () =>
  guarded(async (device) => {
    const tables = [1e-4, 0.2, 1e-3, 1e25].map((rate) => ({ "**": rate, head: rate / 2 }));
    const rule = halving({ losers: "rest" });
    const { cohort, winner, told, rungs, lineage, rates } = await race(model, data, {
      ...{ ...all, device, tables, rule, validation, steps: 12, seed: 3 },
    });
    const losses: number[] = [];
    for (const [k, rates] of tables.slice(0, 3).entries()) {
      const alone = await compile(model, { ...all, device, rates, seed: 3 });
      await alone.fit(data, { steps: 12 });
      losses.push((await alone.evaluate(validation)).loss);
      if (k === winner) expect(bits(await cohort.extract(k))).toEqual(bits(await alone.weights()));
      alone.dispose();
    }
    expect(winner).toBe(losses.indexOf(Math.min(...losses)));
    expect(told.loss).toBe(losses[winner]);
    expect(rungs.map(({ step, rest }) => [step, rest])).toEqual([
      [4, [3, 0]],
      [8, [2]],
      [12, []],
    ]);
    expect(rungs[0]?.copies.map(({ loss }) => Number.isFinite(loss))).toEqual([true, true, true, false]);
    expect(rates).toEqual({ "body.0.weight": 0.2, "body.0.bias": 0.2, "head.weight": 0.1, "head.bias": 0.1 });
    expect(lineage).toEqual([{ step: 0, copy: winner, rates }]);
    cohort.dispose();
  }));

test("the same seed gives the same race, to the bit, in which copies that were out are in again", () =>
  guarded(async (device) => {
    const raced = async () => {
      const options = { ...all, device, copies: 4, rates: { "**": [1e-4, 1e30], head: [1e-3, 1] }, steps: 9 } as const;
      const { cohort, ...found } = await race(model, data, { ...options, seed: 5 });
      const weights = bits(await cohort.extract(found.winner));
      cohort.dispose();
      return { ...found, weights };
    };
    const [once, again] = [await raced(), await raced()];
    expect(again).toEqual(once);
    const [first, , last] = once.rungs;
    expect(first?.copies.some(({ loss }) => Number.isNaN(loss))).toBe(true);
    expect(last?.copies.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(first?.follow).toHaveLength(2);
    expect(once.lineage.at(-1)?.rates).toEqual(once.rates);
  }));

test("in a population the worst quarter becomes the best one: with no jitter it stays so to the bit", () =>
  guarded(async (device) => {
    const rungs: number[] = [];
    const { cohort, winner, ...found } = await race(model, data, {
      ...{ ...all, device, copies: 5, rates: { "**": [1e-5, 0.3] }, steps: 7, by: "accuracy" },
      rule: population({ every: 5, jitter: 1 }),
      onRung: ({ step }) => rungs.push(step),
    });
    expect(rungs).toEqual([5, 7]);
    const { follow, ranked } = found.rungs[0]!;
    expect(follow).toEqual(
      ranked
        .slice(3)
        .reverse()
        .map((to) => ({ from: ranked[0], to })),
    );
    for (const { from, to } of follow) {
      expect(bits(await cohort.extract(to))).toEqual(bits(await cohort.extract(from)));
      expect(found.rungs[1]!.rates[to]).toEqual(found.rungs[0]!.rates[from]);
    }
    cohort.dispose();
  }));

describe("what cannot be raced is refused by name, before anything moves", () => {
  const ranges = { "**": [1e-3, 1e-1] } as const;
  const usual = { ...all, copies: 4, steps: 8, rates: ranges };
  const { rates: _, ...none } = usual;
  const cases: readonly [given: unknown, message: RegExp][] = [
    [{ ...usual, copies: 1 }, /copies is 1, it must be .* at least 2/],
    [{ ...usual, steps: 0 }, /steps is 0/],
    [none, /there are no rates to race/],
    [{ ...usual, tables: [{}, {}, {}, {}] }, /both rates and tables/],
    [{ ...none, tables: [{ head: 0.1 }, {}] }, /there are 2 tables for 4 copies/],
    [{ ...usual, rates: { head: [0.1, 0.01] } }, /"head" go from 0.1 to 0.01/],
    [{ ...usual, rates: { head: 0.1 } }, /no rate is a range/],
    [{ ...usual, rates: { 0: [0.1, 1] } }, /the key "0" is a whole number/],
    [{ ...usual, seed: (k: number) => k }, /seed is function/],
    [{ ...usual, by: "f1" }, /by is f1, it must be loss or accuracy/],
    [{ ...usual, rule: halving({ rungs: [2, 8] }) }, /a rung is at step 8, .* between 0 and the 8 steps/],
    [{ ...usual, rule: halving({ rungs: 3, losers: "rest" }) }, /4 copies can be halved 2 times, there are 3 rungs/],
    [{ ...usual, rule: population({ every: 8 }) }, /it looks every 8 steps, and the race has 8/],
    [
      { ...none, tables: [{ head: { frozen: true } }, {}, {}, {}] },
      /"head.weight" is frozen in copy 0 and active in copy 1/,
    ],
  ];
  test.each(cases)("%j", (given, message) =>
    guarded(async (device) => {
      const asked = race(model, data, { device, ...(given as RaceOptions) });
      await expect(asked).rejects.toThrow(OptionError);
      await expect(asked).rejects.toThrow(message);
    }),
  );

  test("a generator, which can be walked over once", async () => {
    const batches = (function* () {
      yield data;
    })();
    await expect(race(model, batches, usual)).rejects.toThrow(/the data can be walked over once/);
  });
});
