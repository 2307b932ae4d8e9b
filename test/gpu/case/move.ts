// Cases of the ops that move numbers, with fours that are neighbours and with others.

import { cycle, type Fill, holed } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";

type Shape = readonly number[];

const move = (op: string, shape: Shape, attributes: Case["attributes"], fill?: Fill): Case => ({
  op,
  inputs: [{ shape, ...(fill && { fill }) }],
  ...(attributes && { attributes }),
});

const none: Readonly<Record<"begin" | "end" | "stride", Shape>> = { begin: [], end: [], stride: [] };

const orders: readonly (readonly [Shape, Shape])[] = [
  [[7], [0]],
  [
    [5, 7],
    [1, 0],
  ],
  [
    [3, 5, 7],
    [0, 2, 1],
  ],
  [
    [3, 5, 8],
    [1, 0, 2],
  ],
  [
    [3, 5, 4, 8],
    [0, 2, 1, 3],
  ],
  [
    [3, 5, 4, 6],
    [0, 2, 1, -1],
  ],
  [
    [2, 3, 4, 5, 2],
    [4, 2, -2, 0, 1],
  ],
  [
    [3, 1, 4],
    [1, 2, 0],
  ],
];

/** Some of them have fours that are neighbours, but for where they begin or how far rows are apart. */
const ranges: readonly (readonly [Shape, Partial<typeof none>])[] = [
  [[9], { begin: [2], end: [7] }],
  [[3, 8], { begin: [0, 2], end: [3, 6] }],
  [[3, 7], { end: [3, 4] }],
  [[9], { stride: [-1] }],
  [[9, 5], { begin: [-3], end: [Number.POSITIVE_INFINITY, -1] }],
  [[9, 5], { begin: [8, 3], end: [0, Number.NEGATIVE_INFINITY], stride: [-3, -2] }],
  [[3, 7, 8], { begin: [0, 2], end: [100, 6], stride: [1, 2] }],
  [[3, 7, 8], { begin: [0, 0, 4] }],
  [[3, 7, 8], { begin: [0, 0, 1], end: [2, 7, 8], stride: [1, 3, 2] }],
  [[2, 6, 5, 3], { begin: [0, 1, -9], end: [2, -1, 3] }],
  [[5, 3], { begin: [-1], stride: [-2] }],
  [[4, 4], { begin: [3, 3], end: [2], stride: [-1, -1] }],
];

const pads: readonly (readonly [Shape, Shape, Shape, number])[] = [
  [[3, 4], [0, 2], [0, 2], 0],
  [[7], [1], [2], 0],
  [[3, 5], [0, 0], [0, 3], -1.5],
  [[2, 3, 4, 4], [0, 1, 2, 0], [0, 2, 1, 0], 0],
  [[2, 3, 5, 3], [0, 1, 0, 2], [0, 0, 1, 0], 0.1],
  [[2, 3], [2, 1], [1, 0], 1e-7],
  [[4, 3], [0, 0], [0, 0], 0],
];

const tiles: readonly (readonly [Shape, Shape])[] = [
  [[5], [3]],
  [
    [3, 4],
    [1, 2],
  ],
  [
    [3, 1, 5],
    [2, 3, 1],
  ],
  [
    [2, 3, 2, 4],
    [1, 2, 3, 1],
  ],
  [
    [2, 3],
    [2, 2],
  ],
  [
    [2, 3],
    [1, 1],
  ],
];

const joins: readonly (readonly [number, ...(readonly Shape[])])[] = [
  [-1, [3, 5], [3, 2]],
  [-1, [3, 4], [3, 8]],
  [1, [2, 3, 4], [2, 1, 4]],
  [1, [2, 3, 5], [2, 4, 5]],
  [0, [2, 3], [5, 3]],
  [-2, [2, 1, 4], [2, 2, 4], [2, 3, 4]],
  [2, [2, 3, 1], [2, 3, 2], [2, 3, 4]],
  [0, [1], [2], [3]],
];

