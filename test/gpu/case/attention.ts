// Cases of attention and its gradients: heads that are read in fours or not, shared heads of keys, causal, masked, more keys than
// queries and fewer, as many as four neighbours read together and not, a thread with two rows, rows that see nothing, large scores, NaN.

import { size } from "../../../src/op/tensor.ts";
import { between, type Fill, holed, normals, torn } from "../../reference/numbers.ts";
import type { Case, GradientCase } from "../case.ts";

interface Look {
  readonly batch?: number;
  readonly queries: number;
  readonly keys?: number;
  readonly heads?: number;
  readonly keyHeads?: number;
  /** Length of a head. */
  readonly length: number;
  readonly causal?: boolean;
  readonly scale?: number;
  readonly mask?: Fill;
}

/** Hides every third key, and all of the second sample. */
const some: Fill = (count) =>
  Float64Array.from({ length: count }, (_, i) => (i % 3 === 1 || (i >= count / 3 && i < (2 * count) / 3) ? 0 : 1));
/** Hides the first key, so that a causal first query sees nothing. */
const first: Fill = (count) => Float64Array.from({ length: count }, (_, i) => (i === 0 ? 0 : 1));
/** Hides the last key. */
const last: Fill = (count) => Float64Array.from({ length: count }, (_, i) => (i === count - 1 ? 0 : 1));

function shapesOf({ batch = 3, queries, keys = queries, heads = 2, keyHeads = heads, length }: Look) {
  const row = [batch, queries, heads];
  return {
    q: [batch, queries, heads * length],
    k: [batch, keys, keyHeads * length],
    mask: [batch, keys],
    rows: [...row, 2],
    known: [...row, 3],
  };
}

const attributesOf = ({ heads = 2, keyHeads, causal, scale }: Look) => ({
  heads,
  ...(keyHeads !== undefined && { keyHeads }),
  ...(causal !== undefined && { causal }),
  ...(scale !== undefined && { scale }),
});

/** Largest scores, inverse sums and deltas, as of rows of scores that are smaller than that. */
const known: Fill = (count, key) => between(0.5, 1.5)(count, key).map((value, i) => (i % 3 === 0 ? value + 2 : value));

function cased(op: string, look: Look, fill: Fill = normals): Case {
  const { q, k, mask, known: rows } = shapesOf(look);
  const own = [q, k, k].map((shape) => ({ shape, fill }));
  const back = [{ shape: q }, { shape: rows, fill: known, scaled: false }];
  return {
    op,
    inputs: [
      ...own,
      ...(op === "attention" ? [] : back),
      ...(look.mask === undefined ? [] : [{ shape: mask, fill: look.mask, scaled: false }]),
    ],
    attributes: attributesOf(look),
    scales: size(q) > 1e4 ? [1] : [1, 1e-4],
  };
}

function delta(look: Look): Case {
  const { q, rows } = shapesOf(look);
  return {
    op: "attentionDelta",
    inputs: [{ shape: q }, { shape: q }, { shape: rows, fill: between(0.5, 3), scaled: false }],
  };
}

/** NaN in the last key and its value, which no query sees. */
function unseen(op: string): Case {
  const one = cased(op, { batch: 1, queries: 8, length: 4, mask: last });
  const { k } = shapesOf({ batch: 1, queries: 8, length: 4 });
  const from = torn(size(k) - (k[2] as number));
  return {
    ...one,
    inputs: one.inputs.map((input, i) => (i === 1 || i === 2 ? { ...input, fill: from } : input)),
    note: "with NaN that is hidden",
  };
}

const looks: readonly Look[] = [
  { queries: 1, length: 1, heads: 1 },
  { queries: 5, length: 3 },
  { queries: 7, length: 8, causal: true },
  { queries: 4, keys: 9, length: 4, heads: 6, keyHeads: 2 },
  { queries: 9, keys: 4, length: 5, causal: true, heads: 3, keyHeads: 1 },
  { queries: 3, keys: 70, length: 4, causal: true },
  { queries: 6, length: 2, mask: some },
  { queries: 6, length: 4, mask: some, causal: true, heads: 4, keyHeads: 2 },
  { queries: 5, length: 4, mask: first, causal: true, scale: 0.3 },
  { queries: 65, length: 6, batch: 2, heads: 3 },
  { queries: 300, length: 4, batch: 1, causal: true },
  { queries: 8, length: 6, mask: some, causal: true, heads: 4, keyHeads: 2 },
  { queries: 8, keys: 12, length: 20, mask: some },
  { queries: 64, length: 5, batch: 2, causal: true },
  { queries: 40, keys: 64, length: 8, batch: 2, heads: 4, keyHeads: 2, mask: some, causal: true },
];

const [plain, fours, pairs] = [looks[1], looks[7], looks.at(-1)] as [Look, Look, Look];

export const cases: readonly Case[] = [
  ...looks.map((look) => cased("attention", look)),
  { ...cased("attention", plain, between(-40, 40)), note: "large scores" },
  { ...cased("attention", { ...plain, length: 4 }, holed()), note: "with NaN" },
  { ...cased("attention", fours, holed()), note: "with NaN, masked" },
  { ...cased("attention", pairs, holed()), note: "with NaN, masked" },
  ...looks.slice(0, 6).map(delta),
  ...["attention", "attentionBackwardQueries", "attentionBackwardKeys"].map(unseen),
  ...["attentionBackwardQueries", "attentionBackwardKeys"].flatMap((op) => [
    ...looks.map((look) => cased(op, look)),
    { ...cased(op, fours, holed()), note: "with NaN, masked" },
    { ...cased(op, pairs, holed()), note: "with NaN, masked" },
  ]),
];

const gradient = (look: Look): GradientCase => {
  const { q, k, mask } = shapesOf({ batch: 2, ...look });
  return {
    inputs: [
      ...[q, k, k].map((shape) => ({ shape })),
      ...(look.mask === undefined ? [] : [{ shape: mask, fill: look.mask, wanted: false }]),
    ],
    attributes: attributesOf(look),
  };
};

export const gradients = {
  attention: [
    gradient({ queries: 1, length: 2, heads: 1 }),
    gradient({ queries: 3, length: 2, causal: true }),
    gradient({ queries: 2, keys: 4, length: 3, heads: 4, keyHeads: 2, scale: 0.2 }),
    gradient({ queries: 4, keys: 3, length: 1, causal: true, mask: first }),
    gradient({ batch: 3, queries: 3, length: 2, mask: some, heads: 3, keyHeads: 1 }),
    {
      ...gradient({ queries: 3, length: 2 }),
      inputs: gradient({ queries: 3, length: 2 }).inputs.map((input, i) => ({ ...input, wanted: i === 2 })),
    },
  ],
};
