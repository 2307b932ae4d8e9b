// Scaled dot-product attention and its gradients, without a matrix of scores in memory.

import source from "../../shaders/attention.wgsl?raw";
import backwardSource from "../../shaders/attention-backward.wgsl?raw";
import deltaSource from "../../shaders/attention-delta.wgsl?raw";
import part from "../../shaders/parts/attention.wgsl?raw";
import { anyFinite } from "../option.ts";
import { each, inLines } from "./kernel.ts";
import { defineOp, type Kernel, once } from "./op.ts";
import { checkCount, given, perhaps } from "./request.ts";
import { dims, size, type Tensor } from "./tensor.ts";

type Look = {
  /** Of queries. */
  readonly heads: number;
  /** Of keys and values. Default: as many. */
  readonly keyHeads?: number | undefined;
  readonly causal?: boolean;
  /** What scores are multiplied by. Default: 1 / sqrt(length of a head). */
  readonly scale?: number | undefined;
};

const lengthsOf = (q: Tensor, { heads, keyHeads = heads, scale }: Look) => {
  const length = (q.shape[2] as number) / heads;
  return { length, keyHeads, scale: scale ?? 1 / Math.sqrt(length) };
};

/** A kernel that looks from rows to others. */
interface Looking {
  /** What is written, of which a thread has rows. */
  readonly written: "y" | "dq" | "dk";
  /** Statements for each lane of a head, by the holes that they fill. */
  readonly lanes: Readonly<Record<string, (n: number) => string>>;
  /** What is known of the query, for a row by its number. */
  readonly by?: (i: number) => string;
}

const forward: Looking = {
  written: "y",
  lanes: {
    OWN: (n) => `q[row * LANES + ${n}],`,
    MULTIPLY: (n) => `product = fma(own[${n}], seen[${n}], product);`,
    ADD: (n) => `it.sum[${n}] = fma(V(share), select(V(), seen_value[${n}], is_seen), was.sum[${n}] * shrunk);`,
    WRITE: (n) => `y[row * LANES + ${n}] = select(V(), it.sum[${n}] / it.total, sees);`,
  },
};

const multiplyBoth = (n: number): string =>
  `product = fma(own.one[${n}], seen[${n}], product); slope = fma(own.value[${n}], seen_value[${n}], slope);`;
const addSlopes = (n: number): string => `it.sum[${n}] = fma(V(ds), select(V(), seen[${n}], is_seen), was.sum[${n}]);`;

const ofQueries: Looking = {
  written: "dq",
  lanes: {
    OWN: (n) => `q[row * LANES + ${n}],`,
    OWN_VALUE: (n) => `dy[row * LANES + ${n}],`,
    MULTIPLY: multiplyBoth,
    ADD: addSlopes,
    WRITE: (n) => `dq[row * LANES + ${n}] = it.sum[${n}] * SCALE;`,
  },
  by: (i) => `own${i}.by, `,
};

const ofKeys: Looking = {
  written: "dk",
  lanes: {
    OWN: (n) => `k[row * LANES + ${n}],`,
    OWN_VALUE: (n) => `v[row * LANES + ${n}],`,
    MULTIPLY: multiplyBoth,
    ADD: (n) =>
      `${addSlopes(n)} it.sum_value[${n}] = fma(V(p), select(V(), seen_value[${n}], is_seen), was.sum_value[${n}]);`,
    WRITE: (n) => `dk[row * LANES + ${n}] = it.sum[${n}] * SCALE; dv[row * LANES + ${n}] = it.sum_value[${n}];`,
  },
  by: () => "by, ",
};

/** What is read of what rows look at: a head and its value, each by its function. */
const read = [
  ["seen", "other"],
  ["seen_value", "other_value"],
] as const;

/** Statements that read it; `together`: of four neighbours, which look at the same, each reads a part for all. */
const seeing = (lanes: number, together: boolean): string =>
  read
    .flatMap(([seen, other]) => [
      together
        ? each(Math.ceil(lanes / 4), (i) => `let ${seen}${i} = ${other}(at + min(${4 * i} + lane % 4, LANES - 1));`)
        : "",
      `let ${seen} = Head(${each(lanes, (n) => (together ? `quadBroadcast(${seen}${n >> 2}, ${n % 4})` : `${other}(at + ${n})`), ", ")});`,
    ])
    .join("\n");

