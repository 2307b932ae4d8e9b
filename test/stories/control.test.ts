// Rules that learn the rates, and what else stands around the update: each does what it is for, goes on from a checkpoint to
// the same bytes, and none of them asks the host for anything.

import { expect, test } from "vitest";
import { startCounting } from "../../demo/train/count.ts";
import {
  adamw,
  autoRgn,
  type CompileOptions,
  guard,
  hypergradient,
  type LayerStatistics,
  lossPlateau,
  oneCycleMomentum,
  type StepStatistics,
  sgd,
  type Trainer,
  updateRatio,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, samples, slice, small } from "./small.ts";

const momentum = sgd({ lr: 0.05, momentum: 0.9 });
const controls = {
  guard: { control: [guard({ warmup: 3, factor: 1.2, rest: 3 })] },
  updateRatio: { control: [updateRatio()] },
  autoRgn: { control: [autoRgn({ steps: 3, min: 0.01 })] },
  hypergradient: { control: [hypergradient({ layers: "body" })] },
  lossPlateau: { control: [lossPlateau({ steps: 2, patience: 1, threshold: 0.05, factor: 0.5 })] },
} satisfies Record<string, Partial<CompileOptions>>;
const all: Partial<CompileOptions> = {
  control: Object.values(controls).flatMap(({ control }) => control),
  clip: { norm: 0.5 },
  accumulate: 2,
  averaging: 0.9,
  momentum: oneCycleMomentum({ steps: 40 }),
  rates: { head: { optimizer: momentum } },
};
const settings: Record<string, Partial<CompileOptions>> = {
  clip: { clip: { norm: 0.5 } },
  "clip by layer": { clip: { layerNorm: 0.5 } },
  accumulate: { accumulate: 2 },
  averaging: { averaging: 0.9 },
  momentum: { momentum: oneCycleMomentum({ steps: 40 }) },
  ...controls,
  "all at once": all,
};

/** The statistics of every update of a fit, by layer. */
async function watched(trainer: Trainer, data: ReturnType<typeof samples>, steps: number) {
  const found: Record<string, LayerStatistics[]> = { "stem.0": [], "body.0": [], head: [] };
  await trainer.fit(data, {
    epochs: 1000,
    steps,
    shuffle: false,
    statsEvery: 1,
    onStats: ({ layers }: StepStatistics) => {
      for (const layer of layers) found[layer.name]?.push(layer);
    },
  });
  const numbers = Object.values(found).flatMap((layers) =>
    layers.flatMap(({ name: _, ...rest }) => Object.values(rest)),
  );
  expect(numbers).toHaveLength(steps * 3 * 6);
  expect(numbers.every(Number.isFinite)).toBe(true);
  return found;
}

test.each(Object.entries(settings))("%s: no submit, no readback and no object more than without it", (_, options) =>
  guarded(async (device) => {
    const data = samples(80);
    const trainer = await small(device, options);
    const run = (steps: number): Promise<unknown> => trainer.fit(data, { epochs: 1000, steps });
    await run(5);
    const counter = startCounting();
    const { mapAsync } = GPUBuffer.prototype;
    let maps = 0;
    GPUBuffer.prototype.mapAsync = function counting(...values) {
      maps++;
      return mapAsync.apply(this, values);
    };
    try {
      for (let step = 0; step < 10; step++) await run(1);
      const { submits, passes, createBuffer, createBindGroup, createComputePipeline } = counter.read();
      expect(createBuffer + createBindGroup + createComputePipeline).toBe(0);
      // One batch, one submission; the first batch of a fit goes alone.
      expect(submits).toBe(10 * ((options.accumulate as number | undefined) ?? 1));
      expect([passes, maps]).toEqual([submits, submits]);
    } finally {
      GPUBuffer.prototype.mapAsync = mapAsync;
      counter.stop();
    }
  }),
);

test.each(Object.entries(settings))(
  "%s: stopped, saved, loaded and continued: the bytes of never stopping",
  (_, options) =>
    guarded(async (device) => {
      const data = samples(60);
      const whole = await small(device, options);
      await whole.fit(data, { epochs: 5 });
      const steps = Math.floor(whole.steps / 3);
      const first = await small(device, options);
      await first.fit(data, { epochs: 5, steps });
      const second = await small(device, options);
      second.load(await first.save());
      await second.fit(data, { epochs: 5, resume: true });
      expect(await second.save()).toEqual(await whole.save());
      const without = await small(device, options.accumulate === undefined ? {} : { accumulate: options.accumulate });
      await without.fit(data, { epochs: 5 });
      const same = String([...bits(await without.weights())]) === String([...bits(await whole.weights())]);
      // Each of them has left its mark on the weights, but for what only adds up or looks on.
      expect(same).toBe("averaging" in options || options.accumulate !== undefined ? options !== all : false);
    }),
);

test("updateRatio brings every layer's step to its target", () =>
  guarded(async (device) => {
    const trainer = await small(device, { control: [updateRatio({ target: 2e-3 })], optimizer: adamw({ lr: 0.02 }) });
    for (const [name, layers] of Object.entries(await watched(trainer, samples(64), 160))) {
      expect(layers[0]?.ratio, name).toBeGreaterThan(6e-3);
      const last = layers.slice(-40).map(({ ratio }) => Math.log(ratio / 2e-3));
      expect(Math.abs(last.reduce((sum, value) => sum + value, 0) / 40), name).toBeLessThan(0.1);
      expect(layers.at(-1)?.scale, name).toBeLessThan(0.5);
    }
  }));

