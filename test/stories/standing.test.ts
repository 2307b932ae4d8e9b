// Where training stands: a fit begins anew, a resumed one goes on to the same bits or is refused, and whatever ends a fit
// leaves the trainer after a whole update that was made.

import { expect, test } from "vitest";
import { NonFiniteError, sgd, type Trainer } from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, samples, slice, small } from "./small.ts";

const A = samples(80);
const B = samples(32, 9);

const weightsOf = async (trainer: Trainer) => bits(await trainer.weights());
const message = (work: Promise<unknown>): Promise<string> => work.then(() => "nothing was thrown", String);

test("a fit after a stopped, a failed or another one makes all of its steps", () =>
  guarded(async (device) => {
    const trainer = await small(device, { optimizer: sgd({ lr: 0.1 }) });
    const made = async (work: () => Promise<unknown>): Promise<number> => {
      const before = trainer.steps;
      await work();
      return trainer.steps - before;
    };
    expect(await made(() => trainer.fit(A, { steps: 3 }))).toBe(3);
    expect(await made(() => trainer.fit(B, { epochs: 2 }))).toBe(8);
    await expect(
      trainer.fit(A, {
        onStep: ({ step }) => {
          if (step > 12) throw new Error("mine");
        },
      }),
    ).rejects.toThrow("mine");
    expect(await made(() => trainer.fit(A))).toBe(10);
    trainer.setWeights({ "head.weight": new Float32Array(16).fill(3e38) });
    await expect(trainer.fit(A)).rejects.toBeInstanceOf(NonFiniteError);
    trainer.setWeights({ "head.weight": new Float32Array(16).fill(0.1) });
    const { epochs } = await trainer.fit(B);
    expect(epochs.map(({ loss }) => Number.isFinite(loss))).toEqual([true]);
    expect(await made(() => trainer.fit([slice(A, 0, 8), slice(A, 8, 16)], { steps: 5, epochs: 9 }))).toBe(5);
    expect(await made(() => trainer.fit([slice(A, 0, 8), slice(A, 8, 16)]))).toBe(2);
  }));

test("a callback that throws ends the fit, and what was on its way is made: resumed, it has the bits of one undisturbed", () =>
  guarded(async (device) => {
    const [whole, broken] = [await small(device), await small(device)];
    await whole.fit(A, { epochs: 3 });
    const late: number[] = [];
    const failed = broken.fit(A, {
      epochs: 3,
      onStep: ({ step }) => {
        late.push(step);
        if (step === 7) throw new Error("mine");
      },
    });
    expect(await message(failed)).toBe("Error: mine");
    expect(late).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(broken.rates.table()[0]?.updates).toBe(broken.steps);
    await broken.fit(A, { epochs: 3, resume: true });
    expect(await broken.save()).toEqual(await whole.save());
  }));

test("resume: the run's epochs are filled up, and of a finished one nothing is left", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    let last: Promise<Uint8Array<ArrayBuffer>> | undefined;
    await trainer.fit(A, {
      epochs: 2,
      onEpoch: () => {
        last = trainer.save();
      },
    });
    expect(await trainer.fit(A, { epochs: 2, resume: true })).toEqual({ epochs: [], stopped: false });
    const other = await small(device);
    other.load((await last) as Uint8Array);
    const { epochs } = await other.fit(A, { epochs: 3, resume: true });
    expect(epochs.map(({ epoch }) => epoch)).toEqual([3]);
    const whole = await small(device);
    await whole.fit(A, { epochs: 3 });
    expect(await weightsOf(other)).toEqual(await weightsOf(whole));
    // Nothing to go on with: it begins.
    const fresh = await small(device);
    await fresh.fit(A, { epochs: 3, resume: true });
    expect(await weightsOf(fresh)).toEqual(await weightsOf(whole));
  }));

