// Micro-batches: an update from several batches is the update of one large batch, counted once, and whole or not at all.

import { expect, test } from "vitest";
import {
  compile,
  dense,
  meanSquaredError,
  NonFiniteError,
  oneCycle,
  type StepResult,
  sequential,
  sgd,
  stepLR,
  type Trainer,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, distance, numbers, samples, slice, small } from "./small.ts";

const batches = (data: ReturnType<typeof samples>, size: number) =>
  Array.from({ length: Math.ceil(data.y.length / size) }, (_, i) => slice(data, i * size, (i + 1) * size));

/** Epochs of a fit in the order of the data; gives its steps. */
async function fitted(trainer: Trainer, data: Parameters<Trainer["fit"]>[0], epochs = 2): Promise<StepResult[]> {
  const steps: StepResult[] = [];
  await trainer.fit(data, { epochs, shuffle: false, onStep: (result) => steps.push(result) });
  return steps;
}

// 64: two updates an epoch. 60: a short last batch. 72 and 70: the last update has one batch, whole or short.
test.each([64, 60, 72, 70])("%i samples in micro-batches of 8, four an update, are batches of 32", (count) =>
  guarded(async (device) => {
    const data = samples(count);
    const optimizer = sgd({ lr: 0.5, momentum: 0.9 });
    const large = await small(device, { batch: 32, optimizer });
    const reference = await fitted(large, data);
    const inOne = await small(device, { accumulate: 4, optimizer });
    const inPieces = await small(device, { accumulate: 4, optimizer });
    for (const [trainer, given] of [[inOne, data] as const, [inPieces, batches(data, 8)] as const]) {
      const start = numbers(await trainer.weights());
      const steps = await fitted(trainer, given);
      expect(steps.map(({ step, samples: seen }) => [step, seen])).toEqual(
        reference.map(({ step, samples: seen }) => [step, seen]),
      );
      const counts = count > 64 ? [32, 32, count - 64] : [32, count - 32];
      expect(steps.map(({ samples: seen }) => seen)).toEqual([...counts, ...counts]);
      for (const [i, { loss, accuracy }] of steps.entries()) {
        expect(Math.abs(loss - (reference[i] as StepResult).loss)).toBeLessThan(1e-5);
        expect(accuracy).toBeCloseTo((reference[i] as StepResult).accuracy, 12);
      }
      expect(trainer.steps).toBe(2 * Math.ceil(count / 32));
      expect(trainer.rates.table().map(({ updates }) => updates)).toEqual([1, 1, 1].map(() => trainer.steps));
      const weights = await trainer.weights();
      expect(distance(weights, numbers(await large.weights()))).toBeLessThan(1e-5);
      expect(distance(weights, start)).toBeGreaterThan(1e-2);
    }
    expect(bits(await inPieces.weights())).toEqual(bits(await inOne.weights()));
  }),
);

test("schedules count updates, in steps and in epochs", () =>
  guarded(async (device) => {
    const data = samples(72);
    const run = async (schedule: ReturnType<typeof oneCycle>) => {
      const trainer = await small(device, { accumulate: 4, schedule });
      await trainer.fit(data, { epochs: 4 });
      return bits(await trainer.weights());
    };
    expect(await run(oneCycle({ epochs: 4 }))).toEqual(await run(oneCycle({ steps: 12 })));
    const trainer = await small(device, { accumulate: 4, schedule: stepLR({ steps: 3, gamma: 0.5 }) });
    const lrs: number[] = [];
    await trainer.fit(data, {
      epochs: 3,
      statsEvery: 1,
      onStats: ({ layers }) => lrs.push(layers[0]?.lr ?? Number.NaN),
    });
    expect(lrs.map((lr) => Math.round(lr * 1e6))).toEqual([10000, 10000, 10000, 5000, 5000, 5000, 2500, 2500, 2500]);
  }));

test.each([1, 3, 4, 7])("stopped after update %i, saved, loaded and continued: the bytes of never stopping", (steps) =>
  guarded(async (device) => {
    const data = samples(70);
    const options = { accumulate: 4, schedule: oneCycle({ epochs: 3 }) };
    const whole = await small(device, options);
    await whole.fit(data, { epochs: 3 });
    const first = await small(device, options);
    const { stopped } = await first.fit(data, { epochs: 3, steps });
    expect([stopped, first.steps]).toEqual([true, steps]);
    const second = await small(device, options);
    second.load(await first.save());
    await second.fit(data, { epochs: 3, resume: true });
    await first.fit(data, { epochs: 3, resume: true });
    const bytes = await whole.save();
    expect(await second.save()).toEqual(bytes);
    expect(await first.save()).toEqual(bytes);
  }),
);