/** Rows from which on a CPU adapter's threads have two, and both cores something to do. */
const MANY = 256;

/** The kernel of an op that looks from queries to keys or back. */
/* @__NO_SIDE_EFFECTS__ */ const lookKernel = (
  name: string,
  text: string,
  { written, lanes: ofLanes, by = () => "" }: Looking,
  holes: Readonly<Record<string, boolean>> = {},
): Kernel => ({
  name,
  source: inLines(part, text),
  beside: true,
  choose({ device: { software, quads = false }, tensors, attributes }) {
    const { q, k, mask } = tensors as { readonly q: Tensor; readonly k: Tensor; readonly mask?: Tensor };
    const look = attributes as Look;
    const { length, keyHeads, scale } = lengthsOf(q, look);
    const rows = size((tensors as Readonly<Record<string, Tensor>>)[written]!.shape) / length;
    const vector = length % 4 === 0;
    const lanes = vector ? length / 4 : length;
    const fromKeys = written === "dk";
    const places = (fromKeys ? k : q).shape[1] as number;
    // A CPU adapter pays for what is loaded, and for each thread that loads it.
    const together = software && quads && places % 4 === 0;
    const neighbours = together ? 4 : 1;
    const rowsEach = software && rows >= MANY && places % (2 * neighbours) === 0 ? 2 : 1;
    const see = seeing(lanes, together);
    const row = (i: number): string => `row + ${i * neighbours} * ${fromKeys ? "KEY_HEADS" : "HEADS"}`;
    const isUnseen = (i: number): string => {
      const own = `stand.first + ${i * neighbours}`;
      return `is_unseen(stand.sample, ${(fromKeys ? ["query", own] : [own, "key"]).join(", ")})`;
    };
    const looks = (i: number, isSeen: string): string =>
      `it${i} = looked(own${i}, it${i}, seen, seen_value, ${by(i)}${isSeen});`;
    return {
      holes: {
        V: vector ? "vec4f" : "f32",
        VECTOR: vector,
        LANES: lanes,
        EACH: rowsEach,
        MASKED: mask !== undefined,
        NEIGHBOURS: neighbours,
        BEGIN: each(rowsEach, (i) => `let own${i} = own_of(${row(i)}); var it${i} = nothing();`),
        // A GPU passes by what is not seen; on a CPU adapter a condition costs more than what it spares.
        LOOK: software
          ? `${see}\n${each(rowsEach, (i) => looks(i, `!${isUnseen(i)}`))}`
          : `if (!${isUnseen(0)}) { ${see} ${looks(0, "true")} }`,
        END: each(rowsEach, (i) => `end(${row(i)}, it${i});`),
        ...Object.fromEntries(Object.entries(ofLanes).map(([hole, text]) => [hole, each(lanes, text)])),
        ...holes,
      },
      constants: {
        ...{ ROWS: rows, QUERIES: q.shape[1] as number, KEYS: k.shape[1] as number },
        ...{ HEADS: look.heads, KEY_HEADS: keyHeads, SCALE: scale, CAUSAL: look.causal === true ? 1 : 0 },
      },
      grid: rows / rowsEach,
      note: `${dims(q)} to ${dims(k)} in ${look.heads} heads${look.causal === true ? ", causal" : ""}`,
    };
  },
});

/**
 * y [B, T, heads D] = softmax(scale q k^T) v of each head: queries q [B, T, heads D], keys k and values v [B, S, keyHeads D], of which
 * `keyHeads` divides `heads`. A query sees the keys where mask [B, S] is not 0 and, with `causal`, those up to its own place, counted
 * from the first. One that sees none gives 0. Kept for the way back are y and two numbers for each row of scores (Dao et al. 2022).
 */
