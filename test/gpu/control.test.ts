// The controllers on the GPU: sequences of updates with each of them, and with all together, against the simulation in f64; and
// what a layer at rest means for its own bits and for those of the others.

import { describe, expect, test } from "vitest";
import type { Controller } from "../../src/kernels/control.ts";
import { autoRgn } from "../../src/optim/controller/auto-rgn.ts";
import { guard } from "../../src/optim/controller/guard.ts";
import { hypergradient } from "../../src/optim/controller/hypergradient.ts";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { updateRatio } from "../../src/optim/controller/update-ratio.ts";
import { adam, adamw } from "../../src/optim/rule/adam.ts";
import { lars, sgd } from "../../src/optim/rule/sgd.ts";
import type { UpdateSettings } from "../../src/step/update.ts";
import { checkSequence, expectSameBits, type Left, runSequence, type Sequence } from "./sequence.ts";

const layers = [[300, 3], [257], [1, 255], [511, 1000]];
/** Rows 3 and 4 are layer 2; row 6 is a part of layer 3. */
const frozenInTheMiddle = (step: number, row: number): boolean =>
  ((row === 3 || row === 4) && (step === 3 || step === 4)) || (row === 6 && step === 2);
const base: Sequence = { layers, optimizers: [adamw({ lr: 0.01, weightDecay: 0.1 })], steps: 9 };
const momentum = sgd({ lr: 0.05, momentum: 0.9, weightDecay: 0.01 });
const losses = [3, 2, 2.5, 2.5, 2.5, 2.4, 2.4, 2.4, 2.4];
const lossAt = (step: number): number => losses[step - 1]!;

const controllers: readonly (readonly [string, Controller])[] = [
  ["guard", guard({ warmup: 2, rest: 3 })],
  ["updateRatio", updateRatio({ target: 0.02, power: 0.5 })],
  ["autoRgn", autoRgn({ steps: 3, min: 0.1 })],
  ["hypergradient", hypergradient({ rate: 0.2 })],
  ["plateau", lossPlateau({ steps: 2, patience: 1, factor: 0.5, cooldown: 1, min: 0.2 })],
];
const all = controllers.map(([, controller]) => controller);

describe.each(controllers)("%s", (name, controller) => {
  test.each([
    ["adamw", base.optimizers[0]!, [1, 1e-4, 1e4]],
    ["sgd with momentum", momentum, [1, 1e-4]],
  ])("steers %s, a layer frozen in the middle", async (_, optimizer, scales) => {
    for (const scale of scales) {
      const left = await checkSequence({
        ...base,
        optimizers: [optimizer],
        settings: { controllers: [controller] },
        isFrozen: frozenInTheMiddle,
        scale,
        lossAt,
      });
      const [first, last] = [left[0]!.state, left.at(-1)!.state];
      expect(last).not.toEqual(first);
      if (name === "guard") expect(left.at(-1)!.alarms).toEqual([0, 0, 0, 0]);
    }
  });

  test("leaves the layers alone that it does not steer", async () => {
    const settings = { controllers: [controller] };
    const [left] = (await checkSequence({ ...base, settings, steers: (layer) => layer !== 1, lossAt })).slice(-1);
    const start = (await runSequence({ ...base, settings, steers: () => false, steps: 1 }))[0]!.state;
    expect(left!.state.subarray(16, 32)).toEqual(start.subarray(16, 32));
  });
});

describe("all controllers together", () => {
  const settings: Partial<UpdateSettings> = { controllers: all, clip: { most: 3, byLayer: false } };

  test.each([0.1, 1e4])("with three rules side by side, clipping and gradients x %s", async (scale) => {
    await checkSequence({
      layers,
      optimizers: [adamw({ lr: 0.01 }), momentum, adam({ lr: 0.01, weightDecay: 0.1 })],
      ruleOf: (row) => row % 3,
      settings: { ...settings, clamp: 2 * scale },
      isFrozen: frozenInTheMiddle,
      steps: 9,
      scale,
      lossAt,
    });
  });

  test("of 70 layers, each with its own", async () => {
    const many = Array.from({ length: 70 }, (_, i) => [1 + (i % 5), 255 + (i % 4)]);
    const names = all.map(({ name }) => name);
    await checkSequence({
      layers: many,
      optimizers: [adamw({ lr: 0.01 })],
      settings,
      steers: (layer, name) => names.indexOf(name) === layer % 6 || layer % 7 === 0,
      isFrozen: (step, row) => row % 11 === 5 && step > 2,
      lossAt,
    });
  });
});

