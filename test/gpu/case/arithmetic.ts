// Cases of the ops on one number and on two, at awkward sizes, with operands that are repeated in every way.

import type { Attributes } from "../../../src/op/op.ts";
import { apart, below, between, coarse, type Fill, holed, normals } from "../../reference/numbers.ts";
import type { Case, GradientCase, Input } from "../case.ts";

type Shape = readonly number[];

/** Where each function of one number is defined, and the numbers that its way back has saved. */
const unary: Readonly<
  Record<
    string,
    {
      readonly fill?: Fill;
      readonly saved?: Fill;
      readonly scales?: Case["scales"];
      /** What it is tried with. */
      readonly attributes?: readonly Attributes[];
    }
  >
> = {
  abs: { saved: normals },
  clip: { saved: normals, attributes: [{ min: -0.5, max: 0.75 }, { min: 0.25 }, { max: -0.125 }] },
  exp: { fill: between(-9, 9), saved: between(0.1, 9), scales: [1, 1e-4] },
  log: { fill: between(0.1, 9), saved: between(0.1, 9) },
  neg: {},
  pow: {
    fill: between(0.2, 4),
    saved: between(0.2, 4),
    scales: [1],
    attributes: [2, 3, 0.5, -1, -1.5, 0, 1, 1.7, -0.3, 17].map((exponent) => ({ exponent })),
  },
  scaled: { attributes: [{ factor: 0.5 }, { factor: -14.3 }] },
  reciprocal: { fill: between(0.3, 3), saved: between(-2, 2) },
  sin: { saved: between(-30, 30) },
  sqrt: { fill: between(0.01, 9), saved: between(0.1, 3) },
  square: { saved: normals },
};

const binary = ["add", "subtract", "multiply", "divide", "minimum", "maximum"];

/** Far enough from 0 to divide by. */
const divisor = between(0.3, 3);

const pairs: readonly (readonly [Shape, Shape])[] = [
  [[257], [257]],
  [
    [7, 33],
    [7, 33],
  ],
  [[7, 33], [33]],
  [[12], [5, 12]],
  [
    [5, 8],
    [5, 1],
  ],
  [
    [6, 1],
    [6, 9],
  ],
  [[31, 3], [1]],
  [[1], [3, 8]],
  [
    [5, 1],
    [1, 7],
  ],
  [
    [3, 5, 7, 4],
    [5, 1, 4],
  ],
  [
    [2, 1, 3, 1],
    [2, 5, 3, 6],
  ],
  [
    [3, 1, 8],
    [5, 1],
  ],
];

const on = (op: string, ...inputs: readonly Input[]): Case => ({ op, inputs });

const comparisons = ["greater", "less", "equal"];

const ended = (op: string, shape: Shape): NonNullable<Case["epilogue"]>[number] => ({ op, operand: { shape } });

const product = (N: number, ...epilogue: NonNullable<Case["epilogue"]>): Case => ({
  ...on("matmul", { shape: [6, 5] }, { shape: [5, N] }),
  epilogue,
});

