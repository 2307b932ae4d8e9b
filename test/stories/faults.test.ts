// A sample of what `npm run soak -- --only faults,losses,interruptions` walks through: a device that drops or refuses a submission, has no buffer, maps none, or
// is lost gives the numbers of a sound one, a typed error, or another device in its place; never other numbers, and nothing unheard.

import { expect, test } from "vitest";
import { NUMBER } from "../../src/step/metrics.ts";
import { openInterruptions } from "../fuzz/faults/interruptions.ts";
import { openLosses } from "../fuzz/faults/losses.ts";
import { faultFailure, interruptionFailure, isUnrecovered, isWrong, lossFailure } from "../fuzz/faults/report.ts";
import { type Outcome, openWalk, type Place } from "../fuzz/faults/walk.ts";
import { guarded } from "./guarded.ts";
import { samples, slice, small } from "./small.ts";

/** Calls, and which of their places are tried: one of so many. */
const sample: Readonly<Partial<Record<Place["call"], number>>> = {
  ...{ compile: 40, step: 9, fit: 31, predict: 9, "evaluate other weights": 9, save: 4, findRate: 31 },
};

/** Among them: a step that was dropped before others that ran, one that was not read, losses, ends, stops and data that is not finite. */
const interruptions = [1, 2, 3, 4, 65, 127, 157, 159, 175];

const opened = async (): Promise<GPUDevice> =>
  (await (await navigator.gpu.requestAdapter())?.requestDevice()) as GPUDevice;

test("what fails on a device is a typed error, or changes no number", async () => {
  const below = await opened();
  const walk = await openWalk(below, "rich");
  const found: Outcome[] = [];
  for (const [call, each] of Object.entries(sample) as [Place["call"], number][]) {
    for (const [i, place] of (await walk.places(call)).entries()) {
      if (i % each === 0) found.push(await walk.run(place));
    }
  }
  expect(found.filter(isWrong).map(faultFailure)).toEqual([]);
  expect(found.filter(({ was }) => was === "typed").length).toBeGreaterThan(found.length / 2);
  expect(new Set(found.map(({ fault }) => fault)).size).toBe(8);
  below.destroy();
});

test("a device that is lost anywhere in a call is replaced, and the call gives what it would have given", () =>
  guarded(async (below) => {
    const lose = openLosses(below);
    for (const number of [1, 2, 3, 4]) {
      const one = await lose(number);
      expect(isUnrecovered(one) ? lossFailure(one) : "").toBe("");
    }
  }));

test("a call that something comes between gives its numbers or a typed error, and training goes on behind it as if nothing had been", async () => {
  const below = await opened();
  const interrupt = openInterruptions(below);
  const found = [];
  for (const number of interruptions) found.push(await interrupt(number));
  expect(found.filter(isWrong).map(interruptionFailure)).toEqual([]);
  expect(new Set(found.map(({ was }) => was))).toEqual(new Set(["typed", "same"]));
  below.destroy();
});

test("no two trainers of a device number a submission alike: the memory of one may come to the other with what was left in it", () =>
  guarded(async (below) => {
    const numbers: number[] = [];
    const { writeBuffer } = below.queue;
    below.queue.writeBuffer = (...given: Parameters<typeof writeBuffer>) => {
      const [{ label }, , words] = given;
      if (label === "step ring") numbers.push(new Uint32Array(words as ArrayBuffer)[NUMBER] as number);
      return writeBuffer.apply(below.queue, given);
    };
    for (const _ of [1, 2]) {
      const trainer = await small(below);
      for (const from of [0, 8]) await trainer.step(slice(samples(40), from, from + 8));
      trainer.dispose();
    }
    Reflect.deleteProperty(below.queue, "writeBuffer");
    expect(numbers).toHaveLength(4);
    expect(new Set(numbers).size).toBe(4);
  }));
