// The noise of gradients: against f64 from the gradients of micro-batches, and against closed forms on a quadratic, (w + b - y)^2, whose
// gradients are known sample by sample.

import { expect, test } from "vitest";
import { countPerStep } from "../../demo/train/count.ts";
import { meanNoise, noiseScale } from "../../src/callbacks/index.ts";
import {
  type CompileOptions,
  compile,
  dense,
  guard,
  meanSquaredError,
  OptionError,
  type StepStatistics,
  sequential,
  sgd,
} from "../../src/index.ts";
import { stream } from "../../src/random.ts";
import { normals } from "../reference/numbers.ts";
import { guarded } from "./guarded.ts";
import { bits, samples, slice, small } from "./small.ts";

/** Estimates from the gradients of some batches of these sizes, in f64: the batches against their mean. */
function estimated(gradients: readonly (readonly number[])[], sizes: readonly number[]) {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const mean = (gradients[0] as number[]).map((_, i) =>
    gradients.reduce((sum, own, k) => sum + ((own[i] as number) * (sizes[k] as number)) / all, 0),
  );
  const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0);
  const [whole, parts] = [
    squares(mean),
    gradients.reduce((sum, own, k) => sum + (squares(own) * (sizes[k] as number)) / all, 0),
  ];
  const apart = (parts - whole) / (sizes.length - 1);
  return { signal: whole - apart, noise: apart * all };
}

const close = (found: number | undefined, wanted: number, yardstick: number, place: string): void =>
  expect(Math.abs((found ?? Number.NaN) - wanted), `${place}: ${found} and ${wanted}`).toBeLessThan(2e-5 * yardstick);

const settings: Record<string, Partial<CompileOptions>> = {
  plain: { optimizer: sgd({ lr: 0.1 }) },
  "clipped by value, with a guard": { clip: { value: 1e-3 }, control: [guard()], averaging: 0.9 },
  "a frozen layer": { rates: { "stem.*": { frozen: true } } },
};

// 8 x 4 and 8 x 3 + 5 samples an update, and 8 + 3 in the last one of an epoch.
test.each(Object.entries(settings))("%s: each estimate is that of f64", (_, options) =>
  guarded(async (device) => {
    const sizes = [8, 8, 8, 8, 8, 3];
    const data = samples(43);
    const trainer = await small(device, { accumulate: 4, noiseScale: noiseScale(), ...options });
    const updates = [sizes.slice(0, 4), sizes.slice(4)];
    for (let epoch = 0; epoch < 2; epoch++) {
      const told: StepStatistics[] = [];
      let first = 0;
      for (const [i, own] of updates.entries()) {
        const found = new Map<string, number[][]>();
        for (const size of own) {
          const { gradients } = await trainer.gradients(slice(data, first, first + size));
          for (const [name, { data: values }] of gradients) {
            const layer = name.slice(0, name.lastIndexOf("."));
            const all = found.get(layer) ?? found.set(layer, []).get(layer)!;
            all.push([...values]);
          }
          first += size;
        }
        await trainer.fit(data, {
          ...{ epochs: 1, steps: 1, shuffle: false, resume: i > 0, statsEvery: 1 },
          onStats: (statistics) => told.push(statistics),
        });
        const { layers, noise } = told.at(-1) as StepStatistics;
        const sums = { signal: 0, noise: 0, size: 0 };
        for (const layer of layers) {
          const gradients = found.get(layer.name);
          if (gradients === undefined) {
            expect(layer.noise).toBeUndefined();
            continue;
          }
          // Two tensors of a layer, batch by batch.
          const tensors = gradients.length / own.length;
          const joined = own.map((_, k) => gradients.slice(k * tensors, (k + 1) * tensors).flat());
          const wanted = estimated(joined, own);
          const size = joined.flat().reduce((sum, value) => sum + value * value, 0);
          close(layer.noise?.signal, wanted.signal, size, `${layer.name} signal`);
          close(layer.noise?.noise, wanted.noise, size * 32, `${layer.name} noise`);
          sums.signal += wanted.signal;
          sums.noise += wanted.noise;
          sums.size += size;
        }
        close(noise?.signal, sums.signal, sums.size, "signal of all");
        close(noise?.noise, sums.noise, sums.size * 32, "noise of all");
      }
      expect(told.map(({ step }) => step)).toEqual([2 * epoch + 1, 2 * epoch + 2]);
    }
  }),
);

const WIDTH = 300;
/** A row of numbers for each sample, around `middle`, with the deviation `spread`. */
const rows = (count: number, middle: number, spread: number) => ({
  x: new Float32Array(count).fill(1),
  y: Float32Array.from(normals(count * WIDTH, stream(7, "rows")), (value) => middle + spread * value),
});
const quadratic = (device: GPUDevice, options: Partial<CompileOptions>) =>
  compile(sequential({ a: dense(WIDTH, { initializer: "zeros" }) }), {
    ...{ device, input: [1], loss: meanSquaredError(), optimizer: sgd({ lr: 0 }), noiseScale: noiseScale() },
    ...options,
  });

