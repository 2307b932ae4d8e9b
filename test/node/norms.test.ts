// Normalizations: dispatches in a step, and what is refused.

import { expect, test } from "vitest";
import {
  averagePool1d,
  batchNorm,
  conv2d,
  dense,
  flatten,
  globalAveragePool2d,
  globalMaxPool1d,
  groupNorm,
  type Layer,
  layerNorm,
  maxPool1d,
  ops,
  relu,
  residual,
  rmsNorm,
  sequential,
  softmax,
} from "../../src/index.ts";
import type { Attributes } from "../../src/op/op.ts";
import type { Tensor } from "../../src/op/tensor.ts";
import { errorOf } from "../golden/layers.ts";
import { exact } from "../reference/twin.ts";
import { twins } from "../reference/twins.ts";
import { programOf } from "./program.ts";

const image = [8, 8, 3];

/** Kernels of a step from a convolution on, in order, each with what is at its end. */
function kernels(model: Layer, options: Parameters<typeof programOf>[1] = {}): string[] {
  const { recording } = programOf(model, { input: image, ...options });
  const parts = recording.commands.flatMap((command) => command.parts ?? [command]);
  return parts.map(({ kernel, note }) => `${kernel}${(note.match(/ \+\w+/g) ?? []).join("")}`);
}

const conv = () => conv2d(8, { padding: "same", bias: false });
const block = [conv(), batchNorm(), relu()];

test("batchNorm adds two dispatches on the way forward, with relu or a sum at the end, and two on the way back", () => {
  const found = kernels(sequential([conv(), ...block, flatten(), dense(3)]));
  const bare = kernels(sequential([conv(), conv(), relu(), flatten(), dense(3)]));
  expect(found.filter((name) => /batch|channel-/.test(name))).toEqual([
    "batch-statistics",
    "elementwise +batchNormAffine +relu",
    "channel-sums",
    "batch-norm-backward +multiply",
  ]);
  // And one that moves both running values.
  expect(found.length).toBe(bare.length + 4 + 1);
  const summed = kernels(sequential([conv(), residual([conv(), batchNorm()]), relu(), flatten(), dense(3)]));
  expect(summed).toContain("elementwise +batchNormAffine +add +relu");
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

const said = (make: () => Layer, input: readonly number[] = [6]): string => {
  try {
    programOf(sequential({ stem: make(), head: [flatten(), dense(2)] }), { input });
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "nothing";
};

test.each([
  [() => batchNorm({ momentum: 1.5 }), "OptionError: batchNorm: momentum is 1.5, it must be from 0 to 1."],
  [() => batchNorm({ eps: 0 }), "OptionError: batchNorm: eps is 0, it must be a normal number of f32 above 0."],
  [() => batchNorm({ epsilon: 1 } as object), 'OptionError: batchNorm: it has no "epsilon". Did you mean "eps"?'],
  [() => batchNorm({ scale: 1 } as object), "OptionError: batchNorm: scale is 1, it must be true or false."],
  [() => layerNorm({ eps: -1 }), "OptionError: layerNorm: eps is -1, it must be a normal number of f32 above 0."],
  [() => rmsNorm({ offset: true } as object), 'OptionError: rmsNorm: it has no "offset".'],
  [() => groupNorm(0), "OptionError: groupNorm: groups is 0, it must be a whole number of at least 1."],
  [
    () => groupNorm(2),
    'ShapeError: groupNorm "stem": input has shape [32,6], it must be [batch, .., channels] with positions between. Give it one more axis.',
  ],
  [
    () => groupNorm(4),
    'ShapeError: groupNorm "stem": input has 6 channels, they cannot be divided into 4 groups.',
    [3, 6],
  ],
  [
    () => (softmax as (...given: unknown[]) => Layer)(1),
    "OptionError: softmax: it was given 1, but it has no options.",
  ],
  [
    () => globalAveragePool2d(),
    'ShapeError: globalAveragePool2d "stem": input has shape [32,6], it must be an image [batch, height, width, channels]. Give compile an input of three lengths.',
  ],
  [
    () => globalMaxPool1d(),
    'ShapeError: globalMaxPool1d "stem": input has shape [32,3,6,1], it must be a sequence [batch, length, channels]. Give compile an input of two lengths.',
    [3, 6, 1],
  ],
  [() => maxPool1d(0), "OptionError: maxPool1d: size is 0, it must be a whole number of at least 1."],
  [() => averagePool1d(2, { stride: 0.5 }), "OptionError: averagePool1d: stride is 0.5, it must be a whole number"],
  [
    () => maxPool1d(4),
    'ShapeError: maxPool1d "stem": input is 3 long, the window 4. Use a smaller window or padding "same".',
    [3, 6],
  ],
] as [() => Layer, string, number[]?][])("%s is refused", (make, message, input) => {
  expect(said(make, input)).toContain(message);
});

test("a normalization of numbers without an axis beside the batch is refused", () => {
  for (const [kind, make] of Object.entries({ batchNorm, layerNorm, rmsNorm })) {
    const rows: Layer = {
      kind: "rows",
      apply: (scope, x) => make().apply(scope, scope.op(ops.mean, { x }, { axes: [1] }).y),
    };
    expect(said(() => rows)).toContain(
      `ShapeError: ${kind} "stem": input has shape [32], it must be [batch, .., channels]`,
    );
  }
});

test("layerNorm is one dispatch each way beside sums that come with others, with a sum at the end of its input's gradient", () => {
  const found = kernels(
    sequential([conv(), residual([layerNorm(), conv()]), layerNorm(), relu(), flatten(), dense(3)]),
  );
  expect(found.filter((name) => /normalize|channel-|sum/.test(name))).toEqual([
    "normalize",
    "normalize +relu",
    "normalize-backward",
    "normalize-backward +add",
    "sum-rows",
  ]);
});

test("batch norm keeps a large mean's digits where it is cut into parts, and a merge is what the whole is", () => {
  const shape = [700, 3];
  const x = Float64Array.from({ length: 2100 }, (_, i) => 1000 + Math.sin(i * i));
  const tensor = (shape: readonly number[]) => ({ name: "", shape, dtype: "f32", role: "data" }) as unknown as Tensor;
  const step = { step: 1, start: 0, count: 651 };
  const of = (op: string, values: readonly Float64Array[], attributes: Attributes, from: readonly number[]) =>
    twins[op]!(values, { op, inputs: [tensor(from)], outputs: [], attributes }, step, exact);
  const moving = [new Float64Array(3), new Float64Array(3)];
  const attributes = { eps: 1e-5, momentum: 0.9, unbiased: true };
  const whole = of("batchStatistics", [x, ...moving], attributes, shape);
  const [parts] = of("batchParts", [x], { splits: 11 }, shape);
  const merged = of("batchStatistics", [parts!, ...moving], { ...attributes, parts: shape }, [11, 2, 3]);
  for (const [i, values] of whole.entries()) expect(errorOf(merged[i]!, [...values])).toBeLessThan(1e-12);
});
