// Cases of embeddings: the lists of tokens, and sums along them that are short, long, in parts, and of nothing.

import { below, between, type Fill, holed, torn } from "../../reference/numbers.ts";
import { tokenChains } from "../../reference/op/embedding.ts";
import type { Facts } from "../../reference/twin.ts";
import { exact } from "../../reference/twin.ts";
import type { Case, GradientCase, Input } from "../case.ts";

type Shape = readonly number[];

const words = (shape: Shape, fill: Fill): Input => ({ shape, fill, store: "u32" });
const same: Fill = (count) => new Float64Array(count).fill(2);
const few = { step: 1, start: 0, count: 2 };

const embedding = (ids: Shape, rows: number, units: number): Case => ({
  op: "embedding",
  inputs: [words(ids, below(rows)), { shape: [rows, units] }],
});

const chains = (ids: Shape, rows: number, splits = 1, fill = below(rows), step?: Case["step"]): Case => ({
  op: "tokenChains",
  inputs: [words(ids, fill)],
  attributes: { rows, splits },
  scales: [1],
  ...(step && { step }),
});

/** Lists of random tokens, as the op before makes them. */
function backward(
  ids: Shape,
  rows: number,
  units: number,
  more: Partial<Case> & { splits?: number; fill?: Fill; dy?: Fill } = {},
): Case {
  const { splits = 1, fill = below(rows), dy, ...rest } = more;
  const tokens = ids.reduce((a, b) => a * b, 1);
  const heads = splits === 1 ? [rows] : [splits, rows];
  const facts = {
    inputs: [{ shape: ids }],
    outputs: [{ shape: [tokens] }, { shape: heads }],
    attributes: { rows, splits },
  };
  const step = rest.step ?? { step: 1, start: 0, count: ids[0]! };
  const [next, head] = tokenChains([fill(tokens, 7)], facts as unknown as Facts, step, exact) as [
    Float64Array,
    Float64Array,
  ];
  return {
    op: "embeddingBackward",
    inputs: [
      { shape: [...ids, units], ...(dy && { fill: dy }) },
      words([tokens], () => next),
      words(heads, () => head),
    ],
    attributes: { splits },
    ...rest,
  };
}

export const cases: readonly Case[] = [
  embedding([5], 3, 1),
  embedding([3, 7], 11, 5),
  embedding([3, 7], 65, 8),
  embedding([2, 3, 5], 4, 12),
  { ...embedding([3, 7], 11, 4), epilogue: [{ op: "add", operand: { shape: [7, 4] } }, { op: "tanh" }] },
  { ...embedding([3, 7], 11, 3), epilogue: [{ op: "add", operand: { shape: [7, 3] } }] },
  { ...embedding([3, 7], 5, 3), inputs: [words([3, 7], below(5)), { shape: [5, 3], fill: holed() }], note: "with NaN" },
  chains([1], 1),
  chains([5, 7], 11),
  chains([3, 5, 7], 300),
  chains([5, 31], 3, 4),
  chains([4, 9], 100, 1, same),
  chains([3, 700], 5000),
  chains([5, 7], 11, 1, below(11), few),
  chains([5, 7], 3, 2, below(3), few),
  backward([1], 1, 1),
  backward([5, 7], 11, 3),
  backward([5, 7], 3, 8),
  backward([5, 7], 100, 4),
  backward([3, 5, 7], 6, 5),
  backward([5, 31], 3, 4, { splits: 4 }),
  backward([5, 7], 4, 3, { step: few, dy: torn(2 * 7 * 3), note: "with NaN beyond" }),
  backward([5, 7], 40, 4, { dy: holed(), note: "with NaN" }),
  backward([4, 7], 5, 8, { epilogue: [{ op: "add", operand: { shape: [5, 8] } }] }),
  // Mesa's llvmpipe ends all loops of a thread after 65,535 rounds.
  backward([1, 60_000], 4, 1, { fill: same, dy: between(0.09, 0.11), scales: [1], note: "long" }),
];

const tokens = (shape: Shape, rows: number): GradientCase["inputs"][number] => ({
  shape,
  fill: below(rows),
  wanted: false,
});

const at = (ids: Shape, rows: number, units: number): GradientCase => ({
  inputs: [tokens(ids, rows), { shape: [rows, units] }],
});

export const gradients: Readonly<Record<string, readonly GradientCase[]>> = {
  embedding: [at([4, 3], 5, 3), at([2, 3, 2], 40, 2), { ...at([2, 90], 2, 2) }],
};
