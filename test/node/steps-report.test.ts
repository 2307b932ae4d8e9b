// What a soak of steps calls wrong: buffers that change, a heap that grows in each part, a throughput that falls by more than chance, and what
// trainers leave.

import { expect, test } from "vitest";
import { growthOf, noSteps, type StepsReport, stepsFaults, throughputOf } from "../fuzz/steps-report.ts";

const stand = (i: number, heap: number) => ({ steps: 10 + 2500 * i, loss: 1, alive: 18, made: 18, heap });
/** Forty parts, in two of which code is compiled. */
const heaps = Array.from({ length: 41 }, (_, i) => 8e6 + (i > 5 ? 64_000 : 0) + (i > 30 ? 9_000 : 0));
const blocks = (slower: number) => ({
  old: Array.from({ length: 30 }, (_, i) => (100 + (i % 3)) * slower),
  fresh: Array.from({ length: 30 }, (_, i) => 100 + ((i + 1) % 3)),
});
const sound: StepsReport = {
  ...noSteps(100_000),
  stands: heaps.map((heap, i) => stand(i, heap)),
  blocks: blocks(1),
  rounds: { count: 1000, alive: 0, made: 19_000 },
};

test("a sound run is none of it", () => {
  expect(growthOf(sound.stands)).toBe(0);
  expect(throughputOf(blocks(1)).part).toBeCloseTo(1, 3);
  expect(stepsFaults(sound)).toEqual([]);
  expect(stepsFaults(noSteps(100))).toEqual([]);
});

test.each<[what: string, report: Partial<StepsReport>, fault: RegExp]>([
  ["a byte a step", { stands: heaps.map((heap, i) => stand(i, heap + 2500 * i)) }, /^the heap grows by 2500 bytes/],
  [
    "a buffer more",
    { stands: [...sound.stands, { ...stand(41, 8e6), alive: 19 }] },
    /^18 buffers of 18 at step 10, 19 of 18 at/,
  ],
  [
    "buffers that come and go",
    { stands: [...sound.stands, { ...stand(41, 8e6), made: 20 }] },
    /^18 buffers of 18 at step 10, 18 of 20 at/,
  ],
  ["a loss that is none", { stands: [{ ...stand(0, 8e6), loss: Number.NaN }] }, /^a loss is not finite/],
  ["a step that takes 3 % longer", { blocks: blocks(1.03) }, /^throughput is 97\.\d/],
  [
    "a trainer that leaves a buffer",
    { rounds: { count: 1000, alive: 1000, made: 2000 } },
    /^1000 buffers are left of 1000/,
  ],
])("%s is", (_, report, fault) => {
  expect(stepsFaults({ ...sound, ...report })).toEqual([expect.stringMatching(fault)]);
});