export const cases: readonly Case[] = [
  ...Object.entries(unary).flatMap(([op, { fill = normals, saved, scales, attributes: tried = [undefined] }]) =>
    tried.flatMap((attributes) => {
      const given = attributes && { attributes };
      const more = { ...given, ...(scales && { scales }) };
      return [
        { ...on(op, { shape: [257], fill }), ...more },
        { ...on(op, { shape: [33, 3], fill }), ...more },
        { ...on(op, { shape: [31, 4], fill: holed(fill) }), ...more, note: "with NaN" },
        ...(saved === undefined || attributes?.exponent === 0
          ? []
          : [[63], [33, 4]].map((shape) => ({
              ...on(`${op}Backward`, { shape }, { shape, fill: saved, scaled: false }),
              ...given,
            }))),
      ];
    }),
  ),
  { ...on("pow", { shape: [65] }), attributes: { exponent: 3 } },
  { ...on("pow", { shape: [65] }), attributes: { exponent: -2 }, scales: [1] },
  { ...on("sin", { shape: [257], fill: between(-1e4, 1e4) }), scales: [1] },
  ...comparisons.flatMap((op) => [
    ...pairs.map(([x, y]) => on(op, { shape: x, fill: coarse }, { shape: y, fill: coarse })),
    { ...on(op, { shape: [65], fill: coarse }, { shape: [65], fill: holed(coarse) }), note: "with NaN" },
  ]),
  ...pairs
    .map(([x, y]) => on("where", { shape: [7, 1], fill: below(2), scaled: false }, { shape: x }, { shape: y }))
    .slice(1, 3),
  on("where", { shape: [5, 12], fill: below(2), scaled: false }, { shape: [5, 1] }, { shape: [12] }),
  on(
    "where",
    { shape: [257], fill: holed(below(2)), scaled: false },
    { shape: [257], fill: holed() },
    { shape: [257] },
  ),
  ...[true, false].map((chosen) => ({
    ...on("whereBackward", { shape: [5, 12] }, { shape: [12], fill: below(2), scaled: false }),
    attributes: { chosen },
  })),
  ...binary.flatMap((op) =>
    pairs.map(([x, y]) => on(op, { shape: x }, { shape: y, ...(op === "divide" && { fill: divisor }) })),
  ),
  ...["minimum", "maximum"].flatMap((op) => [
    on(op, { shape: [9, 7], fill: coarse }, { shape: [7], fill: coarse }),
    { ...on(op, { shape: [65], fill: holed() }, { shape: [65] }), note: "with NaN before" },
    { ...on(op, { shape: [65] }, { shape: [65], fill: holed() }), note: "with NaN behind" },
  ]),
  on("ifLess", { shape: [257] }, { shape: [257], fill: coarse }, { shape: [257], fill: coarse }),
  on("ifLess", { shape: [5, 12] }, { shape: [5, 1], fill: coarse }, { shape: [12], fill: coarse }),
  on("ifLess", { shape: [3, 1, 1] }, { shape: [5, 1], fill: coarse }, { shape: [7], fill: coarse }),
  {
    ...on("subtract", { shape: [5, 12] }, { shape: [5, 1] }),
    epilogue: [ended("multiply", [12]), { op: "square" }, ended("add", [1])],
  },
  // At the end of other kernels: rows of fours and not, seen as they are and as more axes.
  ...[8, 10].flatMap((N) => [
    product(N, ended("multiply", [6, 1]), ended("add", [N])),
    product(N, ended("subtract", [1]), ended("maximum", [6, N]), { op: "neg" }),
    product(N, { op: "add", shape: [3, 2, N], operand: { shape: [2, N] } }, { op: "relu" }),
    product(N, { op: "multiply", shape: [3, 2, N], operand: { shape: [3, 1, N] } }),
    product(N, { op: "minimum", shape: [3, 2 * N], operand: { shape: [3, 1] } }),
  ]),
  ...[3, 4].map((channels) => ({
    ...on("averagePool2d", { shape: [2, 5, 4, channels] }),
    attributes: { kernel: [2, 2], stride: [1, 1], padding: "same" },
    epilogue: [ended("multiply", [2, 1, 1, channels]), ended("add", [5, 1, 1])],
  })),
];

const one = (fill?: Fill): readonly GradientCase[] => [
  { inputs: [{ shape: [3, 7], ...(fill && { fill }) }] },
  { inputs: [{ shape: [2, 3, 1, 5], ...(fill && { fill }) }] },
];

/** Apart from all numbers of `apart` too, where x and y would have a kink. */
const beside: Fill = (count, key) => apart(count, key).map((value) => value * 0.93);

/** The last is behind another op, so that its gradients are no tensors of their own. */
const two = (fill: Fill): readonly GradientCase[] =>
  [...pairs.slice(1).map(([x, y]) => ({ x, y })), { x: [4, 1, 3], y: [2, 1], behind: "tanh" }].map(
    ({ x, y, ...more }) => ({
      inputs: [
        { shape: x, ...(String(x) === "1" && { fill: between(0.2, 0.3) }) },
        { shape: y, fill },
      ],
      ...more,
    }),
  );

export const gradients = {
  ...Object.fromEntries(
    Object.entries(unary).map(([op, { fill, attributes = [undefined] }]) => [
      op,
      attributes.flatMap((given) => one(fill).map((made) => ({ ...made, ...(given && { attributes: given }) }))),
    ]),
  ),
  // What comes of a comparison is no number that anything depends on.
  ...Object.fromEntries(
    comparisons.map((op) => [op, [{ inputs: [5, 5].map((length) => ({ shape: [length], wanted: false })) }]]),
  ),
  where: [
    { inputs: [{ shape: [4, 1], fill: below(2), wanted: false }, { shape: [4, 5] }, { shape: [5], fill: beside }] },
  ],
  ...Object.fromEntries(binary.map((op) => [op, two(op === "divide" ? divisor : beside)])),
};
