// A cohort: each copy makes the steps that it makes alone with its rates and its seed, bit for bit, in as many dispatches as one.

import { describe, expect, test } from "vitest";
import { compileCohort } from "../../src/cohort/index.ts";
import {
  adam,
  adamw,
  batchNorm,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  dense,
  dropout,
  flatten,
  type Model,
  maxPool2d,
  relu,
  sequential,
  sgd,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const COPIES = 3;

interface Case {
  readonly model: Model;
  readonly options: Pick<CompileOptions, "input" | "optimizer" | "batch"> & Partial<CompileOptions>;
}

const cases: Readonly<Record<string, Case>> = {
  "an MLP with sgd": {
    model: sequential({ body: [dense(24), relu()], head: dense(3) }),
    options: { input: [12], batch: 16, optimizer: sgd({ lr: 0.1, momentum: 0.9 }) },
  },
  "an MLP with adam": {
    model: sequential({ body: [dense(300), relu()], head: dense(3) }),
    options: { input: [12], batch: 16, optimizer: adam({ lr: 0.003 }) },
  },
  "a convolution, norms of the batch and dropout with adamw": {
    model: sequential({
      stem: [conv2d(8), batchNorm(), relu(), maxPool2d(2), flatten()],
      body: [dense(20), batchNorm(), relu(), dropout(0.3)],
      head: dense(3),
    }),
    options: { input: [8, 8, 2], batch: 16, optimizer: adamw({ lr: 0.003, weightDecay: 0.1 }) },
  },
};

const samplesFor = (input: readonly number[], count: number) => {
  const size = input.reduce((a, b) => a * b, 1);
  const x = Float32Array.from({ length: count * size }, (_, i) => uniform(3, i) - 0.5);
  return { x, y: Uint8Array.from({ length: count }, (_, i) => Math.floor(3 * uniform(4, i))) };
};

const rates = (k: number) => ({ head: { multiplier: 2 ** k }, "**.bias": { multiplier: 3 - k } });

describe.each(Object.entries(cases))("%s", (_, { model, options }) => {
  test("copy k is what it is alone", () =>
    guarded(async (device) => {
      const all = { device, loss: crossEntropy(), ...options };
      const data = samplesFor(options.input as number[], 40);
      const cohort = await compileCohort(model, { ...all, copies: COPIES, rates, seed: (k) => 5 + k });
      const { epochs } = await cohort.fit(data, { epochs: 2, shuffle: false });
      const evaluated = await cohort.evaluate(data);
      for (let k = 0; k < COPIES; k++) {
        const alone = await compile(model, { ...all, rates: rates(k), seed: 5 + k });
        const { epochs: own } = await alone.fit(data, { epochs: 2, shuffle: false });
        expect(bits(await cohort.extract(k))).toEqual(bits(await alone.weights()));
        expect(epochs.map(({ copies }) => copies[k])).toEqual(own.map(({ loss, accuracy }) => ({ loss, accuracy })));
        const { loss, accuracy } = await alone.evaluate(data);
        expect(evaluated[k]).toEqual({ loss, accuracy });
        alone.dispose();
      }
      cohort.dispose();
    }));
});
