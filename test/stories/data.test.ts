// Data from end to end: channels with means of their own, bytes and counts, uploads that stay, and what weights() and
// gradients() give put back in.

import { expect, test } from "vitest";
import {
  compile,
  crossEntropy,
  dense,
  flatten,
  meanSquaredError,
  relu,
  type Samples,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const COUNT = 20;

/** A small network over images of 3 x 3 with so many channels. */
const onImages = (device: GPUDevice, channels: number): Promise<Trainer> =>
  compile(sequential([flatten(), dense(4), relu(), dense(2)]), {
    device,
    input: [3, 3, channels],
    batch: 8,
    loss: crossEntropy(),
    optimizer: sgd({ lr: 0.1 }),
  });

const identity = (device: GPUDevice): Promise<Trainer> =>
  compile(sequential([dense(2, { bias: false, initializer: () => Float32Array.of(1, 0, 0, 1) })]), {
    device,
    input: [2],
    batch: 4,
    loss: meanSquaredError(),
    optimizer: sgd({ lr: 0 }),
  });

const labels = Uint8Array.from({ length: COUNT }, (_, i) => i % 2);
const bits = async (trainer: Trainer) =>
  [...(await trainer.weights())].map(([name, { data }]) => `${name} ${new Uint32Array(data.slice().buffer)}`).join();
const message = async (use: () => unknown): Promise<string> => {
  try {
    await use();
    return "nothing was thrown";
  } catch (error) {
    return String(error);
  }
};

test.each([
  [1, "bytes"],
  [3, "bytes"],
  [4, "floats"],
  [5, "floats"],
])("means and deviations of %d channels of %s train like numbers that were scaled before", (channels, kind) =>
  guarded(async (device) => {
    const [mean, std] = [1, 2].map((key) => Array.from({ length: channels }, (_, c) => 0.25 + uniform(key, c))) as [
      number[],
      number[],
    ];
    const bytes = Uint8Array.from({ length: COUNT * 9 * channels }, (_, i) => Math.floor(uniform(3, i) * 256));
    const floats = Float32Array.from(bytes, (byte) => byte / 255);
    const scaled = floats.map((v, i) => (v - mean[i % channels]!) / std[i % channels]!);
    const samples = { x: kind === "bytes" ? bytes : floats, y: labels, mean, std };
    const [own, plain] = [await onImages(device, channels), await onImages(device, channels)];
    const a = await own.fit(samples, { shuffle: false });
    const b = await plain.fit({ x: scaled, y: labels }, { shuffle: false });
    expect(a.epochs[0]!.loss).toBeCloseTo(b.epochs[0]!.loss, 4);
    const found = await own.predict(samples.x, { mean, std });
    expect(found).toEqual(await own.predict(samples));
    const again = await own.predict(scaled);
    for (const [i, value] of found.data.entries()) expect(value).toBeCloseTo(again.data[i]!, 3);
  }),
);

test("other means share the feed of batches and hold for their own batch alone", () =>
  guarded(async (device) => {
    const trainer = await identity(device);
    const losses: number[] = [];
    for (const mean of [0, 1, [0, 2], 0]) {
      const { loss } = await trainer.step({ x: [0, 0], y: [0, 0], mean, std: 0.5 });
      losses.push(loss);
    }
    expect(losses).toEqual([0, 4, 8, 0]);
  }));

test("a model that gives back its bytes has no loss, scaled or as counts", () =>
  guarded(async (device) => {
    const trainer = await identity(device);
    const x = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const scale of [true, false]) expect((await trainer.evaluate({ x, y: x, scale })).loss).toBe(0);
    expect((await trainer.evaluate({ x, y: Float32Array.from(x), scale: false })).loss).toBe(0);
    const { data } = await trainer.predict(x, { scale: false });
    expect(data).toEqual(Float32Array.from(x));
  }));

test("uploaded samples are those of then, and give the same bits as the samples", () =>
  guarded(async (device) => {
    const x = Float32Array.from({ length: COUNT * 9 }, (_, i) => uniform(5, i));
    const [a, b] = [await onImages(device, 1), await onImages(device, 1)];
    const data = a.upload({ x, y: labels });
    expect(data.count).toBe(COUNT);
    await b.fit({ x: x.slice(), y: labels }, { epochs: 2 });
    x.fill(7);
    await a.fit(data, { epochs: 2 });
    expect(await bits(a)).toBe(await bits(b));
    expect((await a.evaluate(data)).samples).toBe(COUNT);
    expect(await message(() => b.evaluate(data))).toMatch(
      /^DataError: evaluate: the uploaded data is another trainer's/,
    );
    data.dispose();
    data.dispose();
    expect(await message(() => a.fit(data))).toMatch(/^DataError: fit: the uploaded data was disposed of/);
    expect(await message(() => a.upload({ x, y: [0] }))).toMatch(/^ShapeError: upload: data.y has 1 values/);
    const other = a.upload({ x, y: labels });
    a.dispose();
    other.dispose();
  }));

