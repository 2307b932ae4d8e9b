// Copies of random networks, which branch, join and share weights: each makes the steps that it makes alone, bit for bit, whatever their
// number is, in the order of workgroups that a processor has and in that of a GPU.

import { expect, test } from "vitest";
import { compileCohort } from "../../src/cohort/index.ts";
import { adam, compile } from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { randomModel } from "../reference/random-model.ts";
import { alone } from "./guarded.ts";
import { bits } from "./small.ts";

/** Numbers of networks. With 60 of them for 5 this was run once. */
const seeds = [0, 1, 2, 3, 4];

/** Seven samples for the network of this seed, of which every third has numbers for its targets. */
function samplesFor(seed: number, input: readonly number[]) {
  const size = input.reduce((a, b) => a * b, 1);
  const numbers = Float32Array.from({ length: 7 * 3 }, (_, i) => uniform(seed + 1, i));
  return {
    x: Float32Array.from({ length: 7 * size }, (_, i) => uniform(seed, i) - 0.5),
    y: seed % 3 === 0 ? numbers : Uint8Array.from({ length: 7 }, (_, i) => 3 * (numbers[i] as number)),
  };
}

test.each([
  ["a processor", undefined],
  ["a GPU", { vendor: "made up" }],
])("copy k of a random network is what it is alone in the order of %s", (_, info) =>
  alone(async (device) => {
    if (info) Object.defineProperty(device, "adapterInfo", { value: info });
    for (const seed of seeds) {
      const { model, input, batch, loss } = randomModel(seed);
      const copies = 2 + ((seed * 7) % 8);
      const options = { device, input, batch, loss, optimizer: adam({ lr: 0.01 }) };
      const rates = (k: number) => ({ "**": 0.01 / (k + 1) });
      const data = samplesFor(seed, input);
      const cohort = await compileCohort(model, { ...options, copies, rates, seed: (k) => seed + k });
      await cohort.fit(data, { epochs: 2, shuffle: false });
      for (const k of new Set([0, copies >> 1, copies - 1])) {
        const one = await compile(model, { ...options, rates: rates(k), seed: seed + k });
        await one.fit(data, { epochs: 2, shuffle: false });
        expect([seed, k, bits(await cohort.extract(k))]).toEqual([seed, k, bits(await one.weights())]);
        one.dispose();
      }
      cohort.dispose();
    }
  }),
);