test("one row more than a uniform holds changes no bit of the others: the table is storage then", async () => {
  const many = Array.from({ length: 16 }, (_, i) => Array.from({ length: 256 }, (_, row) => 1 + ((row + i) % 3)));
  const one: Sequence = {
    layers: many,
    optimizers: [adamw({ lr: 0.01 }), lars()],
    ruleOf: (row) => row % 2,
    settings: { controllers: all, clip: { most: 3, byLayer: true }, average: true },
    steers: (layer) => layer < 16,
    isFrozen: (_, row) => row % 9 === 5,
    steps: 1,
  };
  const [uniform, storage] = [await runSequence(one), await runSequence({ ...one, layers: [...many, [2]] })];
  const cut = ({ arenas, rows, state, alarms, ...left }: Left): Left => ({
    ...left,
    arenas: new Map([...arenas].map(([name, own]) => [name, own.slice(0, 4096)])),
    rows: rows.subarray(0, 4096 * 4),
    state: state.subarray(0, 256),
    alarms: alarms.slice(0, 16),
  });
  expectSameBits(storage.map(cut), uniform);
  expect(new Set(uniform[0]!.rows).size).toBeGreaterThan(16);
});

test("a rule with three moments, clipped and measured, stays within the buffers that every device allows", async () => {
  const settings = { controllers: [updateRatio()], clip: { most: 3, byLayer: false } };
  await checkSequence({ ...base, optimizers: [adamw({ lr: 0.01, amsgrad: true })], settings, steps: 3 });
});

describe("clipping", () => {
  test.each([false, true])("by norm, by layer: %s", async (byLayer) => {
    for (const [scale, most] of [
      [1, 30],
      [1e-4, 1e-4],
      [1e4, 10],
    ] as const) {
      const isFrozen = frozenInTheMiddle;
      const settings = { clip: { most, byLayer } };
      const left = await checkSequence({
        ...base,
        optimizers: [momentum],
        settings,
        scale,
        isFrozen,
        reads: ["scales"],
      });
      const factors = left
        .at(-1)!
        .read.get("scales")!
        .filter((_, i) => i % 2 === 0);
      expect(Math.min(...factors)).toBeLessThan(1);
      expect(new Set(factors).size > 1).toBe(byLayer);
    }
  });

  test("comes after the clamp, and both may act on one number", async () => {
    const settings = { clip: { most: 10, byLayer: false }, clamp: 0.5 };
    await checkSequence({ ...base, optimizers: [momentum], settings });
  });
});