export const attention = defineOp({
  name: "attention",
  inputs: ["q", "k", "v", "mask"],
  optional: ["mask"],
  outputs: ["y", "rows"],
  attributes: {
    heads: [1, checkCount],
    keyHeads: [undefined, perhaps(checkCount)],
    causal: [false],
    scale: [undefined, perhaps(anyFinite)],
  },
  refuse({ q, k, v, mask }, { heads, keyHeads = heads }: Look) {
    const all = given(...[q, k, v, mask].filter((tensor) => tensor !== undefined));
    if (
      q.shape.length !== 3 ||
      k.shape.length !== 3 ||
      q.shape[0] !== k.shape[0] ||
      String(k.shape) !== String(v.shape)
    )
      return `${all} Give queries [batch, queries, features], and keys and values [batch, keys, features] of one shape.`;
    const [features, keyFeatures] = [q.shape[2] as number, k.shape[2] as number];
    if (heads % keyHeads !== 0 || features % heads !== 0 || (features / heads) * keyHeads !== keyFeatures)
      return `${all} Its ${heads} heads of queries and ${keyHeads} of keys must divide the last axes into heads of one length, and the second number the first.`;
    return mask === undefined || String(mask.shape) === String(k.shape.slice(0, 2))
      ? undefined
      : `${all} The mask must be [${k.shape.slice(0, 2)}]: a number for each key of a sample, 0 where it is hidden.`;
  },
  shape: ({ q }, { heads }: Look) => ({
    y: { shape: q.shape },
    rows: { shape: [...q.shape.slice(0, 2), heads, 2] },
  }),
  back({ q, k, v, mask, y, rows, dy }, { attributes, give, emit }) {
    const from = once(() => ({ q, k, v, mask, dy: dy!, known: emit(attentionDelta, { dy: dy!, y, rows }).known }));
    const ofKeys = once(() => emit(attentionBackwardKeys, from(), attributes));
    give("q", () => emit(attentionBackwardQueries, from(), attributes).dq);
    give("k", () => ofKeys().dk);
    give("v", () => ofKeys().dv);
  },
  work: ({ q, k }) => 2 * size(q.shape) * (k.shape[1] as number),
  kernel: lookKernel("attention", source, forward),
});

/** Of each row of scores the largest, 1 / the sum of powers, and the sum of dy y. */
export const attentionDelta = defineOp({
  name: "attentionDelta",
  inputs: ["dy", "y", "rows"],
  outputs: ["known"],
  shape: ({ rows }) => ({ known: { shape: [...rows.shape.slice(0, -1), 3] } }),
  kernel: {
    name: "attention-delta",
    source: deltaSource,
    beside: true,
    rows: ({ tensors: { dy, rows } }) => ({ of: "dy", length: (2 * size(dy.shape)) / size(rows.shape) }),
    choose({ tensors: { dy, rows } }) {
      const count = size(rows.shape) / 2;
      const length = size(dy.shape) / count;
      const vector = length % 4 === 0;
      return {
        holes: { VECTOR: vector },
        constants: { ROWS: count, LANES: vector ? length / 4 : length },
        grid: count,
        by: "thread",
        note: dims(dy),
      };
    },
  },
});

/** The gradient of the queries. */
export const attentionBackwardQueries = defineOp({
  name: "attentionBackwardQueries",
  inputs: ["q", "k", "v", "dy", "known", "mask"],
  optional: ["mask"],
  outputs: ["dq"],
  shape: ({ q }, _: Look) => ({ dq: { shape: q.shape } }),
  kernel: lookKernel("attention-backward", backwardSource, ofQueries, { OF_KEYS: false }),
});

/** The gradients of keys and values. */
export const attentionBackwardKeys = defineOp({
  name: "attentionBackwardKeys",
  inputs: ["q", "k", "v", "dy", "known", "mask"],
  optional: ["mask"],
  outputs: ["dk", "dv"],
  shape: ({ k, v }, _: Look) => ({ dk: { shape: k.shape }, dv: { shape: v.shape } }),
  kernel: lookKernel("attention-backward", backwardSource, ofKeys, { OF_KEYS: true }),
});
