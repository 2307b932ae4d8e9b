// Gradients of micro-batches on the GPU, added up by unequal weights, against f64; what stood in the sums before does not matter.

import { expect, test } from "vitest";
import { adam } from "../../src/optim/rule/adam.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { checkSequence, expectSameBits, runSequence, type Sequence } from "./sequence.ts";

const base: Sequence = {
  layers: [[1, 3], [255, 256, 257], [511], [1000]],
  optimizers: [sgd({ lr: 0.1, momentum: 0.9 })],
  isFrozen: (step, row) => row === 2 && step === 2,
  steps: 3,
};

test.each([[[1]], [[0.5, 0.5]], [[0.7, 0.2, 0.1]], [[3 / 7, 3 / 7, 1 / 7]]])("weights %s", async (micro) => {
  for (const scale of [1, 1e-4, 1e4]) {
    const optimizers = scale > 1 ? [adam()] : base.optimizers;
    await checkSequence({ ...base, optimizers, micro: [...micro], settings: { accumulate: 2 }, scale });
  }
});

test("norms and clipping are those of the sum", async () => {
  const settings = { clip: { most: 5, byLayer: false }, accumulate: 2, average: true };
  await checkSequence({ ...base, micro: [0.75, 0.25], settings });
});

test("a gradient that is not finite is gone with its update", async () => {
  const gradient = (usual: Float64Array, step: number) => (step === 1 ? usual.map(() => Number.NaN) : usual);
  const isFrozen = (step: number): boolean => step === 1;
  const left = await runSequence({ ...base, micro: [0.5, 0.5], gradient, isFrozen });
  const quiet = await runSequence({ ...base, micro: [0.5, 0.5], isFrozen });
  expectSameBits(left, quiet);
  expect(left[2]!.arenas).not.toEqual(left[0]!.arenas);
});
