// A hundred random sequences of calls, good and bad, beside a reference in f64; `npm run soak` runs thousands. A failure names its
// seed and the command that repeats it.

import { afterAll, beforeAll, expect, test } from "vitest";
import * as engine from "../../src/index.ts";
import { calls } from "../fuzz/calls.ts";
import { deviceOf } from "../fuzz/device.ts";
import { failure } from "../fuzz/report.ts";
import { type Counts, SHORT, trySeed } from "../fuzz/sequence.ts";

const GROUP = 20;

let gpu: Awaited<ReturnType<typeof deviceOf>>;
const counts: Counts = {};

beforeAll(async () => {
  gpu = await deviceOf();
});
afterAll(() => gpu.device.destroy());

test.each(Array.from({ length: SHORT / GROUP }, (_, i) => 1 + i * GROUP))("seeds from %i on", async (first) => {
  const known: string[] = [];
  const found: string[] = [];
  for (let seed = first; seed < first + GROUP; seed++) {
    const one = await trySeed(engine, gpu.device, seed, counts, { known });
    if (one === undefined) continue;
    known.push(`${one.kind}: ${one.call}`);
    found.push(failure(one));
  }
  expect([...found, ...gpu.complaints].join("\n")).toBe("");
});

test("every call of the vocabulary was made", () => {
  expect(Object.keys(calls).filter((name) => !(name in counts))).toEqual([]);
});