test("resume is refused, with both numbers, where the place in the data would mean another one", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    await trainer.fit(A, { steps: 3 });
    const resume = true;
    expect(await message(trainer.fit(B, { resume }))).toMatch(/^OptionError: fit: resume: .*count 80.*count 32/);
    expect(await message(trainer.fit(A, { resume, shuffle: false }))).toMatch(/shuffle true.*shuffle false/);
    expect(await message(trainer.fit([slice(A, 0, 8)], { resume }))).toMatch(/count 80.*count null/);
    const smaller = await small(device, { batch: 4 });
    const bytes = await trainer.save();
    expect(() => smaller.load(bytes)).toThrow(/batch is 8, here 4/);
    smaller.load(bytes, { allow: ["batch"] });
    expect(await message(smaller.fit(A, { resume }))).toMatch(/batch 8.*batch 4/);
    expect(smaller.steps).toBe(3);
    await smaller.fit(A);
    expect(smaller.steps).toBe(23);
  }));

test("a bad step in the midst of a run: it stands before it, and goes on from there", () =>
  guarded(async (device) => {
    const bad = { x: A.x.slice(), y: A.y };
    bad.x.fill(3e38, 24 * 6, 25 * 6);
    const [whole, trainer] = [await small(device), await small(device)];
    const seen: number[] = [];
    const found = await trainer
      .fit(bad, { shuffle: false, onStep: ({ step }) => seen.push(step) })
      .catch((error: unknown) => error);
    expect(found).toBeInstanceOf(NonFiniteError);
    expect((found as NonFiniteError).step).toBe(4);
    expect(seen).toEqual([1, 2, 3]);
    expect(trainer.steps).toBe(3);
    await whole.fit(A, { shuffle: false });
    await trainer.fit(A, { shuffle: false, resume: true });
    expect(await trainer.save()).toEqual(await whole.save());
  }));

test("finder and recipe are exclusive, change nothing before they may run, and put everything back when they fail", () =>
  guarded(async (device) => {
    const trainer = await small(device, { optimizer: sgd({ lr: 0.1, momentum: 0.9 }) });
    await trainer.fit(A, { steps: 3 });
    const before = await trainer.save();
    const fit = trainer.fit(samples(800), { resume: false });
    expect(await message(trainer.findRate(B))).toMatch(/^GradusError: findRate: training is under way/);
    expect(await message(trainer.fineTune(B))).toMatch(/^GradusError: fineTune: training is under way/);
    await fit;
    expect(trainer.rates.edits()).toEqual([]);
    trainer.load(before);
    const mine = () => {
      throw new Error("mine");
    };
    expect(await message(trainer.findRate(B, { onStep: mine }))).toBe("Error: mine");
    expect(await trainer.save()).toEqual(before);
    expect(await message(trainer.fineTune(B, { onEpoch: mine }))).toBe("Error: mine");
    expect(await trainer.save()).toEqual(before);
    expect(await message(trainer.fineTune(B, { epochs: 0 }))).toMatch(/^OptionError/);
    expect(await message(trainer.findRate(B, { layers: "haed" }))).toMatch(/^NameError/);
    expect(await trainer.save()).toEqual(before);
    await trainer.fit(A, { resume: true });
    const whole = await small(device, { optimizer: sgd({ lr: 0.1, momentum: 0.9 }) });
    await whole.fit(A);
    expect(await trainer.save()).toEqual(await whole.save());
  }));

test("a recipe of one batch an epoch learns", () =>
  guarded(async (device) => {
    const trainer = await small(device, { optimizer: sgd({ lr: 0.5 }) });
    const one = slice(A, 0, 8);
    const before = await trainer.evaluate(one);
    await trainer.fineTune(one, { epochs: 3, headEpochs: 1, spread: 1 });
    const after = await trainer.evaluate(one);
    expect(before.loss - after.loss).toBeGreaterThan(0.01);
    const { rates } = await trainer.findRate(one, { lo: 1e-4, hi: 1, steps: 12 });
    expect(rates).toHaveLength(12);
  }));
