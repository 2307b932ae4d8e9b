// Steps ahead of the page, and in step with it: what callbacks see and change, streams that are slow or silent, and those who
// look while a fit runs.

import { expect, test } from "vitest";
import type { FitStep, Samples, Trainer } from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, samples, slice, small } from "./small.ts";

const many = samples(1600);
const A = samples(80);

const weightsOf = async (trainer: Trainer) => bits(await trainer.weights());
const batchesOf = (data: typeof A): Samples[] =>
  Array.from({ length: data.y.length / 8 }, (_, i) => slice(data, i * 8, i * 8 + 8));

test.each(["lockstep", "an async onStep", "lockstep over a stream"])(
  "with %s a callback acts on the next step, and runs have equal bits",
  (how) =>
    guarded(async (device) => {
      const run = async () => {
        const trainer = await small(device);
        const act = ({ step }: FitStep): void => {
          expect(trainer.steps).toBe(step);
          if (step === 20) trainer.rates.set("head", 0.1);
          if (step === 30) trainer.rates.freeze("stem");
          if (step === 41) trainer.stop();
        };
        const data = how.includes("stream") ? batchesOf(many) : many;
        const { stopped } = await trainer.fit(data, {
          ...(how.includes("lockstep") ? { lockstep: true } : {}),
          onStep: how.includes("async") ? async (made) => act(made) : act,
        });
        expect([stopped, trainer.steps]).toEqual([true, 41]);
        expect(trainer.rates.edits().map(({ step }) => step)).toEqual([20, 30]);
        return trainer.save();
      };
      expect(await run()).toEqual(await run());
    }),
);

test("a lockstep fit has the bits of one that runs ahead", () =>
  guarded(async (device) => {
    const [ahead, along] = [await small(device, { accumulate: 3 }), await small(device, { accumulate: 3 })];
    await ahead.fit(A, { epochs: 2 });
    await along.fit(A, { epochs: 2, lockstep: true });
    expect(await along.save()).toEqual(await ahead.save());
  }));

test("in a callback the table and the rates are those of the step that it hears of", () =>
  guarded(async (device) => {
    const trainer = await small(device, { schedule: ({ step }) => 1 / (step + 1) });
    const told: [number, number, number | undefined, number | undefined, number | undefined][] = [];
    await trainer.fit(A, {
      epochs: 2,
      onStep({ step, epoch, rates }) {
        const [stem] = trainer.rates.table();
        told.push([step, epoch, stem?.updates, stem?.lr, rates()["stem.0"]]);
      },
    });
    const expected = Array.from({ length: 20 }, (_, i) => {
      const lr = 0.01 * (1 / (i + 1));
      return [i + 1, i < 10 ? 1 : 2, i + 1, lr, lr];
    });
    expect(told).toEqual(expected);
  }));

test("onEpoch is awaited, and so is a promise that onStep gives now and then", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const order: string[] = [];
    await trainer.fit(A, {
      epochs: 2,
      onEpoch: async ({ epoch }) => {
        await trainer.evaluate(A);
        order.push(`epoch ${epoch}`);
      },
      onStep: ({ step }) => {
        if (step !== 5) return order.push(`step ${step}`);
        return trainer.predict(A.x.slice(0, 6)).then(() => order.push("step 5"));
      },
    });
    const steps = (from: number) => Array.from({ length: 10 }, (_, i) => `step ${from + i}`);
    expect(order).toEqual([...steps(1), "epoch 1", ...steps(11), "epoch 2"]);
  }));

test("whoever looks while a fit runs takes turns with it and changes no bit of it", () =>
  guarded(async (device) => {
    for (const options of [{}, { accumulate: 3, averaging: 0.9 }]) {
      const [whole, watched] = [await small(device, options), await small(device, options)];
      await whole.fit(many, { epochs: 2 });
      let running = true;
      const fit = watched.fit(many, { epochs: 2, validation: A }).finally(() => {
        running = false;
      });
      let looks = 0;
      while (running) {
        const [prediction, evaluation, , bytes] = await Promise.all([
          watched.predict(A.x.slice(0, 48)),
          watched.evaluate(looks % 2 === 0 ? many : batchesOf(A)),
          watched.weights(),
          watched.save(),
        ]);
        expect(prediction.shape).toEqual([8, 2]);
        expect(Number.isFinite(evaluation.loss)).toBe(true);
        const again = await small(device, options);
        again.load(bytes);
        looks++;
      }
      await fit;
      expect(looks).toBeGreaterThan(1);
      expect(await watched.save()).toEqual(await whole.save());
    }
  }));

