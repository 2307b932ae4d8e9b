// Devices that are lost in the midst of everything: trainings go on, on another device, to the bits of one that lost none.

import { expect, test } from "vitest";
import { type CohortTrainer, compileCohort, type MakeTrainer } from "../../src/cohort/index.ts";
import { compile, crossEntropy, dense, dropout, relu, sequential } from "../../src/index.ts";
import {
  compileRecoverable,
  type RecoverableTrainer,
  type Recovered,
  type RecoverOptions,
} from "../../src/recover/index.ts";
import { type Seam, seam } from "../fuzz/faults/seam.ts";
import { guarded } from "./guarded.ts";
import { type Losing, losing } from "./losing.ts";
import { bits, samples, slice } from "./small.ts";

const model = sequential({ stem: [dense(8), relu(), dropout(0.2)], body: [dense(8), relu()], head: dense(2) });
const settings = { input: [6], batch: 8, loss: crossEntropy(), seed: 5 } as const;
const data = samples(40);

/** A trainer whose devices can be lost, and what it told of. */
async function survivor(below: GPUDevice, recovery: RecoverOptions = {}) {
  const devices: Losing[] = [];
  const told: Recovered[] = [];
  const device = () => {
    const one = losing(below);
    devices.push(one);
    return one.device;
  };
  const trainer = await compileRecoverable(
    model,
    { ...settings, device },
    { everySteps: 4, wait: 1, onRecover: (found) => told.push(found), ...recovery },
  );
  return { trainer, devices, told, lose: (after = 0) => devices.at(-1)!.lose("unknown", after) };
}

/** The same with a device that stays. */
const plainly = (device: GPUDevice) => compile(model, { ...settings, device });

test("a fit is lost at six points, also while others predict and save: it tells of each step once and has the bits of one that was not", () =>
  guarded(async (device) => {
    const { trainer, told, lose } = await survivor(device);
    const other = await plainly(device);
    const expected: number[] = [];
    const { epochs: sound } = await other.fit(data, {
      epochs: 6,
      lockstep: true,
      onStep: ({ loss }) => expected.push(loss),
    });
    const heard: number[] = [];
    const losses: number[] = [];
    const beside: Promise<unknown>[] = [];
    const { epochs, stopped } = await trainer.fit(data, {
      epochs: 6,
      lockstep: true,
      onStep({ step, loss }) {
        heard.push(step);
        losses.push(loss);
        if ([2, 9, 15].includes(step)) lose();
        if (step === 17) lose(5);
        if (step === 21) beside.push(trainer.predict(data.x), trainer.evaluate(data), trainer.weights());
        if (step === 21 || step === 26) lose();
        if (step === 26) beside.push(trainer.save());
      },
    });
    expect(stopped).toBe(false);
    expect(heard).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(losses).toEqual(expected);
    expect(told.map(({ reason, attempt }) => [reason, attempt])).toEqual(Array(6).fill(["a reset of the driver", 1]));
    for (const { lost, step } of told) expect(lost + step).toBeGreaterThan(0);
    expect((await Promise.allSettled(beside)).map(({ status }) => status)).toEqual(Array(4).fill("fulfilled"));
    expect(epochs.map(({ epoch }) => epoch)).toEqual(sound.map(({ epoch }) => epoch));
    for (const [i, { loss, accuracy }] of epochs.entries()) {
      expect(loss).toBeCloseTo(sound[i]!.loss, 12);
      expect(accuracy).toBeCloseTo(sound[i]!.accuracy, 12);
    }
    expect(await trainer.save()).toEqual(await other.save());
    trainer.dispose();
    other.dispose();
  }));

