// Frozen layers at the input, computed once a sample: the same bits as without the cache, fewer dispatches a step, and
// features made anew when what they depend on changes.

import { expect, test } from "vitest";
import {
  adamw,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  gradualUnfreezing,
  maxPool2d,
  relu,
  residual,
  sequential,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

/** 21 images of bytes in three classes: five batches and a bit. */
const images = {
  x: Uint8Array.from({ length: 21 * 64 }, (_, i) => 256 * uniform(3, i)),
  y: Uint8Array.from({ length: 21 }, (_, i) => i % 3),
};

const stem = [conv2d(4, { padding: "same" }), relu(), maxPool2d(2)];
const model = sequential({ stem, body: [conv2d(8, { padding: "same" }), relu(), flatten()], head: dense(3) });

const trainerOn = (device: GPUDevice, options: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(model, {
    device,
    input: [8, 8, 1],
    batch: 4,
    loss: crossEntropy(),
    optimizer: adamw({ lr: 0.01 }),
    ...options,
  });

/** A number that stands for the bits of others. */
const hash = ({ buffer }: Float32Array<ArrayBuffer>): number =>
  new Uint32Array(buffer).reduce((sum, word) => Math.imul(sum ^ word, 16777619), 1);

/** The weights after a story, with and without the cache. */
async function both(device: GPUDevice, options: Partial<CompileOptions>, story: (trainer: Trainer) => Promise<void>) {
  const found = [];
  for (const cacheFrozen of [false, true]) {
    const trainer = await trainerOn(device, { ...options, cacheFrozen });
    await story(trainer);
    const weights = await trainer.weights();
    found.push(new Map([...weights].map(([name, { data }]) => [name, hash(data)])));
  }
  return found as [Map<string, number>, Map<string, number>];
}

test.each([
  ["a stem", { stem: { frozen: true } }],
  ["all but the head, whose input is another view of its features", { stem: { frozen: true }, body: { frozen: true } }],
  ["a part of the stem's tensors, which saves nothing", { "stem.0.bias": { frozen: true } }],
  ["a layer in the middle, which saves nothing", { body: { frozen: true } }],
  ["layers that thaw by and by", gradualUnfreezing({ every: 7 })],
] as const)("of %s gives the weights of computing it each time", (_, rates) =>
  guarded(async (device) => {
    const [plain, cached] = await both(device, { rates }, async (trainer) => {
      await trainer.fit(images, { epochs: 4 });
    });
    expect(cached).toEqual(plain);
  }),
);

test("goes along with new weights, checkpoints, thawing, evaluation and single steps", () =>
  guarded(async (device) => {
    const [plain, cached] = await both(device, { rates: { stem: { frozen: true } } }, async (trainer) => {
      await trainer.fit(images, { epochs: 2 });
      const kept = await trainer.save();
      const weight = (await trainer.weights()).get("stem.0.weight")?.data as Float32Array;
      trainer.setWeights({ "stem.0.weight": weight.map((value) => value * 2) });
      await trainer.fit(images, { epochs: 1 });
      await trainer.evaluate(images);
      await trainer.step({ x: images.x.slice(0, 64), y: [1] });
      await trainer.fit(images, { epochs: 1 });
      trainer.load(kept);
      await trainer.fit(images, { epochs: 1 });
      trainer.rates.unfreeze("stem");
      await trainer.fit(images, { epochs: 1 });
      trainer.rates.freeze("stem");
      await trainer.fit(images, { epochs: 1 });
    });
    expect(cached).toEqual(plain);
  }));

test("is made anew when frozen weights are set while it is computed", () =>
  guarded(async (device) => {
    const options = { rates: { stem: { frozen: true } }, cacheFrozen: true } as const;
    const before = await trainerOn(device, options);
    const weight = (await before.weights()).get("stem.0.weight")?.data as Float32Array;
    const twice = (trainer: Trainer): void => trainer.setWeights({ "stem.0.weight": weight.map((value) => value * 2) });
    twice(before);
    await before.fit(images);

    const during = await trainerOn(device, options);
    const { queue } = device;
    queue.submit = (buffers) => {
      Reflect.deleteProperty(queue, "submit");
      queue.submit(buffers);
      twice(during); // the first submission of a fit is that of features
    };
    await during.fit(images);
    const bits = async (trainer: Trainer) => [...(await trainer.weights()).values()].map(({ data }) => hash(data));
    expect(await bits(during)).toEqual(await bits(before));
  }));

test("leaves the frozen layers' dispatches out of a step, and computes features once", () =>
  guarded(async (device) => {
    const dispatches = async (cacheFrozen: boolean, epochs: number): Promise<number> => {
      const trainer = await trainerOn(device, { cacheFrozen, rates: { stem: { frozen: true } } });
      let count = 0;
      const dispatch = GPUComputePassEncoder.prototype.dispatchWorkgroups;
      GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...sizes) {
        count++;
        return dispatch.apply(this, sizes);
      };
      try {
        await trainer.fit(images, { epochs });
      } finally {
        GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatch;
      }
      return count;
    };
    const steps = Math.ceil(21 / 4);
    const [plain, cached, more] = [await dispatches(false, 1), await dispatches(true, 1), await dispatches(true, 2)];
    // Convolution and pooling leave each step, where one that stood beside others is by itself then; once they stand before it, with their gather.
    expect([plain, more - cached]).toEqual([8 * steps, 7 * steps]);
    expect(cached - (more - cached)).toBe(3 * steps);
  }));

test("has no place where two values cross over, and says how much it would need where there is no room", () =>
  guarded(async (device) => {
    const branched = sequential({ stem: dense(8), body: [residual([dense(8), relu()]), relu()], head: dense(3) });
    const options = { device, input: [64], batch: 4, loss: crossEntropy(), cacheFrozen: true } as const;
    const trainer = await compile(branched, { ...options, rates: { "body.0.**": { frozen: true } } });
    await trainer.fit(images, { epochs: 1 });
    const wide = sequential({ stem: dense(2 ** 16), head: dense(3) });
    const large = await compile(wide, { ...options, rates: { stem: { frozen: true } } });
    const many = { x: new Uint8Array(64 * 600), y: new Uint8Array(600) };
    await expect(large.fit(many)).rejects.toThrow(
      "cacheFrozen: the activations of 600 samples need 150.0 MB, this device allows 128.0 MB.",
    );
  }));