test("a checkpoint of a moment amid a fit goes on to the bits of never stopping", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const saves: Promise<Uint8Array<ArrayBuffer>>[] = [];
    await trainer.fit(many, {
      onStep: ({ step }) => {
        if (step % 60 === 0) saves.push(trainer.save());
      },
    });
    for (const bytes of await Promise.all(saves)) {
      const other = await small(device);
      other.load(bytes);
      await other.fit(many, { resume: true });
      expect(await other.save()).toEqual(await trainer.save());
    }
  }));

test("no batch is asked for that no step will use, and an iterable is closed", () =>
  guarded(async (device) => {
    let asked = 0;
    let closed = 0;
    function* stream() {
      try {
        for (const batch of batchesOf(A)) {
          asked++;
          yield batch;
        }
      } finally {
        closed++;
      }
    }
    const trainer = await small(device, { accumulate: 2 });
    await trainer.fit(stream(), { steps: 2 });
    expect([asked, trainer.steps, closed]).toEqual([4, 2, 1]);
    await trainer.fit({ [Symbol.iterator]: stream }, { steps: 2, epochs: 2 });
    expect([asked, trainer.steps, closed]).toEqual([8, 4, 2]);
  }));

test.each(["stop", "signal"])("a silent stream is ended by %s", (how) =>
  guarded(async (device) => {
    async function* stream() {
      yield slice(A, 0, 8);
      await new Promise(() => undefined);
    }
    const trainer = await small(device);
    const controller = new AbortController();
    const fit = trainer.fit(stream(), { signal: controller.signal });
    while (trainer.steps === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    if (how === "stop") trainer.stop();
    else controller.abort();
    expect(await fit).toEqual({ epochs: [], stopped: true });
    expect(trainer.steps).toBe(1);
    await trainer.fit(A);
    expect(trainer.steps).toBe(11);
  }),
);

test("a stream that breaks after its fit was stopped breaks nothing", () =>
  guarded(async (device) => {
    const unheard: unknown[] = [];
    const listen = ({ reason }: { readonly reason: unknown }): unknown => unheard.push(reason);
    const listener = listen as unknown as EventListener;
    globalThis.addEventListener("unhandledrejection", listener);
    let fail = (_: unknown): void => undefined;
    async function* stream() {
      yield slice(A, 0, 8);
      await new Promise((_, reject) => {
        fail = reject;
      });
    }
    const trainer = await small(device);
    const fit = trainer.fit(stream());
    while (trainer.steps === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    trainer.stop();
    expect((await fit).stopped).toBe(true);
    fail(new Error("the line is down"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.removeEventListener("unhandledrejection", listener);
    expect(unheard).toEqual([]);
  }));

test("a stream that fails, or gives a bad batch: what came before it was trained on, and nothing is called after", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const heard: number[] = [];
    async function* stream() {
      yield slice(A, 0, 8);
      yield slice(A, 8, 16);
      throw new Error("the line is down");
    }
    await expect(trainer.fit(stream(), { onStep: ({ step }) => heard.push(step) })).rejects.toThrow("the line is down");
    expect([heard, trainer.steps]).toEqual([[1, 2], 2]);
    const batches = [slice(A, 0, 8), { x: [1, 2, 3], y: [0] }];
    await expect(trainer.fit(batches.values(), { onStep: ({ step }) => heard.push(step) })).rejects.toThrow(/batch 1/);
    expect([heard, trainer.steps]).toEqual([[1, 2, 3], 3]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toEqual([1, 2, 3]);
    expect(await weightsOf(trainer)).toBeDefined();
  }));
