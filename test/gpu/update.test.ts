// What holds for the one update dispatch whatever the rule: the length of each block's step, clipping, rules side by side, momentum
// that comes with the step, and updates in parts. The rules themselves have tests of their own names.

import { describe, expect, test } from "vitest";
import { autoRgn } from "../../src/optim/controller/auto-rgn.ts";
import { guard } from "../../src/optim/controller/guard.ts";
import { hypergradient } from "../../src/optim/controller/hypergradient.ts";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { updateRatio } from "../../src/optim/controller/update-ratio.ts";
import { adadelta } from "../../src/optim/rule/adadelta.ts";
import { adagrad } from "../../src/optim/rule/adagrad.ts";
import { adam, adamw, lamb } from "../../src/optim/rule/adam.ts";
import { adamax } from "../../src/optim/rule/adamax.ts";
import { lion } from "../../src/optim/rule/lion.ts";
import { nadam } from "../../src/optim/rule/nadam.ts";
import { radam } from "../../src/optim/rule/radam.ts";
import { rmsprop } from "../../src/optim/rule/rmsprop.ts";
import { lars, sgd } from "../../src/optim/rule/sgd.ts";
import { BLOCK } from "../../src/plan/layout.ts";
import { complaint } from "../reference/compare.ts";
import { norm } from "../reference/norm.ts";
import { exact, single } from "../reference/twin.ts";
import { checkSequence, expectSameBits, runSequence, type Sequence } from "./sequence.ts";

const layers = [[1, 3], [255, 256], [257, 511], [1000]];
const isFrozen = (step: number, row: number): boolean => row === 3 && step > 1;
const all = [
  ["sgd", sgd({ momentum: 0.9, dampening: 0.1, lr: 0.01 })],
  ["adamw", adamw({ weightDecay: 0.1 })],
  ["adam with amsgrad", adam({ amsgrad: true })],
  ["adagrad", adagrad()],
  ["adadelta", adadelta()],
  ["rmsprop", rmsprop({ momentum: 0.8, centered: true })],
  ["adamax", adamax()],
  ["nadam", nadam()],
  ["radam", radam()],
  ["lion", lion({ weightDecay: 0.1 })],
] as const;

test.each(all)("%s leaves the squared length of each block's step", async (_, optimizer) => {
  for (const [scale, software] of [
    [1, true],
    [1, false],
    [1e-4, true],
    [1e4, false],
  ] as const) {
    const one: Sequence = {
      software,
      layers,
      optimizers: [optimizer],
      isFrozen,
      sampled: true,
      reads: ["moved"],
      scale,
      steps: 3,
    };
    const left = await runSequence(one);
    for (const [k, { read, arenas }] of left.entries()) {
      if (k === 0) continue;
      let block = 0;
      for (const [row, after] of arenas.get("parameters")!.entries()) {
        const before = left[k - 1]!.arenas.get("parameters")![row]!;
        const step = Float64Array.from(after, (p, i) => p - before[i]!);
        for (let at = 0; at < step.length; at += BLOCK) {
          const got = read.get("moved")![block++]!;
          if (isFrozen(k + 1, row)) continue;
          const part = step.subarray(at, at + BLOCK);
          const [right, near] = [exact, single].map((round) =>
            Float64Array.of(norm(part, part, part, undefined, round)[1]),
          );
          const name = `step ${k + 1}, row ${row}, block at ${at}`;
          expect(complaint({ name, shape: [1], got: [got], expected: right!, sequential: near! })).toBeUndefined();
          if (scale === 1) expect(got).toBeGreaterThan(0);
        }
      }
    }
  }
});

test.each([1, 1e-4, 1e4])("gradients x %s are clipped by value", async (scale) => {
  const optimizers = [scale > 1 ? adamw() : sgd({ momentum: 0.9, lr: 0.1 })];
  const one: Sequence = { layers, optimizers, isFrozen, scale };
  const [clamped] = await checkSequence({ ...one, settings: { clamp: scale / 2 } });
  const [free] = await runSequence(one);
  expect(clamped!.arenas.get("moment1")).not.toEqual(free!.arenas.get("moment1"));
});

