// The host runs ahead of the device: what only looks is submitted without waiting for what came before, a program is made before the step
// that needs it, and large samples go piece by piece. Counted on a device that computes nothing.

import { expect, test } from "vitest";
import { gradualUnfreezing, type Trainer } from "../../src/index.ts";
import { samples, slice, small } from "../stories/small.ts";
import { countingDevice } from "./counting-device.ts";

/** Ticks of the event loop that a device waits for more submissions at most. */
const PATIENCE = 50;

/** A device of which nothing comes back before `least` submissions are under way, as far as they come at all. */
function slowDevice(least: number) {
  const { device, read } = countingDevice("gpu");
  const create = device.createBuffer.bind(device);
  /** Submissions under way at each return. */
  const returns: number[] = [];
  let from = 0;
  device.createBuffer = (descriptor) =>
    Object.assign(create(descriptor), {
      async mapAsync() {
        for (let tick = 0; tick < PATIENCE && read().submits - from < least; tick++)
          await new Promise((resolve) => setImmediate(resolve));
        returns.push(read().submits - from);
      },
    });
  return {
    device,
    returns,
    /** Counts what `work` asks for. */
    async during(work: () => Promise<unknown>): Promise<{ submits: number; passes: number; maps: number }> {
      const before = read();
      from = before.submits;
      returns.length = 0;
      await work();
      const { submits, passes } = read();
      return { submits: submits - before.submits, passes: passes - before.passes, maps: returns.length };
    },
  };
}

const data = samples(100);
/** Three, and three more. */
const batches = [0, 8, 16, 24, 32, 40].map((from) => slice(data, from, from + 8));

test("an evaluation of batches has three submissions under way before it reads the first", async () => {
  const { device, during, returns } = slowDevice(3);
  const trainer = await small(device);
  expect(await during(() => trainer.evaluate(batches))).toEqual({ submits: 6, passes: 6, maps: 6 });
  expect(returns[0]).toBe(3);
});

test("an evaluation of samples has sixteen batches in a submission, and reads once for each of these", async () => {
  const { device, during, returns } = slowDevice(1);
  const trainer = await small(device, { batch: 2 });
  expect(await during(() => trainer.evaluate(data))).toEqual({ submits: 4, passes: 4, maps: 4 });
  expect(returns.length).toBe(4);
});

test("a prediction of small batches has sixteen in a submission, and reads what all have said once", async () => {
  const { device, during } = slowDevice(2);
  const trainer = await small(device);
  // 25 batches, each with a pass of its own since what it says is copied away before the next.
  expect(await during(() => trainer.predict(data.x, { batch: 4 }))).toEqual({ submits: 2, passes: 25, maps: 3 });
  expect(await during(() => trainer.predict(data.x))).toEqual({ submits: 1, passes: 1, maps: 2 });
});

/** Pipelines at the end of each step, of `steps`. */
async function pipelinesByStep(trainer: Trainer, read: () => { readonly pipelines: number }, steps: number) {
  const seen: number[] = [];
  await trainer.fit(data, { steps, lockstep: true, onStep: () => void seen.push(read().pipelines) });
  return seen;
}

test("the program of a layer that thaws is compiled while the first steps run, and nothing at the step itself", async () => {
  const { device, read } = countingDevice("gpu");
  const trainer = await small(device, { rates: { stem: { from: 8 }, head: { until: 20 } } });
  const compiled = read().pipelines;
  const seen = await pipelinesByStep(trainer, read, 24);
  expect(seen[0]).toBeGreaterThan(compiled);
  // At step 9, the first that trains the stem, the one without the head follows.
  expect(new Set(seen.slice(0, 8)).size).toBe(1);
  expect(new Set(seen.slice(8)).size).toBe(1);
  expect(trainer.rates.table().map(({ state }) => state)).toEqual(["active", "active", "frozen"]);
});

test("so it is where layers thaw by epochs, one after the other, and with statistics and a cache of features", async () => {
  const { device, read } = countingDevice("gpu");
  const rates = gradualUnfreezing({ every: { epochs: 1 } });
  const trainer = await small(device, { rates, cacheFrozen: true });
  const made: [step: number, pipelines: number][] = [];
  await trainer.fit(data, {
    ...{ epochs: 4, lockstep: true, statsEvery: 5, onStats: () => undefined },
    onStep: ({ step }) => void made.push([step, read().pipelines]),
  });
  // An epoch has 13 steps: the body thaws behind step 13, the stem behind step 26, for which all is made behind step 14.
  const at = (step: number): number => made[step - 1]![1];
  expect(made.length).toBe(52);
  expect(at(14)).toBeGreaterThan(at(13));
  expect([at(1), at(14), at(14)]).toEqual([at(13), at(27), at(52)]);
});

