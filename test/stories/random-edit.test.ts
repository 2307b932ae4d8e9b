// A thousand random changes of rate, decay, schedule, freezing and layer over a thousand steps: weights and their means are
// those of a naive table and a naive update in f64; nothing is compiled for a frozen set that was there before; and the log,
// replayed in one fit, gives the bits of the run in which each change was made by hand.

import { expect, test } from "vitest";
import {
  adamw,
  compile,
  crossEntropy,
  dense,
  type Edit,
  type Schedule,
  sequential,
  sgd,
  type Trainer,
  tanh,
} from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { uniform } from "../../src/random.ts";
import { type Editable, randomEdit, randomness } from "../reference/random-edit.ts";
import { NaiveTable, NaiveTensor } from "../reference/rate-table.ts";
import { guarded } from "./guarded.ts";

const STEPS = 1000;
const BATCH = 4;
const stepsPerEpoch = 40;
const AVERAGING = 0.9;

/** Layers in order, with inputs and units; "body.2" has adamw, the others sgd. */
const widths: Readonly<Record<string, readonly [inputs: number, units: number]>> = {
  stem: [5, 6],
  "body.0": [6, 7],
  "body.2": [7, 4],
  neck: [4, 4],
  head: [4, 3],
};
const layers = Object.keys(widths);
const tensors = layers.flatMap((layer) => {
  const [inputs, units] = widths[layer] as readonly [number, number];
  return [
    { name: `${layer}.weight`, layer, length: inputs * units },
    { name: `${layer}.bias`, layer, length: units },
  ];
});
const patterns = [
  ...[...layers, ...layers, ...tensors.map(({ name }) => name)],
  ...["**", "stem", "body", "body.*", "**.bias", "*.bias", "head.**", "**.weight"],
  ...["head.body", "stem.head", "head.stem.bias", "decoder", "head.weigh"],
];

const start = (device: GPUDevice): Promise<Trainer> =>
  compile(sequential({ stem: dense(6), body: [dense(7), tanh(), dense(4)], neck: dense(4), head: dense(3) }), {
    device,
    input: [5],
    batch: BATCH,
    loss: crossEntropy(),
    optimizer: sgd({ lr: 0.05, weightDecay: 0.01 }),
    rates: { "body.2": { optimizer: adamw({ lr: 0.01 }) } },
    averaging: AVERAGING,
    seed: 3,
  });

const naiveStart = (): NaiveTable => {
  const made = tensors.map(({ name, layer }) =>
    layer === "body.2"
      ? new NaiveTensor(name, layer, "adamw", 0.01, name.endsWith("weight") ? 0.01 : 0)
      : new NaiveTensor(name, layer, "sgd", 0.05, 0.01),
  );
  return new NaiveTable(
    made.map((tensor) => Object.assign(tensor, { averaging: AVERAGING })),
    stepsPerEpoch,
  );
};

/** Random changes of a trainer, one a step, and the same of the naive table. */
function changes(trainer: Trainer, seed: number, epochs: boolean) {
  const random = randomness(seed);
  const naive = naiveStart();
  const engine: Editable = {
    ...trainer.rates,
    freeze: (pattern) => trainer.rates.freeze(pattern),
    unfreeze: (pattern) => trainer.rates.unfreeze(pattern),
  };
  const scope = { layers, patterns, factors: [0.1, 0.5, 0.9, 1.5, -1], epochs };
  const customs: Schedule[] = [];
  const next = (step: number): void => {
    for (;;) {
      const { taken, expected, schedule } = randomEdit(random, scope, engine, naive, step);
      if (taken !== expected) expect(taken, `step ${step}`).toBe(expected);
      if (!taken) continue;
      if (schedule !== undefined) customs.push(schedule);
      return;
    }
  };
  return { naive, customs, next };
}

/** Counts of updates by tensor, as a checkpoint has them. */
async function counts(trainer: Trainer): Promise<number[]> {
  const { rows } = JSON.parse(decodeSafetensors(await trainer.save()).metadata.gradus as string).training;
  return tensors.map(({ name }) => rows[name].updates);
}

/** A tensor of the reference in f64, with a bound of what rounding to f32 may have added up to. */
interface Numbers {
  readonly values: Float64Array;
  readonly bounds: Float64Array;
}