test("a norm within its bound changes no bit", async () => {
  const one: Sequence = { layers, optimizers: [adamw()], isFrozen };
  const [free, clipped] = [
    await runSequence(one),
    await runSequence({ ...one, settings: { clip: { most: 1e6, byLayer: false } } }),
  ];
  for (const [i, { arenas }] of clipped.entries()) expect(arenas).toEqual(free[i]!.arenas);
});

describe("rules side by side", () => {
  const lengths = all.flatMap((_, i) => [[300 + i], [1 + i]]);
  const ruleOf = (row: number): number => row >> 1;

  test("give each row the bits that it has alone", async () => {
    const one: Sequence = { layers: lengths, optimizers: all.map(([, optimizer]) => optimizer), ruleOf, steps: 3 };
    const together = await runSequence(one);
    for (const [i, [name, optimizer]] of all.entries()) {
      const alone = await runSequence({ layers: lengths, optimizers: [optimizer], steps: 3 });
      for (const arena of ["parameters", ...optimizer.rule.moments]) {
        for (const row of [2 * i, 2 * i + 1])
          expect(together[2]!.arenas.get(arena)![row], `${arena} of ${name}`).toEqual(
            alone[2]!.arenas.get(arena)![row],
          );
      }
    }
  });

  test("agree with f64, twice the same rule with other numbers too", async () => {
    const optimizers = [
      sgd({ momentum: 0.9 }),
      adamw(),
      sgd({ momentum: 0.5, nesterov: true }),
      adam({ betas: [0.5, 0.9] }),
      sgd(),
    ];
    await checkSequence({ layers: lengths, optimizers, ruleOf: (row) => row % 5, isFrozen });
  });
});

test.each([
  ["sgd", sgd({ momentum: 0.9, lr: 0.01 })],
  ["sgd by Nesterov", sgd({ momentum: 0.9, nesterov: true, lr: 0.01 })],
  ["adam", adam()],
  ["adamw with amsgrad", adamw({ amsgrad: true })],
  ["adamax", adamax()],
  ["radam", radam()],
  ["rmsprop", rmsprop({ momentum: 0.9 })],
  ["lamb", lamb({ lr: 0.01 })],
  ["lars", lars()],
])("the momentum of %s comes with the step", async (_, optimizer) => {
  const one: Sequence = { layers, optimizers: [optimizer], isFrozen, steps: 4, settings: { momentum: true } };
  const moved = await checkSequence({ ...one, momentumAt: (step) => 0.95 - 0.1 * step });
  const fixed = await checkSequence({ ...one, momentumAt: () => 0.9 });
  expect(moved[3]!.arenas.get("parameters")).not.toEqual(fixed[3]!.arenas.get("parameters"));
  const plain = await runSequence({ ...one, settings: {} });
  expect(fixed[3]!.arenas).toEqual(plain[3]!.arenas);
});

describe("in parts", () => {
  const one: Sequence = {
    layers: [[64 * BLOCK * 2 + 5, 300], [1000], [63 * BLOCK]],
    optimizers: [adamw()],
    isFrozen,
    steps: 3,
  };

  test.each<[string, Partial<Sequence>]>([
    ["plain", {}],
    ["with statistics", { sampled: true }],
    ["of rules side by side", { optimizers: [lamb({ lr: 0.01 }), lars(), nadam()], ruleOf: (row) => row % 3 }],
    [
      "with everything around it",
      {
        settings: {
          controllers: [
            guard(),
            updateRatio(),
            autoRgn({ steps: 2 }),
            hypergradient(),
            lossPlateau({ steps: 1, patience: 0 }),
          ],
          clip: { most: 1, byLayer: true },
          clamp: 2,
          average: true,
        },
        micro: [0.75, 0.25],
        sampled: true,
      },
    ],
  ])("%s, it has the bits of the whole", async (_, more) => {
    const whole = await runSequence({ ...one, ...more });
    for (const mostBlocks of [64, 128]) expectSameBits(await runSequence({ ...one, ...more, mostBlocks }), whole);
  });
});
