// A guard keeps one layer's numbers that are not finite to that layer: every other layer gets the bits of a run in which the
// guarded one was frozen for as long, and so does the guarded one itself, which then goes on at half its rate.

import { expect, test } from "vitest";
import {
  adamw,
  compile,
  dense,
  type FitOptions,
  guard,
  local,
  meanSquaredError,
  polynomialLR,
  sequential,
  sgd,
  type Trainer,
  tanh,
} from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const BATCH = 8;
const STEPS = 24;
const FEATURES = 6;
/** Batches, counted from 0, in which the last feature is so large that its weight gradient leaves f32. */
const broken = [5, 15];

/** An epoch of `STEPS` batches; the weights of the last feature start at 0, so that the loss stays finite. */
const samples = (() => {
  const x = Float32Array.from({ length: STEPS * BATCH * FEATURES }, (_, i) => {
    const batch = Math.floor(i / (BATCH * FEATURES));
    if (i % FEATURES !== FEATURES - 1) return uniform(3, i) - 0.5;
    return broken.includes(batch) ? 3e38 : 0;
  });
  return {
    x,
    y: Float32Array.from({ length: STEPS * BATCH }, (_, i) =>
      broken.includes(Math.floor(i / BATCH)) ? 3 : uniform(4, i),
    ),
  };
})();

const moments = { adamw: adamw({ lr: 0.01 }), momentum: sgd({ lr: 0.01, momentum: 0.9, dampening: 0.5 }) };

async function start(device: GPUDevice, rest: number, options = {}): Promise<Trainer> {
  const trainer = await compile(sequential({ stem: [dense(5), tanh()], body: [dense(4), tanh()], head: dense(1) }), {
    device,
    input: [FEATURES],
    batch: BATCH,
    loss: meanSquaredError(),
    optimizer: adamw({ lr: 0.01 }),
    schedule: local(polynomialLR({ steps: 100 })),
    control: [guard({ rest, factor: 1e6, recovery: 1 })],
    ...options,
  });
  const weight = (await trainer.weights()).get("stem.0.weight")?.data as Float32Array;
  trainer.setWeights({ "stem.0.weight": weight.map((value, i) => (i < (FEATURES - 1) * 5 ? value : 0)) });
  return trainer;
}

const train = (trainer: Trainer, options: FitOptions) => trainer.fit(samples, { shuffle: false, ...options });

/** Weights and moments by name, and the updates of each layer. */
async function stored(trainer: Trainer): Promise<Map<string, string>> {
  const tensors = [...decodeSafetensors(await trainer.save()).tensors].filter(([name]) => !name.startsWith("control/"));
  const counts = trainer.rates.table().map(({ name, updates }) => [name, String(updates)] as const);
  return new Map([...tensors.map(([name, { data }]) => [name, String(data)] as const), ...counts]);
}

/** The run that a guarded one stands for: frozen and thawed by hand, at half the rate after each rest. */
async function byHand(device: GPUDevice, rest: number, steps: number, options = {}): Promise<Trainer> {
  const trainer = await start(device, rest, options);
  let resting = 0;
  for (let step = 0; step < steps; step++) {
    if (resting > 0 && --resting === 0) {
      trainer.rates.unfreeze("stem");
      trainer.rates.set("stem", { multiplier: (trainer.rates.table()[0]?.multiplier as number) / 2 });
    }
    if (resting === 0 && broken.includes(step)) {
      trainer.rates.freeze("stem");
      resting = rest;
    }
    await train(trainer, { steps: 1, resume: true });
  }
  return trainer;
}

test.each([
  ["adamw", 3],
  ["adamw", 5],
  ["momentum", 1],
  ["adamw", 50],
] as const)("%s, resting %i steps: the bits of freezing by hand, however steps are grouped", (name, rest) =>
  guarded(async (device) => {
    const options = { optimizer: moments[name], schedule: undefined };
    const whole = await start(device, rest, options);
    await train(whole, {});
    const found = await stored(whole);
    expect(found).toEqual(await stored(await byHand(device, rest, STEPS, options)));
    const first = broken.filter((step, i) => i === 0 || step >= (broken[0] as number) + rest);
    const skipped = first.reduce((sum, step) => sum + Math.min(rest, STEPS - step), 0);
    expect(whole.rates.table().map(({ updates }) => updates)).toEqual([STEPS - skipped, STEPS, STEPS]);
    expect([...found.values()].join()).not.toMatch(/NaN|Infinity/);

    const parts = await start(device, rest, options);
    for (const steps of [3, 1, 4, 1, 2, 5, 8]) await train(parts, { steps, resume: true });
    expect(await parts.save()).toEqual(await whole.save());
  }),
);

