// Normalizations: dispatches in a step, what is refused, and values, gradients and running statistics against PyTorch in f64.

import { expect, test } from "vitest";
import { batchNorm, conv2d, dense, flatten, type Layer, relu, residual, sequential } from "../../src/index.ts";
import { programOf } from "./program.ts";

const image = [8, 8, 3];

/** Kernels of a step from a convolution on, in order, each with what is at its end. */
function kernels(model: Layer, options: Parameters<typeof programOf>[1] = {}): string[] {
  const { recording } = programOf(model, { input: image, ...options });
  return recording.commands.map(({ kernel, note }) => `${kernel}${(note.match(/ \+\w+/g) ?? []).join("")}`);
}

const conv = () => conv2d(8, { padding: "same", bias: false });
const block = [conv(), batchNorm(), relu()];

test("batchNorm adds two dispatches on the way forward, with relu or a sum at the end, and two on the way back", () => {
  const found = kernels(sequential([conv(), ...block, flatten(), dense(3)]));
  const bare = kernels(sequential([conv(), conv(), relu(), flatten(), dense(3)]));
  expect(found.filter((name) => /batch|channel|normalize/i.test(name))).toEqual([
    "batch-statistics",
    "elementwise +normalizeAffine +relu",
    "channel-sums",
    "batch-norm-backward +multiply",
  ]);
  // And one that moves both running values.
  expect(found.length).toBe(bare.length + 4 + 1);
  const summed = kernels(sequential([conv(), residual([conv(), batchNorm()]), relu(), flatten(), dense(3)]));
  expect(summed).toContain("elementwise +normalizeAffine +add +relu");
});

test("where gamma and beta are frozen, and in predictions, it ends the kernel before it", () => {
  const frozen = new Set(["1.gamma", "1.beta"]);
  const model = sequential([conv(), batchNorm(), relu(), flatten(), dense(3)]);
  const training = kernels(model, { frozen });
  expect(training).toEqual(
    expect.arrayContaining(["inverse-root +multiply", "conv2d +subtract +multiply +bias +relu"]),
  );
  expect(training.join()).not.toMatch(/batch|channel|commit/);
  expect(kernels(model, { mode: "predict" })).toContain("conv2d +subtract +multiply +bias +relu");
});

test("many rows are cut into parts", () => {
  const found = kernels(sequential(block), { input: [64, 64, 3], batch: 17 });
  expect(found.filter((name) => /batch-statistics|channel-sums/.test(name))).toHaveLength(4);
});
