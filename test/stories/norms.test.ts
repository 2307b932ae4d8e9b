// Normalizations on the GPU: a training with batch normalization and short batches, and what may not move where a layer rests.

import { expect, test } from "vitest";
import {
  batchNorm,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  globalAveragePool2d,
  inference,
  maxPool2d,
  NonFiniteError,
  relu,
  type Samples,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { errorOf } from "../golden/layers.ts";
import golden from "../golden/norms.json";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

const network = () =>
  sequential({
    stem: conv2d(4, { padding: "same", bias: false }),
    norm: batchNorm(),
    bend: relu(),
    body: conv2d(5, { padding: "same", bias: false }),
    last: batchNorm(),
    bend2: relu(),
    pool: globalAveragePool2d(),
    head: dense(3),
  });

const flat = (record: object): Record<string, number[]> =>
  Object.fromEntries(Object.entries(record).map(([name, rows]) => [name, (rows as number[]).flat(9)]));

test("a training with short batches and rates by layer follows PyTorch for twenty steps", () =>
  guarded(async (device) => {
    const { batch, samples, momentum, rates, data, start, losses, moved, states } = golden.training;
    const trainer = await compile(network(), {
      ...{ device, batch, input: [5, 5, 2], loss: crossEntropy(), optimizer: sgd({ lr: 0.1, momentum }) },
      rates: Object.fromEntries(Object.entries(rates).map(([name, lr]) => [name, { lr }])),
    });
    trainer.setWeights(flat(start));
    for (const [step, expected] of losses.entries()) {
      const first = (step * batch) % (Math.ceil(samples / batch) * batch);
      const part = { x: data.x.slice(first, first + batch), y: data.y.slice(first, first + batch) } as Samples;
      const { loss } = await trainer.step(part);
      expect(Math.abs(loss / expected - 1), `step ${step}`).toBeLessThan(1e-5);
    }
    const weights = await trainer.weights();
    for (const [name, path] of Object.entries(moved)) {
      const from = flat(start)[name]!;
      const left = path.map((distance, i) => weights.get(name)!.data[i]! - (from[i]! + distance));
      expect(norm(left) / norm(path), name).toBeLessThan(1e-4);
    }
    for (const [name, end] of Object.entries(states)) {
      const from = name.endsWith("movingVariance") ? 1 : 0;
      const left = end.map((value, i) => weights.get(name)!.data[i]! - value);
      expect(norm(left) / norm(end.map((value) => value - from)), name).toBeLessThan(1e-4);
    }
    // Evaluation, prediction and a network of the file alone take the running values, in f64 too.
    const { data: predicted } = await trainer.predict(data.x.flat(9));
    expect(errorOf(predicted, golden.training.predicted)).toBeLessThan(1e-3);
    const file = await inference(network(), await trainer.save(), { device });
    expect((await file.predict(data.x.flat(9))).data).toEqual(predicted);
    expect(bits(await trainer.weights())).toEqual(bits(weights));
  }));

/** 21 images in three classes: five batches and a bit. */
const images = {
  x: Float32Array.from({ length: 21 * 64 }, (_, i) => uniform(3, i) - 0.5),
  y: Uint8Array.from({ length: 21 }, (_, i) => i % 3),
};

const small = () =>
  sequential({
    stem: [conv2d(4, { padding: "same", bias: false }), batchNorm(), relu(), maxPool2d(2)],
    body: [conv2d(4, { padding: "same", bias: false }), batchNorm(), relu(), flatten()],
    head: dense(3),
  });

const trainerOn = (device: GPUDevice, options: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(small(), {
    ...{ device, input: [8, 8, 1], batch: 4, loss: crossEntropy(), optimizer: sgd({ lr: 0.05, momentum: 0.9 }) },
    ...options,
  });

test("a frozen layer takes the running values: no bit of it moves, and its features may be kept", () =>
  guarded(async (device) => {
    const found = [];
    for (const options of [{}, { cacheFrozen: true }]) {
      const trainer = await trainerOn(device, options);
      await trainer.fit(images, { epochs: 2 });
      const before = bits(await trainer.weights());
      trainer.rates.freeze("stem");
      await trainer.fit(images, { epochs: 2 });
      const after = bits(await trainer.weights());
      for (const [name, words] of after) {
        if (name.startsWith("stem")) expect(words, name).toEqual(before.get(name));
        else expect(words, name).not.toEqual(before.get(name));
      }
      trainer.rates.unfreeze("stem");
      await trainer.fit(images, { epochs: 1 });
      const last = bits(await trainer.weights());
      for (const name of ["stem.1.movingMean", "stem.1.movingVariance", "stem.1.gamma"])
        expect(last.get(name), name).not.toEqual(before.get(name));
      found.push(last);
    }
    expect(found[1]).toEqual(found[0]);
  }));

test("a batch that is refused moves no running value, and a run is the same when it is repeated, resumed or recomputed", () =>
  guarded(async (device) => {
    const run = async (options: Partial<CompileOptions>, cut?: number) => {
      let trainer = await trainerOn(device, options);
      if (cut !== undefined) {
        await trainer.fit(images, { epochs: 3, steps: cut });
        const bytes = await trainer.save();
        trainer = await trainerOn(device, options);
        trainer.load(bytes);
      }
      await trainer.fit(images, { epochs: 3, ...(cut !== undefined && { resume: true }) });
      return trainer;
    };
    const first = await run({});
    const words = bits(await first.weights());
    expect(bits(await (await run({})).weights())).toEqual(words);
    expect(bits(await (await run({}, 7)).weights())).toEqual(words);
    expect(bits(await (await run({ recompute: "*" })).weights())).toEqual(words);
    const bad = { x: images.x.slice(0, 256).fill(3e38, 5, 6), y: images.y.slice(0, 4) };
    await expect(first.step(bad)).rejects.toThrow(NonFiniteError);
    expect(bits(await first.weights())).toEqual(words);
  }));

test("rows beyond a short batch count nothing: it is what a batch of that size is", () =>
  guarded(async (device) => {
    const short = { x: images.x.slice(0, 3 * 64), y: images.y.slice(0, 3) };
    const [whole, wide] = [await trainerOn(device, { batch: 3 }), await trainerOn(device, { batch: 7 })];
    await wide.step({ x: images.x.slice(0, 7 * 64).map((value) => 100 * value), y: images.y.slice(0, 7) });
    wide.setWeights(await whole.weights());
    const [one, two] = [await whole.gradients(short), await wide.gradients(short)];
    expect(two.loss).toBeCloseTo(one.loss, 6);
    for (const [name, { data }] of one.gradients)
      expect(errorOf(two.gradients.get(name)!.data, [...data]), name).toBeLessThan(1e-5);
    await whole.step(short);
    await wide.step(short);
    const [ours, theirs] = [await whole.weights(), await wide.weights()];
    for (const name of ["stem.1.movingMean", "stem.1.movingVariance", "body.1.movingVariance"])
      expect(errorOf(theirs.get(name)!.data, [...ours.get(name)!.data]), name).toBeLessThan(1e-5);
  }));
