// What a sampled step tells of each layer, against f64 from gradients and weights that were read; and that looking changes
// nothing.

import { expect, test } from "vitest";
import { countPerStep } from "../../demo/train/count.ts";
import {
  type CompileOptions,
  compile,
  dense,
  guard,
  meanSquaredError,
  type StepStatistics,
  sequential,
  sgd,
  stepLR,
  updateRatio,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, layerOf, norm, samples, slice, small } from "./small.ts";

const settings: Record<string, Partial<CompileOptions>> = {
  plain: { schedule: stepLR({ steps: 2, gamma: 0.5 }), rates: { head: 0.03 } },
  accumulated: { accumulate: 3, rates: { head: { optimizer: sgd({ lr: 0.1, momentum: 0.9 }) } } },
  clipped: { clip: { layerNorm: 0.05 }, optimizer: sgd({ lr: 0.1 }) },
  "clipped by value": { clip: { value: 0.01 }, optimizer: sgd({ lr: 0.1 }) },
  controlled: { control: [guard(), updateRatio({ layers: "stem" })], clip: { norm: 0.1 }, averaging: 0.9 },
};
const close = (found: number, wanted: number, place: string): void =>
  expect(Math.abs(found - wanted), `${place}: ${found} and ${wanted}`).toBeLessThanOrEqual(
    2e-5 * Math.abs(wanted) + 1e-12,
  );

test.each(Object.entries(settings))("%s: every number is that of f64", (_, options) =>
  guarded(async (device) => {
    const accumulate = (options.accumulate as number | undefined) ?? 1;
    const data = samples(8 * accumulate * 6);
    const trainer = await small(device, options);
    for (let step = 0; step < 6; step++) {
      const before = await trainer.weights();
      const mean = new Map<string, number[]>();
      for (let micro = 0; micro < accumulate; micro++) {
        const first = 8 * (step * accumulate + micro);
        const { gradients } = await trainer.gradients(slice(data, first, first + 8));
        for (const [name, { data: found }] of gradients) {
          const sum = mean.get(name) ?? [...found].map(() => 0);
          mean.set(
            name,
            sum.map((value, i) => value + (found[i] as number) / accumulate),
          );
        }
      }
      const lrs = trainer.rates.table().map(({ lr }) => lr);
      const seen: StepStatistics[] = [];
      await trainer.fit(data, {
        steps: 1,
        resume: true,
        shuffle: false,
        statsEvery: 1,
        onStats: (found) => seen.push(found),
      });
      const after = await trainer.weights();
      expect(seen.map(({ step: number, layers }) => [number, ...layers.map(({ name }) => name)])).toEqual([
        [step + 1, "stem.0", "body.0", "head"],
      ]);
      for (const [i, layer] of (seen[0] as StepStatistics).layers.entries()) {
        const place = `${layer.name} at step ${step + 1}`;
        const own = [...before.keys()].filter((name) => layerOf(name) === layer.name);
        const weights = own.flatMap((name) => [...(before.get(name)?.data ?? [])]);
        const moved = own.flatMap((name) => [...(after.get(name)?.data ?? [])]);
        const weight = norm(weights);
        const gradients = own.flatMap((name) => mean.get(name) as number[]);
        const most =
          options.clip !== undefined && "value" in options.clip ? options.clip.value : Number.POSITIVE_INFINITY;
        close(layer.gradient, norm(gradients.map((g) => Math.max(-most, Math.min(most, g)))), `${place}: gradient`);
        close(layer.weight, weight, `${place}: weight`);
        close(layer.ratio, norm(moved.map((value, at) => value - (weights[at] as number))) / weight, `${place}: ratio`);
        close(layer.lr, (lrs[i] as number) * layer.scale, `${place}: lr`);
        expect(layer.ratio).toBeGreaterThan(0);
        expect(layer.nonFinite).toBe(0);
        expect(layer.scale === 1, `${place}: scale ${layer.scale}`).toBe(
          options.control === undefined || layer.name !== "stem.0" || step === 0,
        );
      }
    }
  }),
);