describe("the guard", () => {
  /** Of weights and moments; means go on where a layer rests. */
  const bits = (left: Left, from: number, to: number, means = true): Uint32Array[] =>
    [...left.arenas].flatMap(([name, rows]) =>
      name === "average" && !means
        ? []
        : rows.slice(from, to).map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length)),
    );
  /** The row of layer 1, which goes wrong at step 4. */
  const [row, wrong, rest] = [2, 4, 3];
  const spoilt = (value: number) => (usual: Float64Array, step: number, at: number) =>
    at === row && step === wrong ? usual.map((g, i) => (i === 256 ? value * g : g)) : usual;

  describe.each<[string, Partial<UpdateSettings>]>([
    ["alone", {}],
    ["with clipping by the norm of all gradients", { clip: { most: 20, byLayer: false } }],
    ["with clamping", { clamp: 1 }],
    [
      "with autoRgn and a running mean",
      { controllers: [guard({ warmup: 2, rest }), autoRgn({ steps: 3 })], average: true },
    ],
  ])("%s", (_, more) => {
    const settings = { controllers: [guard({ warmup: 2, rest })], ...more };

    test.each(
      more.clamp === undefined
        ? [Number.NaN, Number.POSITIVE_INFINITY, 1e4, 1e25]
        : [Number.NaN, Number.POSITIVE_INFINITY],
    )("lets a layer rest whose gradient is %s, and no other layer notices", async (value) => {
      const left = await checkSequence({ ...base, settings, gradient: spoilt(value) });
      const isFrozen = (step: number, at: number): boolean => at === row && step >= wrong && step < wrong + rest;
      const quiet = await runSequence({ ...base, settings, isFrozen });
      for (const [i, own] of left.entries()) {
        const step = i + 1;
        const rests = isFrozen(step, row);
        expect(own.alarms).toEqual([0, step < wrong ? 0 : wrong, 0, 0]);
        if (rests) expect(bits(own, row, row + 1, false)).toEqual(bits(left[i - 1]!, row, row + 1, false));
        else if (i > 0) expect(bits(own, row, row + 1)).not.toEqual(bits(left[i - 1]!, row, row + 1));
        if (settings.controllers.length === 1 || step < wrong + rest) {
          expect(bits(own, 0, row)).toEqual(bits(quiet[i]!, 0, row));
          expect(bits(own, row + 1, 7)).toEqual(bits(quiet[i]!, row + 1, 7));
        }
      }
      expect(left[wrong + rest - 1]!.state[16]).toBeCloseTo(0.5 * 1.01, 6);
    });
  });

  test("halves again after a second alarm, and comes back in steps", async () => {
    const settings = { controllers: [guard({ warmup: 1, rest: 1, recovery: 1.5 })] };
    const gradient = (usual: Float64Array, step: number, at: number) =>
      at === row && (step === 3 || step === 4) ? usual.map(() => Number.NaN) : usual;
    const left = await checkSequence({ ...base, settings, gradient, steps: 9 });
    expect(left.map(({ state }) => state[16])).toEqual([1, 1, 0.5, 0.25, 0.375, 0.5625, 0.84375, 1, 1]);
  });
});

test("a bad gradient in a layer that no guard steers halts the step, whatever others do, and is named", async () => {
  const gradient = (usual: Float64Array, step: number, row: number): Float64Array =>
    step === 3 && row >= 2 && row <= 4 ? usual.with(0, row === 3 ? 1e20 : Number.NaN) : usual;
  const steers = (layer: number, name: string): boolean => name !== "guard" || layer === 1;
  const settings = { controllers: all, clip: { most: 3, byLayer: true }, average: true };
  const left = await runSequence({ ...base, settings, gradient, steers, lossAt, steps: 4, reads: ["scales", "moved"] });
  for (const key of ["arenas", "state", "read", "alarms"] as const) expect(left[2]![key], key).toEqual(left[1]![key]);
  expect(left.map(({ status }) => status)).toEqual([
    [0, 0],
    [0, 0],
    [3, 5],
    [0, 0],
  ]);
  expect(left[3]!.arenas).not.toEqual(left[1]!.arenas);
  expect(left[3]!.state).not.toEqual(left[1]!.state);
});

test("the plateau waits where there is no loss, as with gradients from outside", async () => {
  const settings = { controllers: [lossPlateau({ steps: 1, patience: 0, factor: 0.5 })] };
  const left = await runSequence({ ...base, settings, lossAt: () => undefined });
  for (const { state } of left) expect(state).toEqual(left[0]!.state);
});

test("nothing moves and nothing is learnt while a bad loss is marked", async () => {
  const isBad = (step: number): boolean => step === 3 || step === 4;
  const settings = { controllers: all, clip: { most: 3, byLayer: true }, average: true };
  const left = await checkSequence({ ...base, settings, isBad, lossAt });
  for (const i of [2, 3]) {
    expect(left[i]!.arenas).toEqual(left[1]!.arenas);
    expect(left[i]!.state).toEqual(left[1]!.state);
  }
  expect(left[4]!.arenas).not.toEqual(left[1]!.arenas);
});
