// Cases of the elementwise kernel: activations and biases by themselves, chains, and rows that are no multiple of 4 long.

import * as activationFile from "../../../src/op/activation.ts";
import type { Attributes } from "../../../src/op/op.ts";
import { between, coarse, cycle, endless, type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case, GradientCase, Input } from "../case.ts";

const one = (op: string, shape: readonly number[], fill?: Fill, attributes?: Attributes): Case => ({
  op,
  inputs: [{ shape, ...(fill && { fill }) }],
  ...(attributes && { attributes }),
});

/** A backward op: the gradient, and the value that was saved. */
const backward = (
  op: string,
  shape: readonly number[],
  saved: Omit<Input, "shape"> = {},
  attributes?: Attributes,
): Case => ({
  op,
  inputs: [{ shape }, { shape, ...saved }],
  ...(attributes && { attributes }),
});

/** What activations with options are tried with. */
const options: Readonly<Record<string, readonly Attributes[]>> = {
  elu: [{ alpha: 1 }, { alpha: 0.7 }],
  gelu: [{ approximate: false }, { approximate: true }],
  leakyRelu: [{ slope: 0.01 }, { slope: 0.3 }, { slope: 0 }],
};

const activations = Object.values(activationFile).flatMap(({ op: { name, elementwise } }) =>
  (options[name] ?? [undefined]).map((attributes) => ({ name, elementwise, attributes })),
);

/** What an op may have saved: softplus gives nothing below 0. */
const saved = (name: string, fill: Fill): Fill =>
  name === "softplus" ? (count, key) => fill(count, key).map(Math.abs) : fill;

/** Where formulas as they stand in books lose all digits: so near 0, and so far from it, that 1 is taken from 1. */
const edges: readonly (readonly [name: string, fill: Fill, scales: readonly number[], saved?: Fill])[] = [
  ...["elu", "selu", "softplus", "mish", "silu", "gelu", "tanh", "hardSwish"].flatMap((name) => [
    [name, normals, [1e-30]] as const,
    [name, between(99, 100), [1]] as const,
  ]),
  ...["elu", "selu"].map((name) => [name, between(-100, -99), [1], between(-9, -8.5)] as const),
  ...["mish", "silu"].map((name) => [name, between(-9, -8.5), [1], between(-9, -8.5)] as const),
  ["softplus", between(-9, -8.5), [1], between(1e-7, 2e-7)],
  ["gelu", between(-3.1, -3), [1], between(-3.1, -3)],
];

const add = (shape: readonly number[]) => ({ op: "add", operand: { shape } });
const wide = between(-30, 30);
/** Each kink itself, and what is beside it. */
const kinks: Fill = (count) => Float64Array.from({ length: count }, (_, i) => ((i % 25) - 12) / 2);
const share: Omit<Input, "shape"> = { fill: between(0, 1), scaled: false };
const output = (low: number): Omit<Input, "shape"> => ({ fill: between(low, 1), scaled: false });