test("a thaw by hand is announced by `from`, and takes no pipeline at its step either", async () => {
  const { device, read } = countingDevice("gpu");
  const trainer = await small(device, { rates: { stem: { frozen: true } } });
  const seen: number[] = [];
  const states = new Set<string>();
  const onStep = ({ step }: { step: number }): void => {
    if (step === 3) trainer.rates.set("stem", { frozen: false, from: trainer.steps + 5 });
    seen.push(read().pipelines);
    states.add(`${step} ${trainer.rates.table()[0]?.state}`);
  };
  await trainer.fit(data, { steps: 12, lockstep: true, onStep });
  expect(new Set(seen.slice(0, 3)).size).toBe(1);
  expect(seen[3]).toBeGreaterThan(seen[2]!);
  expect(new Set(seen.slice(3)).size).toBe(1);
  expect([...states]).toEqual(expect.arrayContaining(["2 frozen", "8 waiting", "9 active"]));
});

test("a thaw that no step of the fit reaches compiles nothing", async () => {
  const { device, read } = countingDevice("gpu");
  const trainer = await small(device, { rates: { stem: { from: 8 } } });
  const compiled = read().pipelines;
  expect(await pipelinesByStep(trainer, read, 8)).toEqual(Array(8).fill(compiled));
});

/** Samples of 9 MB of numbers, and labels. */
const LARGE = 400_000;
const large = { x: new Float32Array(LARGE * 6).fill(0.5), y: new Uint8Array(LARGE) };
const PIECE = 2 ** 22;
const [numbers, labels] = [LARGE * 6 * 4, LARGE * 4];

test("an upload with options goes in pieces, each waited for, and tells how far it is", async () => {
  const { device } = countingDevice("gpu");
  const trainer = await small(device);
  const written: number[] = [];
  const { queue } = device;
  const write = queue.writeBuffer;
  queue.writeBuffer = (buffer, at, from, ...rest) => {
    written.push(from.byteLength);
    write(buffer, at, from, ...(rest as []));
  };
  const told: { done: number; total: number }[] = [];
  const uploaded = await trainer.upload(large, { onProgress: (one) => void told.push(one) });
  const pieces = [PIECE, PIECE, numbers - 2 * PIECE, labels];
  expect(written).toEqual(pieces);
  expect(told).toEqual(
    [0, 1, 2, 3, 4].map((k) => ({
      done: pieces.slice(0, k).reduce((sum, bytes) => sum + bytes, 0),
      total: numbers + labels,
    })),
  );
  await trainer.evaluate(uploaded);
  // Nothing of them is uploaded again: their order alone, and values of steps.
  expect(written.slice(4).every((bytes) => bytes <= labels)).toBe(true);
});

test.each(["signal", "listener"] as const)("an upload that its %s ends leaves nothing on the device", async (who) => {
  const { device } = countingDevice("gpu");
  const trainer = await small(device);
  let alive = 0;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    alive++;
    return Object.assign(create(descriptor), { destroy: () => void alive-- });
  };
  const controller = new AbortController();
  const reason = new Error("no more");
  const told: number[] = [];
  const onProgress = ({ done }: { done: number }): void => {
    told.push(done);
    if (done < PIECE) return;
    if (who === "listener") throw reason;
    controller.abort(reason);
  };
  const { signal } = controller;
  await expect(trainer.upload(large, { onProgress, signal })).rejects.toBe(reason);
  expect([told, alive]).toEqual([[0, PIECE], 0]);
  await expect(trainer.upload({ x: [1], y: [0] }, {})).rejects.toThrow("upload: data.x has 1 numbers");
  await expect(trainer.upload(large, { progress: onProgress } as never)).rejects.toThrow('it has no "progress"');
  await expect(trainer.upload(large, { onProgress: 1 as never })).rejects.toThrow(
    "onProgress is 1, it must be a function",
  );
  await expect(trainer.upload(large, { signal: true as never })).rejects.toThrow(
    "signal is true, it must be the signal",
  );
});
