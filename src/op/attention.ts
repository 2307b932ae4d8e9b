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

/** Statements for each lane of a head, by the holes that they fill. */
type OfLanes = Readonly<Record<string, (n: number) => string>>;

const forward: OfLanes = {
  READ_OWN: (n) => `own[${n}] = q[row * LANES + ${n}];`,
  MULTIPLY: (n) => `product = fma(own[${n}], seen${n}, product);`,
  SHRINK: (n) => `sum[${n}] *= shrunk;`,
  ADD: (n) => `sum[${n}] = fma(V(share), seen_value${n}, sum[${n}]);`,
  WRITE: (n) => `y[row * LANES + ${n}] = select(V(), sum[${n}] / total, sees);`,
};

const back: OfLanes = {
  READ_KEYS: (n) => `own[${n}] = k[to + ${n}]; own_value[${n}] = v[to + ${n}];`,
  READ_QUERIES: (n) => `own[${n}] = q[to + ${n}]; own_value[${n}] = dy[to + ${n}];`,
  MULTIPLY: (n) => `product = fma(own[${n}], seen${n}, product); slope = fma(own_value[${n}], seen_value${n}, slope);`,
  ADD: (n) => `sum[${n}] = fma(V(ds), seen${n}, sum[${n}]);`,
  ADD_VALUES: (n) => `sum_value[${n}] = fma(V(p), seen_value${n}, sum_value[${n}]);`,
  WRITE_KEYS: (n) => `dk[to + ${n}] = sum[${n}] * SCALE; dv[to + ${n}] = sum_value[${n}];`,
  WRITE_QUERIES: (n) => `dq[to + ${n}] = sum[${n}] * SCALE;`,
};

/** Statements that read a head of what a row looks at, its key and its value. */
const seeing = (lanes: number): readonly [keys: string, values: string] => [
  each(lanes, (n) => `let seen${n} = other(at + ${n});`),
  each(lanes, (n) => `let seen_value${n} = other_value(at + ${n});`),
];

/** The same of four neighbours, which look at the same: each reads a part for all. */
function seeingTogether(lanes: number): string {
  const parts = Math.ceil(lanes / 4);
  return [
    each(parts, (i) => `let part${i} = other(at + min(${4 * i} + lane % 4, LANES - 1));`),
    each(parts, (i) => `let value_part${i} = other_value(at + min(${4 * i} + lane % 4, LANES - 1));`),
    each(lanes, (n) => `let seen${n} = quadBroadcast(part${n >> 2}, ${n % 4});`),
    each(lanes, (n) => `let seen_value${n} = quadBroadcast(value_part${n >> 2}, ${n % 4});`),
  ].join("");
}

/** The kernel of an op that looks from queries to keys or back: a thread for each row of a head of `written`. */
/* @__NO_SIDE_EFFECTS__ */ const lookKernel = <const Name extends string>(
  name: string,
  text: string,
  written: Name,
  ofLanes: OfLanes,
  holes: Readonly<Record<string, boolean>> = {},
): Kernel => ({
  name,
  source: inLines(part, text),
  beside: true,
  choose({ device, tensors, attributes }) {
    const { q, k, mask } = tensors as { readonly q: Tensor; readonly k: Tensor; readonly mask?: Tensor };
    const look = attributes as Look;
    const { length, keyHeads, scale } = lengthsOf(q, look);
    const rows = size((tensors as Readonly<Record<string, Tensor>>)[written]!.shape) / length;
    const vector = length % 4 === 0;
    const lanes = vector ? length / 4 : length;
    // A CPU adapter pays for what is loaded, and for each thread that loads it.
    const quads = device.software && device.quads === true && (written === "dk" ? k : q).shape[1]! % 4 === 0;
    const [keys, values] = quads ? [seeingTogether(lanes), ""] : seeing(lanes);
    return {
      holes: {
        V: vector ? "vec4f" : "f32",
        VECTOR: vector,
        LANES: lanes,
        MASKED: mask !== undefined,
        NEIGHBOURS: quads ? 4 : 1,
        SEE: keys,
        SEE_VALUES: values,
        ...Object.fromEntries(Object.entries(ofLanes).map(([hole, text]) => [hole, each(lanes, text)])),
        ...holes,
      },
      constants: {
        ...{ ROWS: rows, QUERIES: q.shape[1] as number, KEYS: k.shape[1] as number },
        ...{ HEADS: look.heads, KEY_HEADS: keyHeads, SCALE: scale, CAUSAL: look.causal === true ? 1 : 0 },
      },
      grid: rows,
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
  kernel: lookKernel("attention", source, "y", forward),
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
  kernel: lookKernel("attention-backward", backwardSource, "dq", back, { OF_KEYS: false }),
});

/** The gradients of keys and values. */
export const attentionBackwardKeys = defineOp({
  name: "attentionBackwardKeys",
  inputs: ["q", "k", "v", "dy", "known", "mask"],
  optional: ["mask"],
  outputs: ["dk", "dv"],
  shape: ({ k, v }, _: Look) => ({ dk: { shape: k.shape }, dv: { shape: v.shape } }),
  kernel: lookKernel("attention-backward", backwardSource, "dk", back, { OF_KEYS: true }),
});
