// Layers that begin and end by the step, and changes that are made again from their log: each run ends in the same bits
// as the one that it stands for.

import { expect, test } from "vitest";
import {
  adamw,
  compile,
  crossEntropy,
  dense,
  type Edit,
  gradualUnfreezing,
  inference,
  oneCycle,
  relu,
  sequential,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { alone, guarded } from "./guarded.ts";

/** 64 samples in two classes: eight steps an epoch. */
const samples = {
  x: Float32Array.from({ length: 64 * 6 }, (_, i) => uniform(3, i) - 0.5),
  y: Uint8Array.from({ length: 64 }, (_, i) => (uniform(3, 6 * i) > 0.5 ? 1 : 0)),
};

const small = (device: GPUDevice, options = {}): Promise<Trainer> =>
  compile(sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) }), {
    device,
    input: [6],
    batch: 8,
    loss: crossEntropy(),
    optimizer: adamw({ lr: 0.01 }),
    seed: 5,
    ...options,
  });

const states = (trainer: Trainer): string[] => trainer.rates.table().map(({ state }) => state);
const weights = async (trainer: Trainer) =>
  new Map([...(await trainer.weights())].map(([name, { data }]) => [name, String(data)]));

test("gradual unfreezing in one fit is unfreezing by hand between fits", () =>
  guarded(async (device) => {
    const whole = await small(device, { rates: gradualUnfreezing({ every: { epochs: 1.5 } }) });
    await whole.fit(samples, { epochs: 4 });
    const parts = await small(device, { rates: { stem: { frozen: true }, body: { frozen: true } } });
    await parts.fit(samples, { epochs: 4, steps: 12, resume: true });
    expect(states(parts)).toEqual(["frozen", "frozen", "active"]);
    parts.rates.unfreeze("body");
    await parts.fit(samples, { epochs: 4, steps: 12, resume: true });
    parts.rates.unfreeze("stem");
    await parts.fit(samples, { epochs: 4, steps: 8, resume: true });
    expect(await weights(parts)).toEqual(await weights(whole));
    expect(whole.rates.table().map(({ updates }) => updates)).toEqual([8, 20, 32]);
  }));

test("a checkpoint from before a layer begins goes on to the bytes of never stopping", () =>
  guarded(async (device) => {
    const options = { rates: { stem: { from: 9 }, body: { until: 20 } } };
    const whole = await small(device, options);
    await whole.fit(samples, { epochs: 4 });
    const first = await small(device, options);
    await first.fit(samples, { epochs: 4, steps: 6 });
    const second = await small(device, options);
    second.load(await first.save());
    expect(states(second)).toEqual(["waiting", "active", "active"]);
    await second.fit(samples, { epochs: 4, resume: true });
    expect(await second.save()).toEqual(await whole.save());
  }));

test("a log replayed gives the bytes of the run in which the changes were made by hand", () =>
  guarded(async (device) => {
    const live = await small(device);
    const { rates } = live;
    const changes = new Map<number, () => void>([
      [2, () => rates.set("head", { lr: 0.05, weightDecay: 0.1 })],
      [5, () => rates.scale("**", 0.5, { floor: 1e-3 })],
      [7, () => live.rates.freeze("stem")],
      [9, () => live.rates.unfreeze("stem")],
      [10, () => live.rates.freeze("stem")],
      [11, () => rates.assign("body", "head")],
      [12, () => rates.set("stem", { frozen: false, from: 14 })],
      [15, () => live.rates.freeze("stem")],
      [13, () => rates.set("head.body.0.bias", { multiplier: 2, until: 29 })],
    ]);
    await live.fit(samples, { epochs: 2, onStep: ({ step }) => changes.get(step)?.() });
    live.rates.unfreeze("stem");
    await live.fit(samples, { epochs: 2 });
    const log = JSON.parse(JSON.stringify(rates.edits())) as Edit[];
    expect(log).toHaveLength(10);

    const again = await small(device);
    again.rates.replay(log);
    await again.fit(samples, { epochs: 2 });
    await again.fit(samples, { epochs: 2 });
    expect(again.rates.edits()).toEqual(log);
    expect(again.rates.table()).toEqual(rates.table());
    expect(await again.save()).toEqual(await live.save());
  }));

test("a second trainer on a device compiles nothing that is compiled already", () =>
  alone(async (device) => {
    let compiled = 0;
    const compile = device.createComputePipelineAsync;
    device.createComputePipelineAsync = (descriptor) => {
      compiled++;
      return compile.call(device, descriptor);
    };
    await (await small(device)).fit(samples);
    const first = compiled;
    const second = await small(device);
    await second.fit(samples);
    expect(first).toBeGreaterThan(5);
    expect(compiled).toBe(first);
    second.dispose();
    await (await small(device, { optimizer: adamw({ lr: 0.01, amsgrad: true }) })).fit(samples);
    expect(compiled).toBe(first + 1);
  }));

test("what `using` calls at the end of a block frees a trainer, a network and uploaded data, as dispose does", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const uploaded = trainer.upload(samples);
    uploaded[Symbol.dispose]();
    await expect(trainer.fit(uploaded)).rejects.toThrow("the uploaded data was disposed of");
    const model = sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) });
    const network = await inference(model, await trainer.save(), { device });
    for (const one of [trainer, network]) {
      one[Symbol.dispose]();
      one[Symbol.dispose]();
      await expect(one.weights()).rejects.toThrow("it was disposed");
    }
  }));

test("a step behind a checkpoint asks schedules in epochs of the data that was fitted, as it would have without", () =>
  guarded(async (device) => {
    const options = { schedule: oneCycle({ epochs: 4 }), accumulate: 2 };
    const one = await small(device, options);
    await one.fit(samples, { epochs: 1 });
    const other = await small(device, options);
    other.load(await one.save());
    const batch = { x: samples.x.slice(0, 48), y: samples.y.slice(0, 8) };
    for (const trainer of [one, other]) await trainer.step(batch);
    expect(await weights(other)).toEqual(await weights(one));
  }));