export const cases: readonly Case[] = [
  one("relu", [1], between(0.5, 1)),
  one("relu", [3, 31], coarse),
  one("copy", [3, 7]),
  ...activations.flatMap(({ name, elementwise, attributes }) => [
    one(name, [257], undefined, attributes),
    one(name, [33, 4], wide, attributes),
    one(name, [65], between(-0.5, 0.5), attributes),
    one(name, [63], between(-5, 1), attributes),
    { ...one(name, [65], holed(), attributes), note: "with NaN" },
    // Whatever the op saves for its way back, x or z.
    ...[normals, wide, between(-5, 1), between(0.99, 1)].flatMap((fill, i) =>
      [elementwise?.backward ?? []]
        .flat()
        .map((op) => backward(op.name, [[257], [33, 3], [63], [33, 4]][i]!, { fill: saved(name, fill) }, attributes)),
    ),
  ]),
  ...edges.flatMap(([name, fill, scales, before]) =>
    (options[name] ?? [undefined]).flatMap((attributes) => [
      { ...one(name, [63], fill, attributes), scales, note: `at the edge, x ${scales}` },
      ...(before === undefined
        ? []
        : [{ ...backward(`${name}Backward`, [31], { fill: before }, attributes), scales, note: "at the edge" }]),
    ]),
  ),
  // Where a kink is.
  ...["leakyRelu", "elu", "selu"].map((name) => one(name, [33], coarse, options[name]?.[0])),
  ...["relu6", "hardSigmoid", "hardSwish"].flatMap((name) => [
    { ...one(name, [63], kinks), scales: [1] },
    { ...backward(`${name}Backward`, [63], { fill: kinks }), scales: [1] },
  ]),
  { op: "prelu", inputs: [{ shape: [5, 7] }, { shape: [7] }] },
  { op: "prelu", inputs: [{ shape: [3, 5, 8], fill: coarse }, { shape: [8] }] },
  { op: "prelu", inputs: [{ shape: [9, 4], fill: holed() }, { shape: [4] }], note: "with NaN" },
  { op: "preluBackward", inputs: [{ shape: [5, 7] }, { shape: [5, 7], fill: coarse }, { shape: [7] }] },
  { op: "preluBackwardSlope", inputs: [{ shape: [9, 4] }, { shape: [9, 4], fill: coarse }] },
  ...[[257], [33, 3], [2, 3, 5, 4]].flatMap((shape) =>
    [0.25, 0.9].map((rate): Case => ({ op: "drop", inputs: [{ shape }, { shape, ...share }], attributes: { rate } })),
  ),
  // A number for each channel of a sample, and for each sample.
  ...[
    [3, 1, 1, 4],
    [3, 1, 1, 3],
  ].map(
    (shape): Case => ({
      op: "drop",
      inputs: [{ shape: [3, 5, 2, shape[3]!] }, { shape, ...share }],
      attributes: { rate: 0.4 },
    }),
  ),
  { op: "drop", inputs: [{ shape: [9, 7] }, { shape: [9, 1], ...share }], attributes: { rate: 0.4 } },
  {
    ...{
      op: "drop",
      inputs: [
        { shape: [65], fill: holed() },
        { shape: [65], ...share },
      ],
      attributes: { rate: 0.5 },
    },
    note: "with NaN",
  },
  // Two steps of one op with other attributes.
  ...[8, 10].map(
    (N): Case => ({
      op: "matmul",
      inputs: [{ shape: [6, 5] }, { shape: [5, N] }],
      epilogue: [
        { op: "leakyRelu", attributes: { slope: 0.3 } },
        { op: "bias", operand: { shape: [N] } },
        { op: "leakyRelu", attributes: { slope: 0.125 } },
        { op: "drop", operand: { shape: [6, N], ...share }, attributes: { rate: 0.25 } },
      ],
    }),
  ),
  ...[3, 4].map((columns) => ({ ...one("relu", [33, columns], holed()), note: "with NaN" })),
  // The tail, far below zero.
  one("gelu", [63], between(-5, -2)),
  backward("geluBackward", [63], { fill: between(-5, -2) }),
  {
    op: "add",
    inputs: [
      { shape: [65], fill: endless },
      { shape: [65], fill: endless },
    ],
    epilogue: [{ op: "relu" }],
    note: "infinite",
  },
  { ...backward("reluBackward", [64], { fill: holed() }), note: "with NaN" },
  { op: "reluBackward", inputs: [{ shape: [63], fill: holed() }, { shape: [63] }], note: "NaN that comes" },
  backward("reluBackward", [3]),
  backward("reluBackward", [63, 4], { fill: coarse }),
  ...[1, 3, 4, 33, 65].map(
    (columns): Case => ({ op: "bias", inputs: [{ shape: [31, columns] }, { shape: [columns] }] }),
  ),
  { op: "bias", inputs: [{ shape: [3, 5, 7, 8] }, { shape: [8] }] },
  { op: "add", inputs: [{ shape: [257] }, { shape: [257] }] },
  { op: "add", inputs: [{ shape: [3, 31, 4] }, { shape: [3, 31, 4] }], epilogue: [add([3, 31, 4]), add([3, 31, 4])] },
  { ...one("tanh", [7, 9]), epilogue: [{ op: "relu" }, { op: "bias", operand: { shape: [9] } }, { op: "sigmoid" }] },
  {
    op: "bias",
    inputs: [{ shape: [5, 3] }, { shape: [3] }],
    epilogue: [{ op: "gelu" }, add([5, 3]), { op: "tanhBackward", operand: { shape: [5, 3], ...output(-1) } }],
  },
  // Numbers that the kernel has under another shape than the op at its end.
  ...[
    [6, 10],
    [3, 4, 5],
  ].map(
    (shape): Case => ({
      ...one("tanh", [5, 12]),
      epilogue: [{ op: "bias", shape, operand: { shape: shape.slice(-1) } }, { op: "relu" }],
    }),
  ),
  // More numbers than one axis of the grid has threads.
  { ...one("relu", [65_535 * 256 + 5], cycle), scales: [1] },
];

const unary: readonly GradientCase[] = [{ inputs: [{ shape: [3, 7] }] }, { inputs: [{ shape: [2, 3, 1, 5] }] }];

export const gradients = {
  ...Object.fromEntries(
    Object.values(activationFile).map(({ op: { name } }) => [
      name,
      (options[name] ?? [{}]).flatMap((attributes) => unary.map((given) => ({ ...given, attributes }))),
    ]),
  ),
  prelu: [{ inputs: [{ shape: [4, 5] }, { shape: [5] }] }, { inputs: [{ shape: [2, 3, 3] }, { shape: [3] }] }],
  drop: [
    [4, 5],
    [4, 1],
  ].map((shape) => ({
    inputs: [{ shape: [4, 5] }, { shape, fill: between(0, 1), wanted: false }],
    attributes: { rate: 0.4 },
  })),
  bias: [{ inputs: [{ shape: [4, 5] }, { shape: [5] }] }, { inputs: [{ shape: [2, 3, 2, 3] }, { shape: [3] }] }],
  // A view has no kernel, hence no cases but these.
  reshape: [
    { inputs: [{ shape: [3, 2, 2, 2] }], attributes: { shape: [3, 8] } },
    { inputs: [{ shape: [3, 2, 2, 2] }], attributes: { shape: [3, 8] }, behind: "tanh" },
  ],
};