test("stopped by hand, a fit ends with a whole update, and goes on", () =>
  guarded(async (device) => {
    const data = samples(70);
    for (const given of [data, batches(data, 8)]) {
      const whole = await small(device, { accumulate: 3 });
      await whole.fit(given, { epochs: 3 });
      const paused = await small(device, { accumulate: 3 });
      const { stopped } = await paused.fit(given, { epochs: 3, onStep: ({ step }) => step === 1 && paused.stop() });
      expect(stopped).toBe(true);
      const resumed = await small(device, { accumulate: 3 });
      resumed.load(await paused.save());
      await resumed.fit(given, { epochs: 3, resume: true });
      await paused.fit(given, { epochs: 3, resume: true });
      const bytes = await whole.save();
      expect(await resumed.save()).toEqual(bytes);
      expect(await paused.save()).toEqual(bytes);
    }
  }));

test("a step is an update of its own", () =>
  guarded(async (device) => {
    const data = samples(64);
    const [one, many] = [await small(device), await small(device, { accumulate: 4 })];
    for (const part of batches(data, 8).slice(0, 3)) expect(await many.step(part)).toEqual(await one.step(part));
    expect(many.steps).toBe(3);
    expect(bits(await many.weights())).toEqual(bits(await one.weights()));
    const found = await many.gradients(slice(data, 0, 8));
    expect(bits(found.gradients)).toEqual(bits((await one.gradients(slice(data, 0, 8))).gradients));
  }));

/** A regression in which the second of three micro-batches of an update can be made to overflow. */
const regression = (device: GPUDevice) =>
  compile(sequential({ a: dense(4), b: dense(1) }), {
    device,
    input: [3],
    batch: 2,
    loss: meanSquaredError(),
    optimizer: sgd({ lr: 0.01, momentum: 0.9 }),
    accumulate: 3,
  });
const good = {
  x: Float32Array.from({ length: 36 }, (_, i) => Math.sin(i)),
  y: Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
};

test.each([false, true])("a bad second micro-batch takes the whole update back (batches: %s)", (inPieces) =>
  guarded(async (device) => {
    const bad = { x: good.x.slice(), y: good.y.slice() };
    // The second update has samples 6 to 11; its second micro-batch begins at sample 8.
    bad.x.fill(1e38, 8 * 3, 9 * 3);
    const pieces = (data: typeof good) =>
      Array.from({ length: 6 }, (_, i) => ({ x: data.x.slice(i * 6, i * 6 + 6), y: data.y.slice(i * 2, i * 2 + 2) }));
    const feed = (data: typeof good) => (inPieces ? pieces(data) : data);
    const trainer = await regression(device);
    const reference = await regression(device);
    await reference.fit(feed(good), { epochs: 2, shuffle: false, steps: 1 });
    const seen: StepResult[] = [];
    const failure = await trainer
      .fit(feed(bad), { epochs: 2, shuffle: false, onStep: (result) => seen.push(result) })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NonFiniteError);
    expect((failure as NonFiniteError).step).toBe(2);
    expect(seen.map(({ step, samples: count }) => [step, count])).toEqual([[1, 6]]);
    expect(trainer.steps).toBe(1);
    expect(await trainer.save()).toEqual(await reference.save());
    const after: StepResult[] = [];
    for (const one of [trainer, reference]) {
      await one.fit(feed(good), {
        epochs: 2,
        shuffle: false,
        resume: true,
        onStep: ({ rates: _, ...result }) => after.push(result),
      });
    }
    expect(after.slice(0, 3).map(({ step, samples: count }) => [step, count])).toEqual([
      [2, 6],
      [3, 6],
      [4, 6],
    ]);
    expect(after.slice(0, 3)).toEqual(after.slice(3));
    expect(await trainer.save()).toEqual(await reference.save());
  }),
);

test.each([false, true])("an error of the caller's leaves whole updates behind (batches: %s)", (inPieces) =>
  guarded(async (device) => {
    const data = samples(160);
    const given = inPieces ? batches(data, 8) : data;
    const [whole, broken] = [await small(device, { accumulate: 4 }), await small(device, { accumulate: 4 })];
    await whole.fit(given, { epochs: 2 });
    const failure = await broken
      .fit(given, {
        epochs: 2,
        onStep({ step }) {
          if (step === 2) throw new Error("mine");
        },
      })
      .catch(String);
    expect(failure).toBe("Error: mine");
    await broken.fit(given, { epochs: 2, resume: true });
    expect(await broken.save()).toEqual(await whole.save());
  }),
);

test("a layer that thaws in the midst of an update trains from the next one on", () =>
  guarded(async (device) => {
    const data = batches(samples(160), 8);
    const trainer = await small(device, { accumulate: 4, rates: { stem: { frozen: true } } });
    // At most three submissions are under way, so the second update is told amid the third.
    await trainer.fit(data, { onStep: ({ step }) => step === 2 && trainer.rates.unfreeze("stem") });
    const [stem, body] = trainer.rates.table();
    expect(body?.updates).toBe(5);
    expect([2, 3]).toContain(stem?.updates);
    const reference = await small(device, { accumulate: 4, rates: { stem: { from: 5 - (stem?.updates ?? 0) } } });
    await reference.fit(data);
    expect(bits(await trainer.weights())).toEqual(bits(await reference.weights()));
  }));
