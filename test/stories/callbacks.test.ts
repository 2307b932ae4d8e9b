// Callbacks on trainings: the weights of the best epoch come back to the bit, a fit that is heard ends in the bits of one that is not, and
// what is reduced are the rates of the layers that are named. What each callback decides is tested without a GPU, in node/callbacks.test.ts.

import { expect, test } from "vitest";
import {
  checkpointEvery,
  earlyStopping,
  fitWith,
  indexedDb,
  opfs,
  reduceLROnPlateau,
  restoreBest,
  type SavedAt,
} from "../../src/callbacks/index.ts";
import { OptionError } from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, samples, slice, small } from "./small.ts";

const all = samples(80);
const [training, validation] = [slice(all, 0, 64), slice(all, 64, 80)];

test("a fit that overfits ends early, with the weights of its best epoch", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const told: { epoch: number; value: number }[] = [];
    const kept: ReturnType<typeof bits>[] = [];
    const { epochs, stopped, history } = await fitWith(trainer, all, {
      ...{ epochs: 200, validationSplit: 0.2 },
      callbacks: [
        earlyStopping({ patience: 4 }),
        restoreBest({ onRestore: (best) => told.push(best) }),
        { onEpoch: async () => kept.push(bits(await trainer.weights())) },
      ],
    });
    const losses = history.val_loss as number[];
    const best = losses.indexOf(Math.min(...losses));
    expect(stopped).toBe(true);
    expect(losses).toHaveLength(best + 1 + 4);
    expect(history.val_accuracy).toEqual(epochs.map((epoch) => epoch.validation?.accuracy));
    expect(told).toEqual([{ epoch: best + 1, value: losses[best] }]);
    expect(bits(await trainer.weights())).toEqual(kept[best]);
    expect((await trainer.evaluate(validation)).loss).toBe(losses[best]);
  }));

test("a fit that is heard ends in the bits of one that is not, and its held-back samples are the last ones", () =>
  guarded(async (device) => {
    const [heard, plain] = [await small(device), await small(device)];
    const steps: number[] = [];
    const { history } = await fitWith(heard, all, {
      ...{ epochs: 3, validationSplit: 0.2 },
      callbacks: [{ onStep: ({ step }) => void steps.push(step) }, restoreBest({ monitor: "loss", mode: "min" })],
    });
    const { epochs } = await plain.fit(training, { epochs: 3, validation });
    expect(steps).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
    expect(history.val_loss).toEqual(epochs.map((epoch) => epoch.validation?.loss));
    expect(await heard.save()).toEqual(await plain.save());
  }));

test("rates of the layers that are named fall when a number gets no better, over what schedules they have", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const ratesOf = () => trainer.rates.table().map(({ name, lr }) => [name, Number(lr.toPrecision(6))]);
    const seen: unknown[] = [];
    await fitWith(trainer, training, {
      ...{ epochs: 4, validation },
      callbacks: [
        reduceLROnPlateau({ layers: "body", patience: 1, minDelta: 1000, factor: 0.5, minLr: 0.002 }),
        { onEpoch: () => seen.push(ratesOf()) },
      ],
    });
    const rates = (body: number) => [
      ["stem.0", 0.01],
      ["body.0", body],
      ["head", 0.01],
    ];
    expect(seen).toEqual([rates(0.01), rates(0.005), rates(0.0025), rates(0.002)]);
    expect(trainer.rates.edits().map(({ step, kind }) => [step, kind])).toEqual([
      [16, "scale"],
      [24, "scale"],
      [32, "scale"],
    ]);
  }));

test("a checkpoint on the way is of its step in lockstep, and any goes on to the bits of a run that was not interrupted", () =>
  guarded(async (device) => {
    const options = { epochs: 3 };
    const run = async (lockstep: boolean, data = training) => {
      const trainer = await small(device);
      const saved: [bytes: Uint8Array<ArrayBuffer>, step: number][] = [];
      const to = (bytes: Uint8Array<ArrayBuffer>, { step }: SavedAt) => void saved.push([bytes, step]);
      await fitWith(trainer, data, { ...options, lockstep, callbacks: [checkpointEvery({ steps: 5, to })] });
      return { saved, end: await trainer.save() };
    };
    const [exact, ahead] = [await run(true), await run(false)];
    expect(ahead.end).toEqual(exact.end);
    expect(exact.saved.map(([, step]) => step)).toEqual([5, 10, 15, 20, 24]);
    for (const { saved, end } of [exact, ahead]) {
      const later = await small(device);
      const [bytes, step] = saved[1] as (typeof saved)[number];
      later.load(bytes);
      if (saved === exact.saved) expect(later.steps).toBe(step);
      await later.fit(training, { ...options, resume: true });
      expect(await later.save()).toEqual(end);
    }
  }));

const isThere = {
  opfs: typeof globalThis.navigator?.storage?.getDirectory === "function",
  indexedDb: typeof indexedDB !== "undefined",
};

test.each([
  ["opfs", opfs],
  ["indexedDb", indexedDb],
] as const)(
  "%s keeps the last checkpoint where the runtime has such a place, and else is refused",
  async (place, open) => {
    if (!isThere[place]) {
      expect(() => open("folder/run")).toThrow(OptionError);
      return;
    }
    const key = `folder/${Math.random()}`;
    const store = open(key);
    expect(await store.read()).toBeUndefined();
    for (const bytes of [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]) {
      await store.write(bytes);
      expect(await open(key).read()).toEqual(bytes);
    }
  },
);
