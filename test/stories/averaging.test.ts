// Running means of the weights: what they are after every step, and where they stand in for the weights.

import { expect, test } from "vitest";
import { type HostTensor, OptionError, type Trainer } from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, distance, doubles, layerOf, plain, samples, slice, small } from "./small.ts";

/** Steps one by one, with the means as f64 makes them of the weights; `decayOf` is asked at every step. */
async function follow(trainer: Trainer, steps: number, decayOf: (tensor: string, step: number) => number) {
  const data = samples(8 * steps);
  const means = doubles(await trainer.weights());
  for (let step = 0; step < steps; step++) {
    await trainer.step(slice(data, 8 * step, 8 * step + 8));
    for (const [name, { data: weight }] of await trainer.weights()) {
      const decay = decayOf(name, step);
      means.set(
        name,
        (means.get(name) ?? []).map((mean, i) => decay * mean + (1 - decay) * (weight[i] as number)),
      );
    }
  }
  return means;
}

test("each mean is the f64 mean of the weights so far, at its layer's own decay", () =>
  guarded(async (device) => {
    const decays: Readonly<Record<string, number>> = { "stem.0": 0.99, "body.0": 0.5, head: 0 };
    const trainer = await small(device, {
      averaging: 0.99,
      rates: { body: { averaging: 0.5 }, head: { averaging: 0 } },
    });
    expect(trainer.rates.table().map(({ averaging }) => averaging)).toEqual([0.99, 0.5, 0]);
    expect(bits(await trainer.averages())).toEqual(bits(await trainer.weights()));
    const means = await follow(trainer, 20, (name) => decays[layerOf(name)] as number);
    const [found, weights] = [await trainer.averages(), await trainer.weights()];
    expect(distance(found, means)).toBeLessThan(5e-7);
    expect(distance(weights, means)).toBeGreaterThan(1e-2);
    const named = (name: string) => [bits(found).get(name), bits(weights).get(name)] as const;
    expect(named("head.weight")[0]).toBe(named("head.weight")[1]);
    expect(named("stem.0.weight")[0]).not.toBe(named("stem.0.weight")[1]);
  }));

test("evaluate and predict with the means are a trainer that has them as weights", () =>
  guarded(async (device) => {
    const data = samples(60);
    const trainer = await small(device, { averaging: 0.9, rates: { head: { averaging: 0 } } });
    await trainer.fit(data, { epochs: 3 });
    const before = await trainer.save();
    const other = await small(device);
    other.setWeights(plain(await trainer.averages()));
    expect(await trainer.evaluate(data, { averaged: true })).toEqual(await other.evaluate(data));
    expect(await trainer.predict(data.x, { averaged: true })).toEqual(await other.predict(data.x));
    other.setWeights(plain(await trainer.weights()));
    expect(await trainer.evaluate(data)).toEqual(await other.evaluate(data));
    expect(await trainer.predict(data.x)).toEqual(await other.predict(data.x));
    expect((await trainer.evaluate(data)).loss).not.toBe((await trainer.evaluate(data, { averaged: true })).loss);
    expect(await trainer.save()).toEqual(before);
  }));

test("the means of frozen layers go on towards their weights, and setWeights begins them anew", () =>
  guarded(async (device) => {
    const trainer = await small(device, { averaging: 0.9 });
    await follow(trainer, 3, () => 0.9);
    trainer.rates.freeze("stem");
    const before = await trainer.averages();
    await follow(trainer, 3, () => 0.9);
    const found = await trainer.averages();
    for (const name of ["stem.0.weight", "stem.0.bias"]) {
      const weight = (await trainer.weights()).get(name)?.data as Float32Array;
      const expected = before.get(name)?.data.map((mean, i) => {
        const still = weight[i] as number;
        return still + 0.9 ** 3 * (mean - still);
      });
      expect(
        distance(new Map([[name, found.get(name) as HostTensor]]), new Map([[name, expected as Float32Array]])),
      ).toBeLessThan(1e-6);
      expect(found.get(name)).not.toEqual(before.get(name));
    }
    const after = bits(found);
    trainer.setWeights({ "body.0.bias": [1, 2, 3, 4, 5, 6, 7, 8] });
    const means = await trainer.averages();
    expect([...(means.get("body.0.bias")?.data ?? [])]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(bits(means).get("body.0.weight")).toBe(after.get("body.0.weight"));
  }));

test("a decay is changed while training goes on, from the next step", () =>
  guarded(async (device) => {
    const trainer = await small(device, { averaging: 0.99 });
    const means = await follow(trainer, 12, (name, step) => {
      if (step === 5 && name === "head.bias") trainer.rates.set("head", { averaging: 0.5 });
      if (step === 7 && name === "head.bias") trainer.rates.set("stem", { averaging: 0 });
      if (layerOf(name) === "head") return step > 5 ? 0.5 : 0.99;
      return layerOf(name) === "stem.0" && step > 7 ? 0 : 0.99;
    });
    expect(distance(await trainer.averages(), means)).toBeLessThan(5e-7);
  }));

test.each([false, true])("resumed, the bytes of never stopping; averaging moves no weight (accumulate: %s)", (many) =>
  guarded(async (device) => {
    const data = samples(60);
    const options = { ...(many ? { accumulate: 3 } : {}), averaging: 0.95 };
    const whole = await small(device, options);
    await whole.fit(data, { epochs: 3 });
    const first = await small(device, options);
    await first.fit(data, { epochs: 3, steps: 5 });
    const second = await small(device, options);
    second.load(await first.save());
    await second.fit(data, { epochs: 3, resume: true });
    expect(await second.save()).toEqual(await whole.save());
    const without = await small(device, { ...options, averaging: 0 });
    await without.fit(data, { epochs: 3 });
    expect(bits(await without.weights())).toEqual(bits(await whole.weights()));
  }),
);

test("a bad loss reaches no mean", () =>
  guarded(async (device) => {
    const trainer = await small(device, { averaging: 0.9 });
    await follow(trainer, 2, () => 0.9);
    const before = await trainer.save();
    const huge = { x: new Float32Array(48).fill(3e38), y: new Uint8Array(8) };
    await expect(trainer.step(huge)).rejects.toThrow("step 3: its loss is");
    expect(await trainer.save()).toEqual(before);
  }));

test("where no means are kept, whoever asks for them is told", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const data = samples(8);
    const asked = [
      () => trainer.averages(),
      () => trainer.evaluate(data, { averaged: true }),
      () => trainer.predict(data.x, { averaged: true }),
      async () => trainer.rates.set("head", { averaging: 0.9 }),
    ];
    const told: string[] = [];
    for (const ask of asked) {
      const error = await ask().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OptionError);
      told.push((error as Error).message);
    }
    expect(told).toMatchInlineSnapshot(`
      [
        "averages: no running means of the weights are kept. Compile with { averaging: 0.999 }, say.",
        "evaluate: no running means of the weights are kept. Compile with { averaging: 0.999 }, say.",
        "predict: no running means of the weights are kept. Compile with { averaging: 0.999 }, say.",
        "rates.set: no running means of the weights are kept. Compile with { averaging: 0.999 }, say.",
      ]
    `);
  }));