test("lossPlateau lowers the rates of its layers when the loss stands still", () =>
  guarded(async (device) => {
    const control = [lossPlateau({ steps: 2, patience: 2, factor: 0.5, min: 0.2, layers: "body" })];
    const trainer = await small(device, { control, optimizer: sgd({ lr: 1e-9 }) });
    const { "body.0": body, head } = await watched(trainer, samples(8), 24);
    // The first reading is the best; three more without progress are one too many, and so on.
    const wanted = Array.from({ length: 24 }, (_, i) => (i < 7 ? 1 : i < 13 ? 0.5 : i < 19 ? 0.25 : 0.2));
    expect(body?.map(({ scale }) => Math.fround(scale))).toEqual(wanted.map(Math.fround));
    expect(head?.every(({ scale }) => scale === 1)).toBe(true);
  }));

test("autoRgn gives the layer with the largest relative gradient its full rate, the others their share", () =>
  guarded(async (device) => {
    const trainer = await small(device, { control: [autoRgn({ steps: 5 })], optimizer: sgd({ lr: 0.05 }) });
    const found = await watched(trainer, samples(64), 23);
    for (let end = 5; end <= 20; end += 5) {
      const means = Object.values(found).map((layers) =>
        layers.slice(end - 5, end).reduce((sum, { gradient, weight }) => sum + gradient / weight, 0),
      );
      const wanted = means.map((mean) => mean / Math.max(...means));
      // From the last step of a window until the last but one of the next.
      for (const at of [end - 1, end, end + 2]) {
        for (const [i, layers] of Object.values(found).entries()) {
          expect(layers[at]?.scale).toBeCloseTo(wanted[i] as number, 5);
        }
      }
      expect(wanted).toContain(1);
    }
  }));

test("hypergradient raises the rate while gradients agree, and lowers it while they do not", () =>
  guarded(async (device) => {
    const data = samples(8);
    const flipped = {
      x: Float32Array.from([...data.x, ...data.x]),
      y: Uint8Array.from([...data.y, ...data.y.map((label) => 1 - label)]),
    };
    const options = { control: [hypergradient({ rate: 0.05 })], optimizer: sgd({ lr: 1e-3, momentum: 0.5 }) };
    const rising = (await watched(await small(device, options), data, 20)).head?.map(({ scale }) => scale) ?? [];
    const falling = (await watched(await small(device, options), flipped, 20)).head?.map(({ scale }) => scale) ?? [];
    expect([rising[0], falling[0]]).toEqual([1, 1]);
    for (let step = 1; step < 20; step++) {
      expect(rising[step]).toBeGreaterThan(rising[step - 1] as number);
      expect(falling[step]).toBeLessThan(falling[step - 1] as number);
    }
    expect(rising[19]).toBeGreaterThan(2);
    expect(rising[19]).toBeLessThanOrEqual(1.05 ** 19 * (1 + 1e-5));
  }));

test("a guard holds a layer through a burst, and lets it come back slowly", () =>
  guarded(async (device) => {
    const data = samples(8 * 30);
    for (let i = 8 * 6 * 12; i < 8 * 6 * 13; i++) data.x[i] = (data.x[i] as number) * 1e3;
    const control = [guard({ warmup: 5, rest: 4, recovery: 1.1, layers: "stem" })];
    const trainer = await small(device, { control, optimizer: sgd({ lr: 0.01 }) });
    const { "stem.0": stem, head } = await watched(trainer, data, 30);
    const scales = [...Array(12).fill(1), ...Array(4).fill(0), ...Array(14).fill(0)].map((scale, i) =>
      i < 16 ? scale : Math.min(1, 0.5 * 1.1 ** (i - 15)),
    );
    for (const [i, scale] of scales.entries()) expect(stem?.[i]?.scale, `step ${i + 1}`).toBeCloseTo(scale, 5);
    expect(stem?.map(({ ratio }) => ratio > 0)).toEqual(scales.map((scale) => scale > 0));
    expect(head?.every(({ scale }) => scale === 1)).toBe(true);
    expect(trainer.rates.table().map(({ updates }) => updates)).toEqual([26, 30, 30]);
  }));

test("a layer keeps its controllers whatever is assigned to it, and loading goes back on that", () =>
  guarded(async (device) => {
    const data = slice(samples(80), 0, 64);
    const options = { control: [updateRatio({ layers: "stem" })] };
    const trainer = await small(device, options);
    await trainer.fit(data, { epochs: 1 });
    const home = await trainer.save();
    const reference = await small(device, options);
    reference.load(home);
    await reference.fit(data, { epochs: 1 });

    trainer.rates.assign("stem", "head");
    await trainer.fit(data, { epochs: 1 });
    const away = await trainer.save();
    expect(bits(await trainer.weights())).not.toEqual(bits(await reference.weights()));
    const second = await small(device, options);
    second.load(away);
    for (const one of [second, trainer]) await one.fit(data, { epochs: 1 });
    expect(await second.save()).toEqual(await trainer.save());

    trainer.load(home);
    await trainer.fit(data, { epochs: 1 });
    expect(await trainer.save()).toEqual(await reference.save());
  }));
