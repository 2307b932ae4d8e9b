// Steps of mixed precision, where an adapter has f16; where it has none, what is said of it, and that training is that of f32.

import { describe, expect, test } from "vitest";
import { dataOf, trainerOf } from "../../demo/bench/gradus.ts";
import { startOf } from "../../demo/bench/model.ts";
import { type WorkloadName, workloads } from "../../demo/bench/workload.ts";
import { compileCohort } from "../../src/cohort/index.ts";
import {
  adam,
  CheckpointError,
  type CompileOptions,
  compile,
  crossEntropy,
  dense,
  dropout,
  guard,
  type HostTensor,
  meanSquaredError,
  NonFiniteError,
  OptionError,
  relu,
  sequential,
  sgd,
  type Trainer,
  tanh,
} from "../../src/index.ts";
import { type F16, type F16Options, f16 } from "../../src/precision/index.ts";
import { uniform } from "../../src/random.ts";
import { stories } from "./pupils.ts";
import { samples } from "./small.ts";

const has = (await navigator.gpu.requestAdapter())?.features.has("shader-f16") ?? false;

const model = () =>
  sequential({ stem: [dense(16), tanh()], drop: dropout(0.2), body: [dense(8), relu()], head: dense(2) });
const options = { input: [6], batch: 8, loss: crossEntropy(), optimizer: adam({ lr: 0.01 }), seed: 5 } as const;
const pupil = (precision: F16 | undefined, more: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(model(), { ...options, precision, onWarning: () => undefined, ...more });

const norm = (x: ArrayLike<number>): number => Math.sqrt(Array.from(x).reduce((sum, v) => sum + v * v, 0));
const bytesOf = async (trainer: Trainer): Promise<string> => Array.from(await trainer.save()).join();

/** How far tensors are from others, over the largest norm that one of them has: what is 0 but for rounding is no measure. */
function farthest(found: ReadonlyMap<string, HostTensor>, wanted: ReadonlyMap<string, HostTensor>): number {
  const all = [...wanted].map(([name, { data }]) => {
    const other = found.get(name)?.data as Float32Array;
    return [norm(data.map((v, i) => v - (other[i] as number))), norm(data)] as const;
  });
  const largest = Math.max(...all.map(([, length]) => length));
  return Math.max(...all.map(([off, length]) => off / Math.max(length, 1e-2 * largest)));
}

if (!has) {
  test("an adapter without f16 trains in f32, to the same bits, and says so", async () => {
    const warned: string[] = [];
    const [half, whole] = [await pupil(f16(), { onWarning: (text) => warned.push(text) }), await pupil(undefined)];
    expect(warned).toEqual(["precision: this device has no shader-f16, so training is of f32."]);
    for (const trainer of [half, whole]) await trainer.fit(samples(40), { epochs: 3 });
    expect(await bytesOf(half)).toBe(await bytesOf(whole));
    half.dispose();
    whole.dispose();
  });
} else {
  describe("gradients are those of f32 but for what f16 rounds", () => {
    test.each(Object.entries(stories))("%s", async (_, { model, options, data }) => {
      const of = async (precision: F16 | undefined, given = data) => {
        const trainer = await compile(model, { seed: 1, optimizer: adam(), precision, ...options });
        const made = await trainer.gradients(given);
        trainer.dispose();
        return made;
      };
      const [half, whole] = [await of(f16({ initScale: 256 })), await of(undefined)];
      expect(half.loss).not.toBe(whole.loss);
      expect(Math.abs(half.loss / whole.loss - 1)).toBeLessThan(2e-3);
      // Units of relu and pooling beside their switch go the other way: how many, f32 says itself, of images that are rounded like f16.
      const rounded = (data.x as Float32Array).map((v, i) => v * (1 + (uniform(9, i) - 0.5) / 1024));
      const isText = Object(options.input).classes !== undefined;
      const moved = isText ? 0 : farthest((await of(undefined, { ...data, x: rounded })).gradients, whole.gradients);
      expect(farthest(half.gradients, whole.gradients)).toBeLessThan(Math.max(5e-3, 4 * moved));
    });
  });

  describe("a workload reaches the loss of f32, with at most 0.6 of its activations", () => {
    test.each([
      ["cnn", 40],
      ["gpt", 40],
    ] as const)("%s", async (name: WorkloadName, steps) => {
      const of = async (precision?: F16) => {
        const trainer = await trainerOf(workloads[name], { ...(precision && { precision }) });
        trainer.setWeights(startOf(workloads[name]));
        const { epochs } = await trainer.fit(dataOf(workloads[name]), { epochs: steps / 4, shuffle: false });
        const { planned } = trainer.memory();
        trainer.dispose();
        return { loss: epochs.at(-1)?.loss as number, planned };
      };
      const [half, whole] = [await of(f16({ initScale: 1024 })), await of()];
      expect(Math.abs(half.loss / whole.loss - 1)).toBeLessThan(1e-2);
      expect(half.planned / whole.planned).toBeLessThanOrEqual(0.605);
    });
  });

  test("two runs have the same bits, and so has one that was saved, loaded and resumed", async () => {
    const data = samples(40);
    const [one, two, cut] = [await pupil(f16()), await pupil(f16()), await pupil(f16())];
    for (const trainer of [one, two]) await trainer.fit(data, { epochs: 4 });
    const through = await bytesOf(one);
    expect(await bytesOf(two)).toBe(through);
    await cut.fit(data, { epochs: 4, steps: 7 });
    const saved = await cut.save();
    cut.dispose();
    const next = await pupil(f16());
    next.load(saved);
    await next.fit(data, { epochs: 4, resume: true });
    expect(await bytesOf(next)).toBe(through);
    for (const trainer of [one, two, next]) trainer.dispose();
  });

  test("a step that overflows is left out whole, halves the scale and is counted; the scale doubles again", async () => {
    const precision = f16({ initScale: 2 ** 24, growthInterval: 4 });
    const trainer = await pupil(precision, { averaging: 0.9 });
    const before = await trainer.weights();
    const bad: number[] = [];
    const run = (steps: number) =>
      trainer.fit(samples(40), {
        ...{ epochs: 100, steps, resume: true, statsEvery: 1 },
        onStats: ({ layers }) => bad.push(layers.filter(({ nonFinite }) => nonFinite > 0).length),
      });
    await run(1);
    expect(await precision.read(trainer)).toEqual({ scale: 2 ** 23, skipped: 1 });
    expect(bad[0]).toBeGreaterThan(0);
    for (const tensors of [await trainer.weights(), await trainer.averages()])
      for (const [name, { data }] of before) expect(tensors.get(name)?.data, name).toEqual(data);
    await run(40);
    const { scale, skipped } = await precision.read(trainer);
    expect(skipped).toBe(bad.filter((count) => count > 0).length);
    expect(skipped).toBeLessThan(25);
    expect(Math.log2(scale) % 1).toBe(0);
    expect((await trainer.weights()).get("head.weight")?.data).not.toEqual(before.get("head.weight")?.data);
    trainer.dispose();
  });

  test("without overflow the scale doubles after each interval", async () => {
    const precision = f16({ initScale: 8, growthInterval: 5 });
    const trainer = await pupil(precision);
    await trainer.fit(samples(40), { epochs: 3 });
    expect(await precision.read(trainer)).toEqual({ scale: 64, skipped: 0 });
    trainer.dispose();
  });

  test("at the floor an overflow ends training, and no weight has moved", async () => {
    const large = { x: samples(8).x, y: new Float32Array(8).fill(-1e6) };
    const given = { input: [6], batch: 8, loss: meanSquaredError(), optimizer: sgd({ lr: 1e-9 }) } as const;
    const precision = f16({ initScale: 4, minScale: 1 });
    const trainer = await compile(sequential({ head: dense(1) }), { ...given, precision });
    const before = await trainer.weights();
    await expect(trainer.fit(large, { epochs: 10 })).rejects.toThrow(NonFiniteError);
    expect(await precision.read(trainer)).toEqual({ scale: 1, skipped: 2 });
    for (const [name, { data }] of await trainer.weights()) expect(data).toEqual(before.get(name)?.data);
    trainer.dispose();
  });

  test("micro-batches, recomputation and clipping go with it", async () => {
    const more = { accumulate: 2, recompute: "body", clip: { norm: 1 } } as const;
    const [half, whole] = [await pupil(f16({ initScale: 256 }), more), await pupil(undefined, more)];
    for (const trainer of [half, whole]) await trainer.fit(samples(48), { epochs: 3 });
    expect(farthest(await half.weights(), await whole.weights())).toBeLessThan(3e-2);
    half.dispose();
    whole.dispose();
  });

  test("a checkpoint of another precision is refused by name", async () => {
    const [half, whole] = [await pupil(f16()), await pupil(undefined)];
    const saved = await half.save();
    expect(() => whole.load(saved)).toThrow(CheckpointError);
    expect(() => whole.load(saved)).toThrow("precision");
    half.dispose();
    whole.dispose();
  });

  test("what does not go with it is refused", async () => {
    await expect(pupil(f16(), { control: [guard()] })).rejects.toThrow(
      new OptionError("compile: guard() and f16() both leave out steps with bad gradients. Leave one of them out."),
    );
    await expect(compileCohort(model(), { ...options, copies: 2, precision: f16() } as never)).rejects.toThrow(
      OptionError,
    );
    const [one, other] = [f16(), await pupil(f16())];
    await expect(one.read(other)).rejects.toThrow("f16: read was given a trainer of another precision");
    other.dispose();
  });
}

test.each([
  [{ initScale: 3 }, "f16: initScale is 3, it must be a power of two from 1 to 16777216."],
  [{ initScale: 2 ** 25 }, "f16: initScale is 33554432, it must be a power of two from 1 to 16777216."],
  [{ initScale: 4, minScale: 8 }, "f16: minScale is 8, it must be a power of two from 5.960464477539063e-8 to 4."],
  [{ growthInterval: 0 }, "f16: growthInterval is 0, it must be a whole number of at least 1."],
  [{ scale: 4 }, 'f16: it has no "scale". It may have initScale, growthInterval, minScale.'],
])("%o is refused", (given, message) => {
  expect(() => f16(given as F16Options)).toThrow(new OptionError(message));
});

test("a precision that is none is refused", async () => {
  await expect(pupil("f16" as never)).rejects.toThrow('compile: precision is "f16". Give f16() of gradus/precision.');
});