test("weights and their means are those of an f64 reference", () =>
  guarded(async (device) => {
    const trainer = await start(device);
    const { naive, customs, next } = changes(trainer, 1, false);
    const first = await trainer.weights();
    const numbers = (): Map<string, Numbers> =>
      new Map(
        [...first].map(([name, { data }]) => [
          name,
          { values: Float64Array.from(data), bounds: new Float64Array(data.length) },
        ]),
      );
    const [weights, means] = [numbers(), numbers()];
    const gradients = (step: number) =>
      Object.fromEntries(
        tensors.map(({ name, length }, row) => [
          name,
          Float32Array.from({ length }, (_, i) => 2 * uniform(100 + row, step * 64 + i) - 1),
        ]),
      );
    let checkpoint: Uint8Array | undefined;
    for (let step = 0; step < STEPS; step++) {
      if (step === 100) checkpoint = await trainer.save();
      next(step);
      const given = gradients(step);
      await trainer.applyGradients(given);
      const rows = naive.write(step);
      for (const [row, { name, layer }] of tensors.entries()) {
        const [rate, decay, , active] = rows.slice(row * 4, row * 4 + 4) as [number, number, number, number];
        if (layer === "body.2") continue;
        const { averaging } = naive.tensors[row] as NaiveTensor;
        const share = averaging === 0 ? 0 : 1 - averaging;
        const [w, mean] = [weights.get(name), means.get(name)] as [Numbers, Numbers];
        for (const [i, g] of (given[name] as Float32Array).entries()) {
          const p = w.values[i] as number;
          // A row that stands still has a mean that goes on towards it.
          const moved = active === 0 ? p : p - rate * (g + decay * p);
          w.values[i] = moved;
          const rounding = Math.abs(moved) + 4 * rate * (Math.abs(g) + decay * Math.abs(p));
          if (active !== 0) w.bounds[i] = (w.bounds[i] as number) * Math.abs(1 - rate * decay) + 2 ** -24 * rounding;
          const a = mean.values[i] as number;
          mean.values[i] = a + share * (moved - a);
          const own = (1 - share) * (mean.bounds[i] as number) + share * (w.bounds[i] as number);
          mean.bounds[i] = own + (share === 0 ? 0 : 2 ** -22 * (Math.abs(a) + Math.abs(moved)));
        }
      }
      if ((step + 1) % 50 !== 0) continue;
      for (const [found, reference] of [
        [await trainer.weights(), weights],
        [await trainer.averages(), means],
      ] as const) {
        for (const { name, layer } of tensors) {
          if (layer === "body.2") continue;
          const { values, bounds } = reference.get(name) as Numbers;
          const data = found.get(name)?.data as Float32Array;
          const off = data.findIndex((value, i) => !(Math.abs(value - (values[i] as number)) <= (bounds[i] as number)));
          expect(off, `step ${step + 1}, ${name}: ${data[off]}, reference ${values[off]}`).toBe(-1);
          expect(Math.max(...bounds)).toBeLessThan(1e-3);
        }
      }
    }
    expect(await counts(trainer)).toEqual(naive.tensors.map(({ updates }) => updates));
    const moved = (await trainer.weights()).get("body.2.weight")?.data;
    expect(moved?.every(Number.isFinite)).toBe(true);
    expect(String(moved)).not.toBe(String(first.get("body.2.weight")?.data));

    const again = await start(device);
    again.rates.replay(trainer.rates.edits(), { schedules: customs });
    for (let step = 0; step < 100; step++) await again.applyGradients(gradients(step));
    expect(await again.save()).toEqual(checkpoint);
  }));

test("in a fit: pipelines once for each frozen set, and the log gives the same bits", () =>
  guarded(async (device) => {
    const samples = {
      x: Float32Array.from({ length: stepsPerEpoch * BATCH * 5 }, (_, i) => 2 * uniform(8, i) - 1),
      y: Uint8Array.from({ length: stepsPerEpoch * BATCH }, (_, i) => Math.floor(uniform(9, i) * 3)),
    };
    const epochs = STEPS / stepsPerEpoch;
    const trainer = await start(device);
    const { naive, customs, next } = changes(trainer, 2, true);
    const made = countCreations();
    const seen = new Set<string>();
    try {
      for (let step = 0; step < STEPS; step++) {
        next(step);
        const frozen = naive.tensors.map((tensor) => naive.frozen(tensor, step)).join();
        const before = { ...made.counts };
        await trainer.fit(samples, { epochs, steps: 1, resume: true });
        if (seen.has(frozen)) expect(made.counts, `step ${step}`).toEqual(before);
        seen.add(frozen);
        naive.write(step);
      }
    } finally {
      made.restore();
    }
    expect(seen.size).toBeGreaterThan(50);
    expect(await counts(trainer)).toEqual(naive.tensors.map(({ updates }) => updates));
    const log = JSON.parse(JSON.stringify(trainer.rates.edits())) as Edit[];
    expect(log).toHaveLength(STEPS);

    const again = await start(device);
    again.rates.replay(log, { schedules: customs });
    await again.fit(samples, { epochs });
    expect(again.rates.table()).toEqual(trainer.rates.table());
    expect(await again.save()).toEqual(await trainer.save());
  }));

/** Counts what is created on devices until `restore`. */
function countCreations() {
  const counts = { createComputePipelineAsync: 0, createBuffer: 0 };
  const originals = Object.keys(counts).map((name) => {
    const key = name as keyof typeof counts;
    const original = GPUDevice.prototype[key] as (...all: unknown[]) => unknown;
    Object.assign(GPUDevice.prototype, {
      [key](this: GPUDevice, ...all: unknown[]) {
        counts[key]++;
        return original.apply(this, all);
      },
    });
    return [key, original] as const;
  });
  return {
    counts,
    restore() {
      for (const [key, original] of originals) Object.assign(GPUDevice.prototype, { [key]: original });
    },
  };
}
