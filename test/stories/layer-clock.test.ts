// What a layer's own rate and counter do on the device: schedules to six digits and past their end, rate 0 beside frozen, and a
// layer that joins after a thousand steps as if training began there.

import { expect, test } from "vitest";
import {
  adamw,
  chain,
  compile,
  constant,
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  cyclicLR,
  dense,
  exponentialLR,
  type Layer,
  lambdaLR,
  linearLR,
  local,
  meanSquaredError,
  multiplicativeLR,
  multiStepLR,
  oneCycle,
  perEpoch,
  polynomialLR,
  preview,
  type RateRule,
  type Schedule,
  sequence,
  sequential,
  sgd,
  slantedTriangular,
  stepLR,
  type Trainer,
  warmupCosine,
  warmupInverseSqrt,
  warmupLinear,
  wsd,
} from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const LENGTH = 20;
const STEPS = 50;

const schedules: Readonly<Record<string, Schedule>> = {
  constant: constant(),
  lambdaLR: lambdaLR((step) => 0.95 ** step),
  multiplicativeLR: multiplicativeLR((step) => 1 - 1 / (step + 2)),
  constantLR: constantLR({ steps: LENGTH }),
  linearLR: linearLR({ steps: LENGTH }),
  polynomialLR: polynomialLR({ steps: LENGTH, power: 2 }),
  exponentialLR: exponentialLR({ gamma: 0.9 }),
  stepLR: stepLR({ steps: 7, gamma: 0.3 }),
  multiStepLR: multiStepLR({ milestones: [3, 11, 11, 30] }),
  cosineAnnealingLR: cosineAnnealingLR({ steps: LENGTH }),
  cosineAnnealingWarmRestarts: cosineAnnealingWarmRestarts({ steps: 8, tMult: 2 }),
  cyclicLR: cyclicLR({ floor: 0.1, up: 6, mode: "expRange", gamma: 0.99 }),
  oneCycle: oneCycle({ steps: LENGTH }),
  warmupCosine: warmupCosine({ steps: LENGTH, warmup: 4 }),
  warmupLinear: warmupLinear({ steps: LENGTH, warmup: 4, floor: 0.05 }),
  warmupInverseSqrt: warmupInverseSqrt({ warmup: 5 }),
  wsd: wsd({ steps: LENGTH, warmup: 5, floor: 0.02 }),
  slantedTriangular: slantedTriangular({ steps: LENGTH, cutFrac: 0.3 }),
  chain: chain([linearLR({ steps: 9 }), exponentialLR({ gamma: 0.97 })]),
  sequence: sequence([linearLR({ steps: 6 }), cosineAnnealingLR({ steps: 14 })], [6]),
  local: local(linearLR({ startFactor: 0.1, steps: LENGTH })),
};
const bases = [0.1, 3e-4];

/** Tensors that no loss depends on, under their names, all 0. */
const bag = (names: readonly string[], length: number): Layer => ({
  kind: "bag",
  apply(scope, x) {
    for (const name of names) scope.child(name).parameter("value", [length], () => new Float32Array(length));
    return dense(1).apply(scope.child("rest"), x);
  },
});

/** From weight 0 and gradient 1 a step of plain sgd goes to minus the rate. */
function expectRates(found: number, rate: number, what: string): void {
  const distance = Math.abs(found - rate);
  expect(distance, `${what}: the device moved by ${found}, the schedule says ${rate}`).toBeLessThanOrEqual(1e-6 * rate);
}

test("the device moves by every schedule's rate, layer by layer, past the end too", () =>
  guarded(async (device) => {
    const names = Object.keys(schedules).flatMap((name) => bases.map((_, i) => `${name}${i}`));
    const rates = Object.entries(schedules).map(([name, schedule]) =>
      Object.fromEntries(bases.map((lr, i): [string, RateRule] => [`${name}${i}`, { lr, schedule }])),
    );
    const trainer = await compile(bag(names, 5), {
      device,
      input: [1],
      batch: 1,
      loss: meanSquaredError(),
      optimizer: sgd(),
      rates,
    });
    const all = (value: number) =>
      Object.fromEntries(names.map((name) => [`${name}.value`, new Float32Array(5).fill(value)]));
    const wanted = Object.entries(schedules).map(([name, schedule]) => [name, preview(schedule, STEPS).lrs] as const);
    for (let step = 0; step < STEPS; step++) {
      trainer.setWeights(all(0));
      await trainer.applyGradients(all(1));
      const weights = await trainer.weights();
      for (const [name, factors] of wanted) {
        for (const [i, base] of bases.entries()) {
          const { data } = weights.get(`${name}${i}.value`) as { data: Float32Array };
          for (const value of data) expectRates(-value, base * (factors[step] as number), `${name}, step ${step + 1}`);
        }
      }
    }
  }));

