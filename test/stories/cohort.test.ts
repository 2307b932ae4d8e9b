// A cohort: each copy makes the steps that it makes alone with its rates and its seed, bit for bit, in as many dispatches as one.

import { describe, expect, test } from "vitest";
import { type CohortOptions, compileCohort } from "../../src/cohort/index.ts";
import {
  adam,
  adamw,
  batchNorm,
  type CompileOptions,
  compile,
  confusionMatrix,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  type Model,
  maxPool2d,
  NonFiniteError,
  OptionError,
  relu,
  sequential,
  sgd,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { alone, guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const COPIES = 3;

interface Case {
  readonly model: Model;
  readonly options: Required<Pick<CompileOptions, "input" | "optimizer" | "batch">>;
}

const cases: Readonly<Record<string, Case>> = {
  "an MLP with sgd": {
    model: sequential({ body: [dense(24), relu()], head: dense(3) }),
    options: { input: [12], batch: 16, optimizer: sgd({ lr: 0.1, momentum: 0.9 }) },
  },
  "an MLP with adam": {
    model: sequential({ body: [dense(300), relu()], head: dense(3) }),
    options: { input: [12], batch: 16, optimizer: adam({ lr: 0.003 }) },
  },
  "a convolution, norms of the batch and dropout with adamw": {
    model: sequential({
      stem: [conv2d(8), batchNorm(), relu(), maxPool2d(2), flatten()],
      body: [dense(20), batchNorm(), relu(), dropout(0.3)],
      head: dense(3),
    }),
    options: { input: [8, 8, 2], batch: 16, optimizer: adamw({ lr: 0.003, weightDecay: 0.1 }) },
  },
};

const samplesFor = (input: readonly number[], count: number) => {
  const size = input.reduce((a, b) => a * b, 1);
  const x = Float32Array.from({ length: count * size }, (_, i) => uniform(3, i) - 0.5);
  return { x, y: Uint8Array.from({ length: count }, (_, i) => Math.floor(3 * uniform(4, i))) };
};

const rates = (k: number) => ({ head: { multiplier: 2 ** k }, "**.bias": { multiplier: 3 - k } });

describe.each(Object.entries(cases))("%s", (_, { model, options }) => {
  const asAlone = async (device: GPUDevice): Promise<void> => {
    const all = { device, loss: crossEntropy(), ...options };
    const data = samplesFor(options.input as number[], 40);
    const cohort = await compileCohort(model, { ...all, copies: COPIES, rates, seed: (k) => 5 + k });
    const { epochs } = await cohort.fit(data, { epochs: 2, shuffle: false });
    const evaluated = await cohort.evaluate(data);
    for (let k = 0; k < COPIES; k++) {
      const one = await compile(model, { ...all, rates: rates(k), seed: 5 + k });
      const { epochs: own } = await one.fit(data, { epochs: 2, shuffle: false });
      expect(bits(await cohort.extract(k))).toEqual(bits(await one.weights()));
      expect(epochs.map(({ copies }) => copies[k])).toEqual(own.map(({ loss, accuracy }) => ({ loss, accuracy })));
      const { loss, accuracy } = await one.evaluate(data);
      expect(evaluated[k]).toEqual({ loss, accuracy });
      one.dispose();
    }
    cohort.dispose();
  };

  test("copy k is what it is alone", () => guarded(asAlone));

  // Whose workgroups follow one another by copies, and not in turns.
  test("copy k is what it is alone on a GPU", () =>
    alone(async (device) => {
      Object.defineProperty(device, "adapterInfo", { value: { vendor: "made up" } });
      await asAlone(device);
    }));
});

test.each(Object.entries(cases))(
  "%s: copies with an order of their own are what they are alone",
  (_, { model, options }) =>
    guarded(async (device) => {
      const all = { device, loss: crossEntropy(), ...options };
      const data = samplesFor(options.input as number[], 40);
      const first = samplesFor(options.input as number[], 9);
      const cohort = await compileCohort(model, { ...all, copies: COPIES, rates, seed: (k) => 5 + k, order: "own" });
      const { epochs } = await cohort.fit(data, { epochs: 2 });
      // Whoever looks in between, and batches that come alone, leave the orders as they are.
      await cohort.evaluate(data);
      await cohort.step(first);
      await cohort.fit([first, first], { epochs: 1 });
      await cohort.fit(data, { epochs: 2, steps: 4 });
      await cohort.fit(data, { epochs: 2, resume: true });
      const seen = new Set<string>();
      for (let k = 0; k < COPIES; k++) {
        const alone = await compile(model, { ...all, rates: rates(k), seed: 5 + k });
        const { epochs: own } = await alone.fit(data, { epochs: 2 });
        await alone.step(first);
        await alone.fit([first, first], { epochs: 1 });
        await alone.fit(data, { epochs: 2 });
        expect(epochs.map(({ copies }) => copies[k])).toEqual(own.map(({ loss, accuracy }) => ({ loss, accuracy })));
        expect(bits(await cohort.extract(k))).toEqual(bits(await alone.weights()));
        seen.add(String(own[0]?.loss));
        alone.dispose();
      }
      expect(seen.size).toBe(COPIES);
      cohort.dispose();
    }),
);

const { model, options } = cases["an MLP with adam"] as Case;
const many = (device: GPUDevice, more: Partial<CohortOptions> = {}) =>
  compileCohort(model, { device, loss: crossEntropy(), ...options, copies: COPIES, ...more });

test("a copy whose rate is too high is out, the others are as alone, and it is in again when another takes its place", () =>
  guarded(async (device) => {
    const data = samplesFor([12], 64);
    const tooHigh = (k: number) => ({ "**": k === 1 ? 1e12 : 0.003 });
    const own = { optimizer: sgd({ lr: 0.1 }), rates: tooHigh };
    const cohort = await many(device, own);
    const { epochs } = await cohort.fit(data, { epochs: 3 });
    expect(epochs.at(-1)!.copies.map(({ loss }) => Number.isFinite(loss))).toEqual([true, false, true]);
    const alone = await compile(model, { device, loss: crossEntropy(), ...options, ...own, rates: tooHigh(0) });
    await alone.fit(data, { epochs: 3 });
    for (const k of [0, 2]) expect(bits(await cohort.extract(k))).toEqual(bits(await alone.weights()));
    cohort.rates.set("1", 0.003);
    cohort.replace(0, 1);
    await cohort.fit(data, { epochs: 1 });
    expect(bits(await cohort.extract(1))).toEqual(bits(await cohort.extract(0)));
    cohort.rates.set("**", 1e12);
    await expect(cohort.fit(data, { epochs: 3 })).rejects.toThrow(NonFiniteError);
    alone.dispose();
    cohort.dispose();
  }));

test("a copy takes the moments and states of another too, and the best one is that of the least loss", () =>
  guarded(async (device) => {
    const { model, options } = cases["a convolution, norms of the batch and dropout with adamw"] as Case;
    const data = samplesFor(options.input as number[], 32);
    const all = { device, loss: crossEntropy(), ...options, copies: COPIES };
    const cohort = await compileCohort(model, { ...all, rates: (k) => ({ "**": 0.001 * 3 ** k }), seed: 4 });
    await cohort.fit(data, { epochs: 2 });
    const told = await cohort.evaluate(data);
    const best = await cohort.best(data);
    expect(best.loss).toBe(Math.min(...told.map(({ loss }) => loss)));
    expect(told[best.copy]).toEqual({ loss: best.loss, accuracy: best.accuracy });
    expect(bits(await cohort.extract(0))).not.toEqual(bits(await cohort.extract(2)));
    cohort.replace(2, 0);
    cohort.rates.set("0", 0.009);
    await cohort.fit(data, { epochs: 1 });
    expect(bits(await cohort.extract(0))).toEqual(bits(await cohort.extract(2)));
    cohort.rates.freeze("1.head");
    await cohort.fit(data, { epochs: 1 });
    expect(() => cohort.replace(1, 0)).toThrow(/has had \d+ updates, that of copy 0 \d+/);
    cohort.dispose();
  }));

test("what copies cannot have is refused by name", async () => {
  const refused = async (given: Partial<CohortOptions>, message: RegExp) => {
    const asked = compileCohort(model, { loss: crossEntropy(), ...options, copies: COPIES, ...given });
    await expect(asked).rejects.toThrow(OptionError);
    await expect(asked).rejects.toThrow(message);
  };
  await refused({ copies: 1 }, /copies is 1, it must be a whole number of at least 2/);
  await refused({ order: "odd" as never }, /order is odd, it must be "shared" or "own"/);
  await refused({ order: "own", seed: 3 }, /order is "own", and all copies have the seed 3, .* Give seed: \(k\) => k/);
  await refused({ rates: { head: 0.1 } as never }, /rates is object. Give a function of the copy/);
  await refused({ seed: (k) => -k }, /the seed of copy 1 is -1/);
  await refused({ cacheFrozen: true } as never, /no "cacheFrozen"/);
  await refused({ base: { except: "head", dtype: "f16" } } as never, /the base of copies is in f32/);
  await refused(
    { metrics: { kinds: confusionMatrix(3) } } as never,
    /confusion matrices are counted by a trainer alone/,
  );
});
