// Promises about whole trainings: the same bits twice, resume anywhere, frozen layers that do not move, steps that create
// nothing, and bad numbers that never reach a weight.

import { expect, test } from "vitest";
import { countPerStep } from "../../demo/train/count.ts";
import {
  adamw,
  batchNorm,
  compile,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  layerDecay,
  maxPool2d,
  meanSquaredError,
  NonFiniteError,
  oneCycle,
  print,
  relu,
  sequential,
  sgd,
  type Trainer,
  tanh,
} from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

/** 70 samples of 8 x 8 bytes in three classes, a lit column each: with batch 16 the last batch of an epoch has 6. */
const samples = (() => {
  const y = Uint8Array.from({ length: 70 }, (_, i) => i % 3);
  const x = Uint8Array.from({ length: 70 * 64 }, (_, i) => {
    const lit = i % 8 === 2 * (y[Math.floor(i / 64)] as number);
    return Math.floor(uniform(7, i) * 128) + (lit ? 127 : 0);
  });
  return { x, y };
})();

const small = (device: GPUDevice, options = {}): Promise<Trainer> =>
  compile(
    sequential({
      stem: [conv2d(4, { padding: "same" }), relu(), maxPool2d(2), flatten()],
      body: [dense(12), tanh()],
      head: dense(3),
    }),
    {
      device,
      input: [8, 8, 1],
      batch: 16,
      loss: crossEntropy(),
      optimizer: adamw({ lr: 0.01 }),
      rates: layerDecay(0.5),
      schedule: oneCycle({ epochs: 3 }),
      seed: 5,
      ...options,
    },
  );

/** Everything that a checkpoint keeps of each tensor: weights and moments. */
const stored = async (trainer: Trainer) => decodeSafetensors(await trainer.save()).tensors;

test("it learns", () =>
  guarded(async (device) => {
    const trainer = await small(device, { schedule: undefined });
    const losses: number[] = [];
    const { epochs } = await trainer.fit(samples, {
      epochs: 20,
      validation: samples,
      onStep: ({ loss }) => losses.push(loss),
    });
    expect(losses).toHaveLength(20 * 5);
    expect(trainer.steps).toBe(100);
    expect(epochs.at(-1)?.validation?.accuracy).toBeGreaterThan(0.95);
    expect(epochs.at(-1)?.validation?.samples).toBe(70);
    const { shape, data } = await trainer.predict(samples.x);
    expect(shape).toEqual([70, 3]);
    const right = samples.y.filter((label, i) => {
      const row = data.slice(3 * i, 3 * i + 3);
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(right.length / 70).toBeCloseTo(epochs.at(-1)?.validation?.accuracy as number, 10);
  }));

test("two runs of 1,000 steps: the same losses, weights, moments, means and states, to the bit", () =>
  guarded(async (device) => {
    const model = sequential({
      stem: [conv2d(4), batchNorm(), relu(), maxPool2d(2), flatten(), dropout(0.2)],
      head: dense(3),
    });
    const run = async () => {
      const settings = {
        input: [8, 8, 1],
        batch: 16,
        loss: crossEntropy(),
        averaging: 0.99,
        clip: { norm: 1 },
        seed: 5,
      };
      const trainer = await compile(model, { device, ...settings, optimizer: adamw({ lr: 0.01 }) });
      const losses: number[] = [];
      await trainer.fit(samples, { steps: 1000, onStep: ({ loss }) => losses.push(loss) });
      const bytes = await trainer.save();
      trainer.dispose();
      return { losses, bytes };
    };
    const [one, two] = [await run(), await run()];
    expect(one.losses.length).toBe(1000);
    expect(new Set(one.losses).size).toBeGreaterThan(900); // it learns, and draws anew
    expect(two.losses).toEqual(one.losses);
    expect(two.bytes).toEqual(one.bytes);
  }));

test("the same seed gives the same bytes, another seed others", () =>
  guarded(async (device) => {
    const checkpoints: Uint8Array[] = [];
    for (const seed of [5, 5, 6]) {
      const trainer = await small(device, { seed });
      await trainer.fit(samples, { epochs: 2 });
      checkpoints.push(await trainer.save());
    }
    expect(checkpoints[0]).toEqual(checkpoints[1]);
    expect(checkpoints[0]).not.toEqual(checkpoints[2]);
  }));

test.each([1, 4, 5, 7, 12])(
  "stopped after step %i, saved, loaded and continued: the bytes of never stopping",
  (steps) =>
    guarded(async (device) => {
      const whole = await small(device);
      await whole.fit(samples, { epochs: 3 });
      const first = await small(device);
      const { stopped } = await first.fit(samples, { epochs: 3, steps });
      expect(stopped).toBe(true);
      const second = await small(device);
      second.load(await first.save());
      expect(second.steps).toBe(steps);
      await second.fit(samples, { epochs: 3, resume: true });
      expect(await second.save()).toEqual(await whole.save());
    }),
);

test("a stopped fit goes on where it stood, without a checkpoint too", () =>
  guarded(async (device) => {
    const whole = await small(device);
    await whole.fit(samples, { epochs: 2 });
    const paused = await small(device);
    await paused.fit(samples, { epochs: 2, onStep: ({ step }) => step === 3 && paused.stop() });
    expect(paused.steps).toBeLessThan(10);
    await paused.fit(samples, { epochs: 2, resume: true });
    expect(await paused.save()).toEqual(await whole.save());
  }));

test("a frozen layer does not move by a bit, its backward dispatches are gone, and thawing compiles nothing", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    await trainer.fit(samples, { epochs: 1 });
    const full = print(trainer.recording());
    expect(full).toContain("conv2d-backward-filter");
    const before = await stored(trainer);

    trainer.rates.freeze("stem");
    expect(trainer.rates.table().map(({ state }) => state)).toEqual(["frozen", "active", "active"]);
    const frozen = print(trainer.recording());
    expect(frozen).not.toContain("conv2d-backward");
    expect(frozen).not.toContain("max-pool2d-backward");
    await trainer.fit(samples, { epochs: 1 });
    const after = await stored(trainer);
    expect(before.size).toBe(3 * 6);
    for (const [name, { data }] of before) {
      const same = String(data) === String(after.get(name)?.data);
      expect(same, name).toBe(/^(moment\d\/)?stem\./.test(name));
    }

    trainer.rates.unfreeze("stem");
    expect(print(trainer.recording())).toBe(full);
    const counts = await countPerStep(5, () => trainer.fit(samples, { epochs: 1 }).then(() => undefined));
    expect(counts.createComputePipeline).toBe(0);
    expect(counts.createBindGroup).toBe(0);
    const thawed = await trainer.weights();
    expect(String(thawed.get("stem.0.weight")?.data)).not.toBe(String(after.get("stem.0.weight")?.data));
  }));