test("while it rests the table says so, and nothing of the layer moves", () =>
  guarded(async (device) => {
    const trainer = await start(device, 4);
    await train(trainer, { steps: 5 });
    const before = await stored(trainer);
    const states: (string | undefined)[] = [];
    for (let step = 5; step < 10; step++) {
      await train(trainer, { steps: 1, resume: true });
      states.push(trainer.rates.table()[0]?.state);
      const after = await stored(trainer);
      const moved = [...before].filter(([name, value]) => after.get(name) !== value).map(([key]) => key);
      const stem = moved.filter((key) => key.includes("stem"));
      expect(stem.length > 0, `step ${step}: ${stem}`).toBe(step === 9);
      expect(moved).toContain("head.weight");
    }
    expect(states).toEqual(["resting", "resting", "resting", "active", "active"]);
  }));

test.each([6, 8])("stopped after step %i, amid a rest: a checkpoint goes on to the bytes of never stopping", (steps) =>
  guarded(async (device) => {
    const whole = await start(device, 3);
    await train(whole, {});
    const first = await start(device, 3);
    await train(first, { steps });
    const second = await start(device, 3);
    const saved = await first.save();
    second.load(saved);
    expect(second.rates.table()).toEqual(first.rates.table());
    await train(second, { resume: true });
    expect(await second.save()).toEqual(await whole.save());
    // And back again, from where a bias has another layer.
    first.rates.assign("body.0.bias", "stem.0");
    await train(first, { resume: true });
    first.load(saved);
    await train(first, { resume: true });
    expect(await first.save()).toEqual(await whole.save());
  }),
);

test("NaN among gradients from elsewhere: the others go on, the layer rests, and then its rate recovers", () =>
  guarded(async (device) => {
    const [hurt, calm] = [
      await start(device, 3, {
        optimizer: sgd({ lr: 0.5 }),
        schedule: undefined,
        control: [guard({ rest: 3, factor: 1e6, recovery: 1.25 })],
      }),
      await start(device, 3, { optimizer: sgd({ lr: 0.5 }), schedule: undefined }),
    ];
    const zero = { "stem.0.bias": new Float32Array(5), "head.weight": new Float32Array(4) };
    const moves: number[] = [];
    for (let step = 0; step < 12; step++) {
      const gradients = { "stem.0.bias": new Float32Array(5).fill(1), "head.weight": new Float32Array(4).fill(0.3) };
      for (const trainer of [hurt, calm]) trainer.setWeights(zero);
      if (step === 2) calm.rates.freeze("stem");
      if (step === 5) calm.rates.unfreeze("stem");
      await calm.applyGradients(gradients);
      if (step === 2) gradients["stem.0.bias"][4] = Number.NaN;
      await hurt.applyGradients(gradients);
      const [a, b] = [await hurt.weights(), await calm.weights()];
      expect(a.get("head.weight")).toEqual(b.get("head.weight"));
      expect(hurt.rates.table()[0]?.updates).toBe(calm.rates.table()[0]?.updates);
      moves.push(0 - (a.get("stem.0.bias")?.data[0] as number));
    }
    // Rests in steps 2 to 4; 1.25 is exact in f32, and so are its first powers.
    const rates = [1, 1, 0, 0, 0, 0.625, 0.78125, 0.9765625, 1, 1, 1, 1];
    expect(moves).toEqual(rates.map((rate) => rate / 2));
  }));

test("tensors that change their layer while its alarm is on its way keep to what the GPU did", () =>
  guarded(async (device) => {
    const runs = [1, STEPS].map(async (most) => {
      const trainer = await start(device, 5);
      const assign = (step: number): void => {
        if (step === 6) trainer.rates.assign("body.0.bias", "stem.0");
        if (step === 8) trainer.rates.assign("stem.0.bias", "head");
      };
      for (let step = 0; step < STEPS; step += most) {
        assign(step);
        await train(trainer, {
          steps: most,
          resume: true,
          ...(most === 1 ? {} : { onStep: ({ step: made }) => assign(made) }),
        });
      }
      return trainer;
    });
    for (const run of runs) {
      const trainer = await run;
      const edits = trainer.rates.edits();
      const again = await start(device, 5);
      again.rates.replay(edits);
      await train(again, {});
      expect(await stored(again)).toEqual(await stored(trainer));
      const alone = await start(device, 5);
      alone.rates.replay(edits);
      for (let step = 0; step < STEPS; step++) await train(alone, { steps: 1, resume: true });
      expect(await stored(alone)).toEqual(await stored(trainer));
    }
  }));