test.each(Object.entries(settings))(
  "%s: exactly every n-th update is told, in order, and looking moves no bit",
  (_, options) =>
    guarded(async (device) => {
      const data = samples(70);
      const [watched, alone] = [await small(device, options), await small(device, options)];
      await alone.fit(data, { epochs: 6 });
      const told: string[] = [];
      await watched.fit(data, {
        epochs: 6,
        statsEvery: 4,
        onStats: ({ step }) => told.push(`stats ${step}`),
        onStep: ({ step }) => told.push(`step ${step}`),
      });
      const steps = Array.from({ length: watched.steps }, (_, i) => i + 1);
      expect(told).toEqual(steps.flatMap((step) => [`step ${step}`, ...(step % 4 === 0 ? [`stats ${step}`] : [])]));
      expect(watched.steps).toBe(6 * Math.ceil(9 / ((options.accumulate as number | undefined) ?? 1)));
      expect(await watched.save()).toEqual(await alone.save());
    }),
);

test("a frozen layer has no rate, no gradient and no step", () =>
  guarded(async (device) => {
    const data = samples(24);
    const trainer = await small(device);
    const seen: StepStatistics[] = [];
    const watch = { epochs: 1, statsEvery: 3, onStats: (found: StepStatistics) => seen.push(found) };
    await trainer.fit(data, watch);
    trainer.rates.freeze("stem");
    await trainer.fit(data, watch);
    const [first, second] = seen.map(({ layers }) => layers[0]);
    expect(first).toMatchObject({ name: "stem.0", lr: 0.01, scale: 1 });
    expect(first?.ratio).toBeGreaterThan(0);
    expect(second).toMatchObject({ name: "stem.0", lr: 0, gradient: 0, ratio: 0, scale: 1 });
    expect(second?.weight).toBeGreaterThan(0);
  }));

test("gradients that are not finite, or beyond 2^48, are counted, and a layer that a guard holds has not moved", () =>
  guarded(async (device) => {
    const trainer = await compile(sequential({ only: dense(1) }), {
      device,
      input: [3],
      batch: 1,
      loss: meanSquaredError(),
      optimizer: sgd({ lr: 1e-3 }),
      control: [guard({ rest: 2 })],
    });
    trainer.setWeights({ "only.weight": [0, 1, 2], "only.bias": [0] });
    const seen: StepStatistics[] = [];
    const data = { x: [0, 1, 1, 1e25, 0, 1, 0, 1, 1, 0, 1, 1], y: [1, 1e15, 1, 1] };
    await trainer.fit(data, { shuffle: false, statsEvery: 1, onStats: (found) => seen.push(found) });
    const layers = seen.map(({ layers: [layer] }) => layer);
    expect(layers.map((layer) => layer?.nonFinite)).toEqual([0, 3, 0, 0]);
    expect(layers.map((layer) => [layer?.lr, layer?.scale].map((value) => value?.toFixed(6)))).toEqual([
      ["0.001000", "1.000000"],
      ["0.000000", "0.000000"],
      ["0.000000", "0.000000"],
      ["0.000505", "0.505000"],
    ]);
    expect(layers.map((layer) => (layer?.ratio ?? 0) > 0)).toEqual([true, false, false, true]);
    expect(layers.every((layer) => Number.isFinite(layer?.gradient))).toBe(true);
    expect([...(await trainer.weights()).values()].every(({ data: values }) => values.every(Number.isFinite))).toBe(
      true,
    );
  }));

test("it costs buffers at its first use, and nothing after that", () =>
  guarded(async (device) => {
    const data = samples(80);
    const trainer = await small(device);
    const run = (steps: number, options: object): Promise<unknown> =>
      trainer.fit(data, { epochs: 1000, steps, ...options });
    await run(10, {});
    const unseen = await countPerStep(10, () => run(10, {}));
    const seen: StepStatistics[] = [];
    const watch = { statsEvery: 2, onStats: (found: StepStatistics) => seen.push(found) };
    const first = await countPerStep(1, () => run(10, watch));
    const later = await countPerStep(10, () => run(10, watch));
    const last = await countPerStep(10, () => run(10, {}));
    expect(seen).toHaveLength(10);
    expect(unseen.createBuffer).toBe(0);
    expect(first.createBuffer).toBeGreaterThan(0);
    expect(first.createBuffer).toBeLessThanOrEqual(3 + 3);
    for (const counts of [unseen, later, last]) {
      expect(counts.createBuffer + counts.createBindGroup + counts.createComputePipeline).toBe(0);
      expect(counts.submits).toBeLessThanOrEqual(1);
    }
    expect(last.dispatches).toBe(unseen.dispatches);
    // Norms of blocks, norms of rows: twice each in ten steps of which five look.
    expect(later.dispatches).toBe(unseen.dispatches + 1);
    const other = await small(device);
    await other.fit(data, { epochs: 5 });
    expect(bits(await other.weights())).toEqual(bits(await trainer.weights()));
  }));
