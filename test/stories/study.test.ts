// The pieces of the study that work in its page: what each method does to a trainer, and which digits a task is made of.

import { expect, test } from "vitest";
import { classes, digitsOf, SIZE } from "../../demo/study/digits.ts";
import { methodTable } from "../../demo/study/method.ts";
import { studyNetwork } from "../../demo/study/network.ts";
import { type MethodName, tasks } from "../../demo/study/plan.ts";
import { adamw, crossEntropy, type FitOptions, type Trainer } from "../../src/index.ts";
import { compile } from "./compile-here.ts";

const PIXELS = SIZE * SIZE;
const LAYERS = ["conv1.0", "conv2.0", "conv3.0", "hidden.0", "head"];

const samples = () => digitsOf({ part: "tuning", family: "all", drawn: { perClass: 2, seed: 3 } });

/** A method's trainer on 20 digits, after so many of 8 updates. */
async function tuned(method: MethodName, updates: number, onStats?: FitOptions["onStats"]): Promise<Trainer> {
  const trainer = await compile(studyNetwork(10), {
    ...{ input: [SIZE, SIZE, 1], batch: 10, loss: crossEntropy(), optimizer: adamw({ lr: 1e-3 }) },
    ...methodTable[method](8),
  });
  const watched = onStats === undefined ? {} : { onStats, statsEvery: 1 };
  if (updates > 0) await trainer.fit(await samples(), { steps: updates, epochs: updates, ...watched });
  return trainer;
}

const active = (trainer: Trainer): string[] =>
  trainer.rates
    .table()
    .filter(({ state }) => state === "active")
    .map(({ name }) => name);

test.each([
  ["one-rate", 0, LAYERS],
  ["head-only", 0, ["head"]],
  ["gradual", 0, ["head"]],
  ["gradual", 2, ["conv3.0", "hidden.0", "head"]],
  ["gradual", 4, LAYERS],
] as const)("%s after %d of 8 updates trains %j", async (method, updates, layers) => {
  const trainer = await tuned(method, updates);
  expect(active(trainer)).toEqual(layers);
  trainer.dispose();
});

test.each([
  ["layer-decay", [0.65 ** 4, 0.65 ** 3, 0.65 ** 2, 0.65, 1]],
  ["gradual", [2.6 ** -4, 2.6 ** -3, 2.6 ** -2, 1 / 2.6, 1]],
  ["input-first", [1, 0.65, 0.65 ** 2, 0.65 ** 3, 0.65 ** 4]],
] as const)("%s multiplies the rates by %j", async (method, expected) => {
  const trainer = await tuned(method, 0);
  for (const [i, { multiplier }] of trainer.rates.table().entries()) expect(multiplier).toBeCloseTo(expected[i]!, 12);
  trainer.dispose();
});

test("auto-rgn gives the layer of the largest relative gradient a factor of 1, and others less", async () => {
  const found: (readonly number[])[] = [];
  const trainer = await tuned("auto-rgn", 8, ({ layers }) => found.push(layers.map(({ scale }) => scale)));
  expect(found.slice(0, 4)).toEqual(found.slice(0, 4).map((scales) => scales.map(() => 1)));
  for (const scales of found.slice(4)) {
    expect(Math.max(...scales)).toBe(1);
    expect(Math.min(...scales)).toBeLessThan(0.9);
    expect(Math.min(...scales)).toBeGreaterThan(0);
  }
  expect(found).toHaveLength(8);
  trainer.dispose();
});

test.each(tasks)("$name has its digits: so many of each class, and none of them in another part", async (task) => {
  const [drawn, again, other] = await Promise.all(
    [7, 7, 8].map((seed) => digitsOf({ ...task, part: "tuning", drawn: { perClass: task.perClass, seed } })),
  );
  const found = new Array<number>(classes(task.family)).fill(0);
  for (const y of drawn!.y) found[y]!++;
  expect(found).toEqual(found.map(() => task.perClass));
  expect(again).toEqual(drawn);
  expect(other!.x).not.toEqual(drawn!.x);

  const [tuning, validation] = await Promise.all([
    digitsOf({ ...task, part: "tuning" }),
    digitsOf({ ...task, part: "validation", count: 200 }),
  ]);
  const images = ({ x, y }: typeof tuning): Set<string> =>
    new Set(Array.from(y, (_, i) => x.subarray(i * PIXELS, (i + 1) * PIXELS).join()));
  const own = images(tuning);
  for (const image of images(drawn!)) expect(own.has(image)).toBe(true);
  for (const image of images(validation)) expect(own.has(image)).toBe(false);
});

test("shifts change images or labels as they say", async () => {
  const [plain, inverted, flipped, noisy, fresh] = await Promise.all([
    digitsOf({ part: "test", family: "all", count: 50 }),
    digitsOf({ part: "test", family: "all", count: 50, shift: "inversion" }),
    digitsOf({ part: "test", family: "all", count: 50, shift: "flipped labels" }),
    digitsOf({ part: "test", family: "all", count: 50, shift: "noise" }),
    digitsOf({ part: "test", family: "low", count: 5, shift: "new digits" }),
  ]);
  expect([...plain.y.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  expect([...fresh.y]).toEqual([2, 4, 0, 4, 1]); // 7, 9, 5, 9, 6
  expect([...flipped.y]).toEqual([...plain.y].map((y) => 9 - y));
  expect(flipped.x).toEqual(plain.x);
  expect([...inverted.x]).toEqual([...plain.x].map((pixel) => 255 - pixel));
  expect(noisy.y).toEqual(plain.y);
  expect(noisy.x.filter((pixel, i) => pixel !== plain.x[i]).length).toBeGreaterThan(0.4 * plain.x.length);
});