test("samples that went up in pieces while others are trained on have the bits of those that went at once", () =>
  guarded(async (device) => {
    const many = 2 ** 18; // 9.4 MB of numbers: three pieces
    const x = Float32Array.from({ length: many * 9 }, (_, i) => uniform(5, i));
    const y = Uint8Array.from({ length: many }, (_, i) => i % 2);
    const [a, b] = [await onImages(device, 1), await onImages(device, 1)];
    const few = { x: x.slice(0, 180), y: labels };
    const parts: number[] = [];
    const [data] = await Promise.all([
      a.upload({ x, y }, { onProgress: ({ done, total }) => void parts.push(done / total) }),
      a.fit(few, { epochs: 3 }),
    ]);
    expect([parts.length, parts[0], parts.at(-1)]).toEqual([5, 0, 1]);
    await b.fit(few, { epochs: 3 });
    const at = { steps: 20, shuffle: false };
    await a.fit(data, at);
    await b.fit({ x, y }, at);
    expect(await bits(a)).toBe(await bits(b));
    expect((await a.predict(data)).data).toEqual((await b.predict(x)).data);
  }));

test("what is predicted does not depend on how many samples share a batch or a submission, and nor does an evaluation on a fit beside it", () =>
  guarded(async (device) => {
    const count = 1100;
    const x = Float32Array.from({ length: count * 9 }, (_, i) => uniform(6, i));
    const y = Uint8Array.from({ length: count }, (_, i) => i % 2);
    const trainer = await onImages(device, 1);
    const whole = await trainer.predict(x);
    for (const batch of [1, 7, 64, 1024]) expect(await trainer.predict(x, { batch })).toEqual(whole);
    const batches = Array.from({ length: 25 }, (_, i) => ({
      x: x.slice(i * 72, i * 72 + 72),
      y: y.slice(i * 8, i * 8 + 8),
    }));
    const alone = await trainer.evaluate(batches, { perSample: true });
    const seen = await trainer.evaluate({ x: x.slice(0, 1800), y: y.slice(0, 200) }, { perSample: true });
    expect(alone).toEqual(seen);
    // At a rate of 0 each evaluation beside a fit says the same, whatever else is under way.
    trainer.rates.set("**", 0);
    const fit = trainer.fit({ x, y }, { epochs: 3 });
    expect(await trainer.evaluate(batches, { perSample: true })).toEqual(alone);
    expect(await trainer.predict(x, { batch: 3 })).toEqual(whole);
    await fit;
  }));

test("an error in a batch names the batch", () =>
  guarded(async (device) => {
    const good = { x: [1, 2], y: [1, 2] };
    const train = async (batches: Samples[]) => (await identity(device)).fit(batches);
    expect(await message(() => train([good, good, { x: [1, 2], y: [1, null] } as unknown as Samples]))).toMatch(
      /^DataError: fit: batch 2: data.y\[1\] is null/,
    );
    expect(await message(() => train([good, { x: new Float32Array(10), y: new Float32Array(10) }]))).toMatch(
      /^ShapeError: fit: batch 1: a batch has 5 samples, compile was told 4/,
    );
    expect(await message(() => train([good, undefined as unknown as Samples]))).toMatch(
      /^DataError: fit: batch 1: the data is undefined/,
    );
  }));

test("batches in an array are all looked at before anything moves, those of validation too; those of a stream when they come", () =>
  guarded(async (device) => {
    const trainer = await identity(device);
    const good = { x: [1, 2], y: [1, 2] };
    const bad = [good, null] as unknown as Samples[];
    const before = await trainer.save();
    expect(await message(() => trainer.fit(bad, { steps: 1 }))).toMatch(/^DataError: fit: batch 1: the data is null/);
    expect(await message(() => trainer.fit([good], { validation: bad }))).toMatch(
      /^DataError: fit: validation: batch 1: the data is null/,
    );
    const map = new Map([["a", good]]) as unknown as Samples[];
    expect(await message(() => trainer.fit(new Set([good]), { validation: map }))).toMatch(
      /^DataError: fit: validation: batch 0: the data is an Array of 2/,
    );
    expect(await trainer.save()).toEqual(before);
    expect(await message(() => trainer.fit(bad.values()))).toMatch(/^DataError: fit: batch 1: the data is null/);
    expect(trainer.steps).toBe(1);
  }));

test("what weights() and gradients() give goes back in as it is", () =>
  guarded(async (device) => {
    const [a, b] = [await onImages(device, 1), await onImages(device, 1)];
    await a.fit({ x: Float32Array.from({ length: COUNT * 9 }, (_, i) => uniform(5, i)), y: labels });
    b.setWeights(await a.weights());
    expect(await bits(b)).toBe(await bits(a));
    const batch = { x: Float32Array.from({ length: 72 }, (_, i) => uniform(6, i)), y: labels.slice(0, 8) };
    const { gradients } = await a.gradients(batch);
    await a.applyGradients(gradients);
    await b.applyGradients(Object.fromEntries([...gradients].map(([name, { data }]) => [name, data])));
    expect(await bits(b)).toBe(await bits(a));
    const next = await onImages(device, 1);
    const { excepted, loaded } = next.transfer(await a.weights(), { except: "3" });
    expect([excepted, loaded]).toEqual([
      ["3.weight", "3.bias"],
      ["1.weight", "1.bias"],
    ]);
    const bad = new Map([["1.bias", { shape: [4], data: [1, 2, 3, Number.NaN] }]]);
    expect(await message(() => next.transfer(bad))).toMatch(/^DataError: transfer: "1.bias"\[3\] is NaN/);
  }));