test("schedules that count epochs move so in a fit", () =>
  guarded(async (device) => {
    const stepsPerEpoch = 3;
    for (const schedule of [perEpoch(stepLR({ steps: 2, gamma: 0.5 })), oneCycle({ epochs: 4 })]) {
      // Output 0, targets -1/2: the gradient of the bias is 1.
      const trainer = await compile(sequential({ only: dense(1) }), {
        device,
        input: [1],
        batch: 2,
        loss: meanSquaredError(),
        optimizer: sgd({ lr: 0.1 }),
        schedule,
      });
      const samples = { x: new Float32Array(6), y: new Float32Array(6).fill(-0.5) };
      const { lrs } = preview(schedule, 18, { base: 0.1, stepsPerEpoch });
      for (const [step, rate] of lrs.entries()) {
        trainer.setWeights({ "only.bias": [0] });
        await trainer.fit(samples, { epochs: 6, steps: 1, resume: true });
        const bias = (await trainer.weights()).get("only.bias")?.data[0] as number;
        expectRates(-bias, rate, `step ${step + 1}`);
      }
    }
  }));

interface Stored {
  /** By arena, the weights first. */
  readonly tensors: ReadonlyMap<string, { readonly data: ArrayLike<number> }>;
  readonly updates: number;
}

async function stored(trainer: Trainer, layer: string): Promise<Stored> {
  const { tensors, metadata } = decodeSafetensors(await trainer.save());
  const { rows } = JSON.parse(metadata.gradus as string).training;
  const arenas = ["", "moment1/", "moment2/"].map((arena) => [arena, tensors.get(`${arena}${layer}.value`)] as const);
  return {
    tensors: new Map(arenas.flatMap(([arena, tensor]) => (tensor === undefined ? [] : [[arena, tensor] as const]))),
    updates: rows[`${layer}.value`].updates,
  };
}

const gradient = (step: number): Float32Array =>
  Float32Array.from({ length: 9 }, (_, i) => uniform(40, step * 9 + i) - 0.5);

test.each([
  ["adamw", adamw({ lr: 0.1, weightDecay: 0.5 })],
  ["sgd with momentum", sgd({ lr: 0.1, momentum: 0.9, dampening: 0.5, weightDecay: 0.5 })],
])("%s: at rate 0 moments and counters go on and the weight stays; frozen, nothing does", (_, optimizer) =>
  guarded(async (device) => {
    const trainer = await compile(bag(["active", "still", "frozen"], 9), {
      device,
      input: [1],
      batch: 1,
      loss: meanSquaredError(),
      optimizer,
      rates: { "*": { weightDecay: 0.5 } },
    });
    const names = ["active", "still", "frozen"];
    const all = (values: Float32Array) => Object.fromEntries(names.map((name) => [`${name}.value`, values]));
    trainer.setWeights(all(new Float32Array(9).fill(1)));
    const plain = async () => {
      const found = await Promise.all(names.map((name) => stored(trainer, name)));
      return found.map(({ tensors, updates }) => ({
        updates,
        values: [...tensors.values()].map(({ data }) => String(data)),
      }));
    };
    await trainer.applyGradients(all(gradient(0)));
    const [first, ...others] = await plain();
    expect(others).toEqual([first, first]);

    trainer.rates.set("still", 0);
    trainer.rates.freeze("frozen");
    for (let step = 1; step < 4; step++) await trainer.applyGradients(all(gradient(step)));
    const [active, still, frozen] = (await plain()) as [typeof first, typeof first, typeof first];
    expect(frozen).toEqual(first);
    expect([active?.updates, still?.updates]).toEqual([4, 4]);
    expect(still?.values[0]).toBe(first?.values[0]);
    expect(active?.values[0]).not.toBe(first?.values[0]);
    expect(still?.values.length).toBeGreaterThan(1);
    for (const [i, moment] of (still?.values.slice(1) ?? []).entries()) {
      expect(moment, `moment ${i + 1}`).not.toBe(first?.values[i + 1]);
    }
    expect(trainer.rates.table().map(({ state, lr }) => [state, lr])).toEqual([
      ["active", 0.1],
      ["active", 0],
      ["frozen", 0],
      ["active", 0.1],
    ]);
  }),
);

test.each([
  ["adamw", adamw({ lr: 0.01 })],
  ["sgd with dampening", sgd({ lr: 0.01, momentum: 0.9, dampening: 0.3 })],
])("%s: a layer thawed at step 1,000 is one that begins there", (_, optimizer) =>
  guarded(async (device) => {
    const made = () =>
      compile(bag(["late", "early"], 9), {
        device,
        input: [1],
        batch: 1,
        loss: meanSquaredError(),
        optimizer,
        schedule: local(warmupCosine({ steps: 20, warmup: 5 })),
      });
    const [old, fresh] = [await made(), await made()];
    const start = { "late.value": gradient(5000) };
    for (const trainer of [old, fresh]) trainer.setWeights(start);
    old.rates.freeze("late");
    for (let step = 0; step < 1000; step++) {
      await old.applyGradients({ "late.value": gradient(step), "early.value": gradient(step) });
    }
    old.rates.unfreeze("late");
    for (let step = 1000; step < 1020; step++) {
      for (const trainer of [old, fresh]) await trainer.applyGradients({ "late.value": gradient(step) });
      expect(await stored(old, "late"), `step ${step + 1}`).toEqual(await stored(fresh, "late"));
    }
    expect((await stored(old, "late")).updates).toBe(20);
    expect(String((await old.weights()).get("late.value")?.data)).not.toBe(String(start["late.value"]));
  }),
);