test("changes of rates, single steps, set weights and uploaded data outlive a loss, in the order in which they came", () =>
  guarded(async (device) => {
    const { trainer, lose, told } = await survivor(device);
    const other = await plainly(device);
    const bare = ({ step }: { readonly step: number }): number => 1 / (1 + step);
    for (const one of [trainer, other]) {
      const hurt = one === trainer ? lose : () => undefined;
      let begun = 0;
      const fitted = await one.upload(data, { onProgress: ({ done }) => done === 0 && begun++ === 0 && hurt() });
      const again = one.upload(data);
      await one.step(slice(data, 0, 8));
      one.setWeights({ "head.bias": [0.5, -0.5] });
      one.rates.freeze("stem");
      one.rates.set("head", { schedule: bare });
      hurt();
      await one.step(slice(data, 8, 16));
      await one.predict(data.x);
      hurt();
      for (const each of [fitted, again]) expect((await one.evaluate(each)).samples).toBe(40);
      expect(one.rates.table().map(({ state }) => state)).toEqual(["frozen", "active", "active"]);
      await one.fit(fitted, {
        steps: 12,
        lockstep: true,
        onStep({ step }) {
          if (step === 5) one.rates.unfreeze("stem");
          if (step === 6) one.rates.scale("**", 0.5);
          if (step === 8 || step === 11) hurt();
        },
      });
      hurt();
      await one.findRate(data, { steps: 5 });
      hurt();
      await one.fineTune(data, { lockstep: true, onStep: ({ step }) => step === 20 && hurt() });
      hurt();
    }
    expect(trainer.rates.edits()).toEqual(other.rates.edits());
    expect(bits(await trainer.weights())).toEqual(bits(await other.weights()));
    expect(await trainer.state()).toEqual(await other.state());
    expect(told.length).toBeGreaterThanOrEqual(8);
    trainer.dispose();
    other.dispose();
  }));

test("a cohort survives too: a copy that took another's place does so again, at rest alone", () =>
  guarded(async (device) => {
    let devices: Losing[] = [];
    const surviving: MakeTrainer<RecoverableTrainer> = (made, options) =>
      compileRecoverable(
        made,
        {
          ...options,
          device() {
            devices = [...devices, losing(device)];
            return devices.at(-1)!.device;
          },
        },
        { everySteps: 4, wait: 1 },
      );
    const lose = () => devices.at(-1)?.lose("unknown");
    const asked = { ...settings, copies: 3, rates: (k: number) => ({ "**": 0.02 * 4 ** k }) };
    const run = async <T extends CohortTrainer>(make: MakeTrainer<T>) => {
      const cohort = await compileCohort(model, asked, make);
      const told: unknown[] = [];
      await cohort.fit(data, { steps: 6, lockstep: true, onStep: ({ step }) => step === 5 && lose() });
      cohort.replace(0, 2);
      cohort.rates.set("2", 0.5);
      lose();
      told.push(await cohort.evaluate(data));
      lose();
      const { epochs } = await cohort.fit(data, { steps: 9, resume: true, onStep: (step) => told.push(step) });
      told.push(epochs.map(({ copies }) => copies.map(({ loss }) => loss.toPrecision(10))));
      told.push(bits(await cohort.extract(2)));
      return { cohort, told };
    };
    const plain = await run((made, options) => compile(made, { ...options, device }));
    const { cohort, told } = await run(surviving);
    expect(devices.length).toBe(4);
    expect(told).toEqual(plain.told);
    expect(() => cohort.trainer.change(() => undefined)).not.toThrow();
    const fit = cohort.fit(data, { epochs: 1 });
    expect(() => cohort.replace(0, 1)).toThrow("change: training is under way");
    await fit;
    cohort.dispose();
    plain.cohort.dispose();
  }));