test("on a quadratic the mean of many updates is the closed form, whatever the batches are", () =>
  guarded(async (device) => {
    const [middle, spread, count] = [0.5, 2, 2048];
    const data = rows(count, middle, spread);
    // A sample's gradient is -2 y / WIDTH for each of 2 WIDTH numbers: |G|^2 = 8 m^2 / WIDTH, tr(S) = 8 s^2 / WIDTH.
    const [signal, noise] = [(8 * middle ** 2) / WIDTH, (8 * spread ** 2) / WIDTH];
    for (const [batch, accumulate] of [
      [2, 2],
      [4, 8],
      [32, 4],
    ] as const) {
      const trainer = await quadratic(device, { batch, accumulate });
      const mean = meanNoise({ decay: 1 - 1e-9 });
      let last = mean({ step: 0, layers: [] });
      await trainer.fit(data, {
        statsEvery: 1,
        onStats: (found) => {
          last = mean(found);
        },
      });
      const [own, all] = [last.get("a"), last.get("")];
      expect(own).toEqual(all);
      // 600 numbers, half of them twice: the deviation of tr(S) over n degrees of freedom is sqrt(2 / n).
      const free = (count / batch - count / batch / accumulate) * WIDTH;
      expect(Math.abs((own?.noise ?? 0) / noise - 1)).toBeLessThan(4 * Math.sqrt(2 / free));
      expect(Math.abs((own?.signal ?? 0) / signal - 1)).toBeLessThan(0.05);
      expect((own?.scale ?? 0) / (noise / signal)).toBeCloseTo(1, 1);
    }
  }));

test("samples that are alike have no noise, whose rest is that of f32; what has no signal has an infinite scale", () =>
  guarded(async (device) => {
    const trainer = await quadratic(device, { batch: 4, accumulate: 4 });
    const told: StepStatistics[] = [];
    const look = (y: Float32Array<ArrayBuffer>) =>
      trainer.fit({ x: new Float32Array(16).fill(1), y }, { statsEvery: 1, onStats: (found) => told.push(found) });
    await look(new Float32Array(16 * WIDTH).fill(3));
    expect(told[0]?.noise?.noise).toBeLessThan(1e-10);
    expect(told[0]?.noise?.signal).toBeCloseTo((8 * 9) / WIDTH, 6);
    await look(Float32Array.from({ length: 16 * WIDTH }, (_, i) => (Math.floor(i / WIDTH / 4) % 2 === 0 ? 1 : -1.01)));
    expect(told[1]?.noise?.signal).toBeLessThan(0);
    expect(told[1]?.noise?.scale).toBe(Number.POSITIVE_INFINITY);
  }));

test("looking at the noise changes no bit, adds no submission, and costs nothing in the other steps", () =>
  guarded(async (device) => {
    const data = samples(8 * 32);
    const run = async (options: Partial<CompileOptions>, onStats?: () => void) => {
      const trainer = await small(device, { accumulate: 4, ...options });
      const through = () => trainer.fit(data, { lockstep: true, statsEvery: 4, ...(onStats && { onStats }) });
      await through();
      const counts = await countPerStep(1, through);
      return { weights: bits(await trainer.weights()), ...counts };
    };
    const asked = { noiseScale: noiseScale() };
    const [quiet, unasked] = [await run(asked), await run({})];
    expect(quiet).toEqual(unasked);
    const [watched, plain] = [await run(asked, () => undefined), await run({}, () => undefined)];
    expect(watched.weights).toEqual(plain.weights);
    expect(watched.submits).toBe(plain.submits);
    // Two of eight updates: a pass for each of four batches, and one over the rows.
    expect(watched.dispatches - plain.dispatches).toBe(2 * (4 + 1));
  }));

test("the same bits twice, from samples and from batches that come one by one", () =>
  guarded(async (device) => {
    const data = samples(70);
    const batches = Array.from({ length: 9 }, (_, i) => slice(data, i * 8, Math.min(70, i * 8 + 8)));
    const run = async (given: typeof data | typeof batches) => {
      const trainer = await small(device, { accumulate: 4, noiseScale: noiseScale() });
      const told: StepStatistics[] = [];
      await trainer.fit(given, { shuffle: false, statsEvery: 1, onStats: (found) => told.push(found) });
      return told;
    };
    const first = await run(data);
    expect(first).toHaveLength(3);
    // The last update has one batch, of which no noise is known.
    expect(first.map(({ noise }) => noise !== undefined)).toEqual([true, true, false]);
    expect(await run(data)).toEqual(first);
    expect(await run(batches)).toEqual(first);
  }));

test("one batch an update is refused", async () => {
  const refused = compile(sequential([dense(1)]), { input: [1], loss: meanSquaredError(), noiseScale: noiseScale() });
  await expect(refused).rejects.toThrow(OptionError);
  await expect(refused).rejects.toThrow("accumulate is 1. Give accumulate: 2 or more, with a smaller batch.");
  const wrong = compile(sequential([dense(1)]), { input: [1], loss: meanSquaredError(), noiseScale: true as never });
  await expect(wrong).rejects.toThrow("compile: noiseScale is true. Give noiseScale() of gradus/callbacks.");
});