const join = ([axis, ...shapes]: (typeof joins)[number], more: Partial<Case> = {}): Case => ({
  op: shapes.length === 2 ? "concat" : "concat3",
  inputs: shapes.map((shape) => ({ shape })),
  attributes: { axis },
  ...more,
});

const behind: NonNullable<Case["epilogue"]> = [{ op: "bias", operand: { shape: [4] } }, { op: "relu" }];

export const cases: readonly Case[] = [
  ...orders.map(([shape, axes]) => move("permute", shape, { axes })),
  move("permute", [65, 257, 9], { axes: [2, 0, 1] }, cycle),
  { ...move("permute", [4, 7], { axes: [1, 0] }), epilogue: behind },
  {
    ...move("permute", [3, 5, 4], { axes: [1, 0, 2] }),
    epilogue: [...behind, { op: "add", operand: { shape: [3, 1] } }],
  },
  { ...move("permute", [5, 7], { axes: [1, 0] }, holed()), note: "with NaN" },
  ...ranges.map(([shape, range]) => move("slice", shape, { ...none, ...range })),
  { ...move("slice", [3, 6, 8], { ...none, begin: [0, 1, 4] }), epilogue: behind },
  { ...move("slice", [5, 7], { ...none, begin: [1, 1] }, holed()), note: "with NaN" },
  move("unslice", [3], { begin: [2], stride: [2], shape: [9] }),
  move("unslice", [3, 2], { begin: [8, 3], stride: [-3, -2], shape: [9, 5] }),
  move("unslice", [2, 2, 8], { begin: [0, 2, 0], stride: [1, 2, 1], shape: [3, 7, 8] }),
  move("unslice", [2, 3], { begin: [1, 2], stride: [-1, -1], shape: [2, 4] }),
  { ...move("unslice", [3, 2], { begin: [0, 1], stride: [1, 1], shape: [3, 4] }), epilogue: behind },
  ...pads.map(([shape, before, after, value]) => move("pad", shape, { before, after, value })),
  { ...move("pad", [3, 3], { before: [0, 0], after: [0, 1], value: 2 }), epilogue: behind },
  { ...move("pad", [5, 7], { before: [0, 1], after: [0, 0], value: 0 }, holed()), note: "with NaN" },
  ...tiles.flatMap(([shape, repeats]) => [false, true].map((each) => move("tile", shape, { repeats, each }))),
  { ...move("tile", [3, 2], { repeats: [1, 2], each: true }), epilogue: behind },
  { ...move("tile", [5, 3], { repeats: [1, 2], each: false }, holed()), note: "with NaN" },
  ...joins.map((one) => join(one)),
  join([-1, [3, 1], [3, 3]], { epilogue: [...behind, { op: "add", operand: { shape: [3, 1] } }] }),
  join([1, [3, 1, 4], [3, 2, 4], [3, 1, 4]], { epilogue: behind }),
  join([1, [3, 2], [3, 5]], {
    inputs: [
      { shape: [3, 2], fill: holed() },
      { shape: [3, 5], fill: holed() },
    ],
    note: "with NaN",
  }),
];

const one = (shape: Shape, attributes: Case["attributes"]): GradientCase => ({
  inputs: [{ shape }],
  ...(attributes && { attributes }),
});

const joined = (count: number): readonly GradientCase[] =>
  joins
    .filter(([, ...shapes]) => shapes.length === count)
    .flatMap(([axis, ...shapes]) => {
      const at = { inputs: shapes.map((shape) => ({ shape })), attributes: { axis } };
      return [at, { ...at, behind: "tanh" }];
    });

export const gradients = {
  permute: orders.map(([shape, axes]) => one(shape, { axes })),
  slice: ranges.map(([shape, range]) => one(shape, { ...none, ...range })),
  pad: pads.map(([shape, before, after, value]) => one(shape, { before, after, value })),
  tile: tiles.flatMap(([shape, repeats]) => [
    one(shape, { repeats, each: false }),
    { ...one(shape, { repeats, each: true }), behind: "tanh" },
  ]),
  concat: joined(2),
  concat3: joined(3),
};
