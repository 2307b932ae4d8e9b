// Cases of the elementwise kernel: activations and biases by themselves, chains, and rows that are no multiple of 4 long.

import * as activationFile from "../../../src/op/activation.ts";
import { between, coarse, cycle, endless, type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case, GradientCase, Input } from "../case.ts";

const one = (op: string, shape: readonly number[], fill?: Fill): Case => ({
  op,
  inputs: [{ shape, ...(fill && { fill }) }],
});

/** A backward op: the gradient, and the value that was saved. */
const backward = (op: string, shape: readonly number[], saved: Omit<Input, "shape"> = {}): Case => ({
  op,
  inputs: [{ shape }, { shape, ...saved }],
});

const activations = Object.values(activationFile).map(({ op }) => op);

const add = (shape: readonly number[]) => ({ op: "add", operand: { shape } });
const wide = between(-30, 30);
const output = (low: number): Omit<Input, "shape"> => ({ fill: between(low, 1), scaled: false });

export const cases: readonly Case[] = [
  one("relu", [1], between(0.5, 1)),
  one("relu", [3, 31], coarse),
  one("copy", [3, 7]),
  ...activations.flatMap(({ name, elementwise }) => [
    one(name, [257]),
    one(name, [33, 4], wide),
    one(name, [65], between(-0.5, 0.5)),
    one(name, [63], between(-5, 1)),
    { ...one(name, [65], holed()), note: "with NaN" },
    // Whatever the op saves for its way back, x or z.
    ...[normals, wide, between(-5, 1), between(0.99, 1)].flatMap((fill, i) =>
      [elementwise?.backward ?? []]
        .flat()
        .map((op) => backward(op.name, [[257], [33, 3], [63], [33, 4]][i]!, { fill })),
    ),
  ]),
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
  ...Object.fromEntries(activations.map(({ name }) => [name, unary])),
  bias: [{ inputs: [{ shape: [4, 5] }, { shape: [5] }] }, { inputs: [{ shape: [2, 3, 2, 3] }, { shape: [3] }] }],
  // A view has no kernel, hence no cases but these.
  reshape: [
    { inputs: [{ shape: [3, 2, 2, 2] }], attributes: { shape: [3, 8] } },
    { inputs: [{ shape: [3, 2, 2, 2] }], attributes: { shape: [3, 8] }, behind: "tanh" },
  ],
};
