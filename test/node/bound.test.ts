// The bound of gradients, derived: from weights, and with gradients, up to it, no rule leaves f32 in one step, whatever came
// before; and the sums of squares over all weights that an arena may hold stay below the end of f32 too.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MOST_GRADIENT, MOST_RATE } from "../../src/op/check.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import { adadelta } from "../../src/optim/rule/adadelta.ts";
import { adagrad } from "../../src/optim/rule/adagrad.ts";
import { adam, adamw, lamb } from "../../src/optim/rule/adam.ts";
import { adamax } from "../../src/optim/rule/adamax.ts";
import { lion } from "../../src/optim/rule/lion.ts";
import { nadam } from "../../src/optim/rule/nadam.ts";
import { radam } from "../../src/optim/rule/radam.ts";
import { rmsprop } from "../../src/optim/rule/rmsprop.ts";
import { lars, sgd } from "../../src/optim/rule/sgd.ts";
import { exact } from "../reference/twin.ts";
import { updateTwins } from "../reference/twins.ts";

const MOST_F32 = 3.4028234663852886e38;
/** The share of the last moment that may be lost in a step, and what stands under a quotient, at their ordinary smallest. */
const [KEPT, EPS] = [1 - 2 ** -10, 1e-8];

const lr = MOST_RATE;
/** The decay that adds as much as the largest gradient. */
const weightDecay = 1;
const betas = [KEPT, 0.999] as const;
/** A mean of squares that forgets at once, while the mean does not. */
const hasty = [KEPT, 0] as const;

const rules: Readonly<Record<string, Optimizer>> = {
  sgd: sgd({ lr, weightDecay }),
  "sgd with momentum": sgd({ lr, weightDecay, momentum: KEPT }),
  "sgd with Nesterov's": sgd({ lr, weightDecay, momentum: KEPT, nesterov: true }),
  "sgd with dampening": sgd({ lr, weightDecay, momentum: KEPT, dampening: 2 }),
  "sgd, rate in momentum": sgd({ lr, weightDecay, momentum: KEPT, lrInMomentum: true, nesterov: true }),
  sgdw: sgd({ lr, weightDecay, momentum: KEPT, decoupled: true }),
  lars: lars({ lr, weightDecay }),
  adam: adam({ lr, weightDecay, betas, eps: EPS }),
  "adam, hasty": adam({ lr, weightDecay, betas: hasty, eps: EPS }),
  "adam, eps inside": adam({ lr, weightDecay, betas: hasty, eps: EPS ** 2, epsInside: true }),
  "adam, eps first": adam({ lr, weightDecay, betas: hasty, eps: EPS, epsFirst: true }),
  amsgrad: adam({ lr, weightDecay, betas: hasty, eps: EPS, amsgrad: true }),
  adamw: adamw({ lr, weightDecay, betas, eps: EPS }),
  lamb: lamb({ lr, weightDecay, betas }),
  adagrad: adagrad({ lr, weightDecay }),
  adadelta: adadelta({ lr, weightDecay }),
  rmsprop: rmsprop({ lr, weightDecay, alpha: 0, eps: EPS }),
  "rmsprop with momentum": rmsprop({ lr, weightDecay, momentum: KEPT, eps: EPS }),
  "rmsprop, centred, with momentum": rmsprop({ lr, weightDecay, momentum: KEPT, centered: true, eps: EPS }),
  adamax: adamax({ lr, weightDecay, betas: hasty, eps: EPS }),
  nadam: nadam({ lr, weightDecay, betas: hasty, eps: EPS }),
  radam: radam({ lr, weightDecay, betas, eps: EPS }),
  "radam, hasty": radam({ lr, weightDecay, betas: hasty, eps: EPS }),
  lion: lion({ lr, weightDecay, betas: [KEPT, KEPT] }),
};

/** Gradients that came before, as shares of the bound: none, always the largest, one blow, turns, and what vanishes in a square. */
const pasts: Readonly<Record<string, readonly number[]>> = {
  nothing: [],
  "the largest": new Array(5000).fill(1),
  "a blow, then nothing": [...new Array(20).fill(1), 0, 0],
  "turns of sign": Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 1 : -1)),
  dust: new Array(20).fill(2 ** -124),
};

/** The largest number, of weights, moments and squares of gradients, that one step leaves after each past. */
function most({ rule, ...optimizer }: Optimizer, bound: number): number {
  let found = 0;
  for (const past of Object.values(pasts)) {
    for (const [weight, last] of [1, 0, -1].flatMap((p) => [1, 0, -1, 2 ** -124].map((g) => [p, g] as const))) {
      // Weights are set anew: what is asked is one step from weights within the bound.
      let moments = rule.moments.map(() => Float64Array.of(rule.initial ?? 0));
      let arrays: readonly Float64Array[] = [];
      for (const [t, share] of [...past, last].entries()) {
        const row = new Float64Array(4) as unknown as Float32Array;
        optimizer.writeRow(row, 0, optimizer.lr, optimizer.weightDecay, t + 1);
        const given = [Float64Array.of(weight * bound), Float64Array.of(share * bound), ...moments];
        arrays = updateTwins[rule.kernel]!(given, rule, row, exact);
        moments = arrays.slice(arrays.length - rule.moments.length) as Float64Array<ArrayBuffer>[];
      }
      for (const all of arrays) found = Math.max(found, Math.abs(all[0]!));
    }
  }
  return found;
}

describe.each(Object.entries(rules))("%s", (_, optimizer) => {
  test("stays in f32 for a step from the bound", () => {
    expect(most(optimizer, MOST_GRADIENT)).toBeLessThan(MOST_F32);
  });
});

test("a bound of 2^65 would not do: the square of a gradient is no number of f32", () => {
  expect(most(rules.adam!, 2 ** 65)).toBeGreaterThan(MOST_F32);
  expect(most(rules["sgd, rate in momentum"]!, 2 ** 80)).toBeGreaterThan(MOST_F32);
});

test("sums of squares over 2^31 numbers, and those of 2^29 steps of Adagrad with decay, end below f32's largest", () => {
  expect(2 ** 31 * MOST_GRADIENT ** 2).toBeLessThan(MOST_F32);
  expect(2 ** 29 * (2 * MOST_GRADIENT) ** 2).toBeLessThan(MOST_F32);
});

test.each(["beyond", "check"])("shaders/parts/%s.wgsl asks for the same bound, by its bits", (name) => {
  const [bits] = new Uint32Array(Float32Array.of(MOST_GRADIENT).buffer);
  expect(readFileSync(`shaders/parts/${name}.wgsl`, "utf8")).toContain(`0x${bits!.toString(16)}`);
});