test("a device that lives and leaves something out is replaced once: what fails again on the next, before anything was made there, is thrown", async () => {
  // What fails on purpose is complained of.
  const below = (await (await navigator.gpu.requestAdapter())?.requestDevice()) as GPUDevice;
  const seas: Seam[] = [];
  const told: Recovered[] = [];
  let isFull = false;
  const device = () => {
    seas.push(seam(below));
    return (seas.at(-1) as Seam).device;
  };
  const onRecover = (found: Recovered): void => {
    told.push(found);
    if (isFull) seas.at(-1)?.arm("out of memory from there on", 0);
  };
  const recovery = { everySteps: 4, wait: 1, onRecover };
  const trainer = await compileRecoverable(model, { ...settings, device }, recovery);
  const other = await plainly(below);
  for (const fault of ["dropped", "out of memory", "no pipeline"] as const) {
    // Pipelines are compiled once a device.
    const batch = 4 + told.length;
    seas.at(-1)?.arm(fault, 0);
    expect(await trainer.predict(data.x, { batch })).toEqual(await other.predict(data.x, { batch }));
    expect(seas.at(-1)?.disarm()).toBeUndefined();
  }
  seas.at(-1)?.arm("dropped", 1);
  await trainer.fit(data, { epochs: 3 });
  await other.fit(data, { epochs: 3 });
  expect(await trainer.save()).toEqual(await other.save());
  expect(told.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
  expect(told.every(({ reason }) => reason !== "")).toBe(true);

  // No device has memory for it.
  isFull = true;
  seas.at(-1)?.arm("out of memory from there on", 0);
  await expect(trainer.predict(data.x)).rejects.toThrow("Use a smaller batch or model");
  expect([seas.length, told.length]).toEqual([6, 5]);
  isFull = false;
  seas.at(-1)?.disarm();
  await expect(trainer.weights()).resolves.toEqual(await other.weights());
  trainer.dispose();
  other.dispose();
  below.destroy();
});

test("a device that its owner destroys is gone; so is a trainer that was disposed, or that no device keeps alive", () =>
  guarded(async (device) => {
    const { trainer, devices, told } = await survivor(device);
    const fit = trainer.fit(data, { epochs: 9, onStep: ({ step }) => step === 3 && devices[0]!.device.destroy() });
    await expect(fit).rejects.toThrow("device: it was destroyed");
    await expect(trainer.predict(data.x)).rejects.toThrow("device: it was destroyed");
    expect([devices.length, told.length]).toEqual([1, 0]);

    const ended = await survivor(device);
    const waiting = ended.trainer.fit(data, { epochs: 9, onStep: ({ step }) => step === 3 && ended.lose() });
    setTimeout(() => ended.trainer.dispose(), 1);
    await expect(waiting).rejects.toThrow("trainer: it was disposed");

    // Each new device is lost at the same step.
    const hopeless = await survivor(device, { attempts: 3, everySteps: 100 });
    const fell = hopeless.trainer.fit(data, { epochs: 9, onStep: () => hopeless.lose() });
    for (const one of [fell, hopeless.trainer.predict(data.x)]) one.catch(() => undefined);
    for (let i = 0; i < 3; i++) {
      // It gives up within this loop where steps come between, which are lost too.
      await hopeless.trainer.recovered().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      hopeless.lose();
    }
    await expect(fell).rejects.toThrow("3 attempts");
    await expect(hopeless.trainer.weights()).rejects.toThrow("lastSnapshot");
    for (const one of [trainer, hopeless.trainer]) one.dispose();
  }));

test("what could not go on after a loss is refused before it", () =>
  guarded(async (device) => {
    const { trainer } = await survivor(device);
    function* once() {
      yield slice(data, 0, 8);
    }
    await expect(trainer.fit(once())).rejects.toThrow("fit: its batches come once only");
    await expect(trainer.fit(data, { validation: once() })).rejects.toThrow("fit: validation: its batches come once");
    await expect(compileRecoverable(model, { ...settings, device } as never)).rejects.toThrow("device is no function");
    await expect(compileRecoverable(model, settings, { every: 3 } as never)).rejects.toThrow('has no "every"');
    await expect(compileRecoverable(model, settings, { attempts: 0 })).rejects.toThrow("attempts is 0");
    expect(trainer.steps).toBe(0);
    trainer.dispose();
  }));

test("once a trainer is there no clock of its attempt runs on, for which a process would wait", () =>
  guarded(async (device) => {
    const { setTimeout: begin, clearTimeout: end } = globalThis;
    const running = new Set<unknown>();
    globalThis.setTimeout = ((work: () => void, milliseconds: number) => {
      const clock = begin(work, milliseconds);
      if (milliseconds === 77_000) running.add(clock);
      return clock;
    }) as typeof setTimeout;
    globalThis.clearTimeout = (clock) => {
      running.delete(clock);
      end(clock);
    };
    try {
      const { trainer, lose } = await survivor(device, { patience: 77 });
      lose();
      await trainer.predict(data.x);
      expect(running).toEqual(new Set());
      trainer.dispose();
    } finally {
      Object.assign(globalThis, { setTimeout: begin, clearTimeout: end });
    }
  }));