test("after the second step nothing is created, and a step is at most one submit", () =>
  guarded(async (device) => {
    const trainer = await small(device, { schedule: undefined });
    await trainer.fit(samples, { epochs: 1000, steps: 2 });
    const counts = await countPerStep(50, () =>
      trainer.fit(samples, { epochs: 1000, steps: 50 }).then(() => undefined),
    );
    expect(counts.createBuffer).toBe(0);
    expect(counts.createBindGroup).toBe(0);
    expect(counts.createComputePipeline).toBe(0);
    expect(counts.submits).toBeLessThanOrEqual(1);
    expect(counts.passes).toBeLessThanOrEqual(1);
    expect(counts.dispatches).toBe(trainer.recording().commands.length);
  }));

test("a live rate is a change of data: effective at the next step, nothing compiled", () =>
  guarded(async (device) => {
    const trainer = await small(device, { schedule: undefined });
    await trainer.fit(samples, { epochs: 1 });
    const before = await trainer.weights();
    trainer.rates.set("**", 0);
    trainer.rates.set("head", { lr: 0.02 });
    const counts = await countPerStep(5, () => trainer.fit(samples, { epochs: 1 }).then(() => undefined));
    expect(counts.createComputePipeline + counts.createBindGroup + counts.createBuffer).toBe(0);
    const after = await trainer.weights();
    for (const [name, { data }] of before) {
      expect(String(data) === String(after.get(name)?.data), name).toBe(!name.startsWith("head."));
    }
    expect(trainer.rates.table().map(({ lr }) => lr)).toEqual([0, 0, 0.02]);
  }));

test("a loss that is not finite stops training before any weight changes", () =>
  guarded(async (device) => {
    const trainer = await compile(sequential({ a: dense(4), b: dense(1) }), {
      device,
      input: [3],
      batch: 2,
      loss: meanSquaredError(),
      optimizer: sgd({ lr: 0.1, momentum: 0.9 }),
    });
    const good = { x: [1, 2, 3, 4, 5, 6], y: [1, 2] };
    await trainer.step(good);
    const before = await trainer.save();
    const huge = { x: [1e38, 1e38, 1e38, 1, 1, 1], y: [3e38, 1] };
    const failure = await trainer.step(huge).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NonFiniteError);
    expect((failure as NonFiniteError).step).toBe(2);
    expect(await trainer.save()).toEqual(before);
    const { step } = await trainer.step(good);
    expect(step).toBe(2);
    expect(await trainer.save()).not.toEqual(before);
  }));

test("batches from an async iterable give the bytes of the same data in one piece", () =>
  guarded(async (device) => {
    const options = { schedule: undefined };
    const whole = await small(device, options);
    await whole.fit(samples, { epochs: 2, shuffle: false });
    const pieces = await small(device, options);
    const batches = {
      async *[Symbol.asyncIterator]() {
        for (let at = 0; at < 70; at += 16) {
          yield { x: samples.x.slice(at * 64, (at + 16) * 64), y: samples.y.slice(at, at + 16) };
        }
      },
    };
    await pieces.fit(batches, { epochs: 2 });
    expect(await pieces.weights()).toEqual(await whole.weights());
  }));

test("the last short batch counts by its samples", () =>
  guarded(async (device) => {
    const short = { x: samples.x.slice(0, 6 * 64), y: samples.y.slice(0, 6) };
    const padded = await small(device, { schedule: undefined });
    const exact = await small(device, { schedule: undefined, batch: 6 });
    const [a, b] = [await padded.step(short), await exact.step(short)];
    expect(a.samples).toBe(6);
    expect(Math.abs(a.loss - b.loss)).toBeLessThan(1e-6);
    const weights = await exact.weights();
    for (const [name, { data }] of await padded.weights()) {
      const other = weights.get(name)?.data as Float32Array;
      expect(Math.max(...data.map((value, i) => Math.abs(value - (other[i] as number)))), name).toBeLessThan(2e-5);
    }
  }));
