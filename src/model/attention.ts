// Attention as a layer, of dense layers around the op.

import { OptionError, ShapeError } from "../errors.ts";
import type { Initializer, InitializerName } from "../initializer.ts";
import { attention } from "../op/attention.ts";
import { applied, checkLayer, isValue, type Layer, type Value, where, wholeNumber } from "../op/layer.ts";
import { reshape } from "../op/reshape.ts";
import { checkKeys, resolved } from "../option.ts";
import { dense } from "./dense.ts";

/** Options of `multiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** Heads of queries, which share `units` evenly. */
  readonly heads: number;
  /** Heads of keys and values, which neighbouring heads of queries share. It divides `heads`. Default: as many. */
  readonly keyHeads?: number;
  /** Length of a query over all heads, a multiple of `heads`. Default: the features of the queries. */
  readonly units?: number;
  /** Whether a query sees only what stands up to its own place. Default false. */
  readonly causal?: boolean;
  /** Whether the four dense layers have a bias. Default true. */
  readonly bias?: boolean;
  /** A layer for queries and keys as [B, T, heads, length], such as rotary(). Default: none. */
  readonly positions?: Layer;
  /** Start of the four weights. Default "glorotUniform". */
  readonly initializer?: InitializerName | Initializer;
}

/** What attention may be given by name. */
export interface AttentionInputs {
  /** [B, T, features]. */
  readonly query: Value;
  /** What is looked at, [B, S, its features]. Default: `query`. */
  readonly value?: Value;
  /** What is found by, [B, S, its features]. Default: `value`. */
  readonly key?: Value;
  /** [B, S]: 0 where a key is hidden, 1 where not. */
  readonly mask?: Value;
}

const names = ["query", "value", "key", "mask"] as const;

/**
 * Multi-head attention (Vaswani et al. 2017), [B, T, features] -> the same: softmax(q k^T / sqrt(D)) v of each head. Of one value it is
 * self-attention; { query, value, key, mask } by name look at another. Its weights are those of dense layers `query`, `key`, `value`
 * and `output`, heads beside each other: PyTorch's `in_proj_weight` is the first three, each transposed, one below the other. A
 * query that sees no key gives the bias of `output`. Throws OptionError for options that do not exist and heads that do not divide,
 * ShapeError where shapes do not fit.
 *
 * @example multiHeadAttention({ heads: 8, causal: true })
 *
 * @example
 * functional(({ text, image, mask }: Record<"text" | "image" | "mask", Value>, { use }) =>
 *   use("look", multiHeadAttention({ heads: 4 }), { query: text, value: image, mask }))
 */
export function multiHeadAttention(options: MultiHeadAttentionOptions): Layer<Value | AttentionInputs> {
  const kind = "multiHeadAttention";
  const table = {
    ...{ heads: [undefined, "a whole number of at least 1"], keyHeads: [], units: [], causal: [false], bias: [true] },
    ...{ positions: [], initializer: ["glorotUniform"] },
  } as const;
  const checked = resolved(kind, options, table, `${kind}({ heads: 8 })`);
  const { heads, keyHeads = heads, units, causal, bias, positions, initializer } = checked;
  if (heads % wholeNumber(kind, "keyHeads", keyHeads) !== 0)
    throw new OptionError(`${kind}: ${heads} heads cannot share ${keyHeads} heads of keys. Let keyHeads divide heads.`);
  if (wholeNumber(kind, "units", units ?? heads) % heads !== 0)
    throw new OptionError(`${kind}: ${units} units cannot be divided into ${heads} heads.`);
  if (positions !== undefined) checkLayer(kind, '"positions"', positions);
  dense(heads, { bias, initializer }); // refuses what it cannot start with
  return {
    kind,
    takesValues: true,
    apply(scope, x) {
      const place = where(kind, scope);
      const given: AttentionInputs = isValue(x) ? { query: x } : x;
      checkKeys(place, "its input", given, names);
      const { query, value = query, key = value, mask } = given;
      if (query === undefined)
        throw new OptionError(`${place}: its input has no "query". Give { query, value, mask }.`);
      const odd = [query, value, key].find(({ shape }) => shape.length !== 3);
      if (odd !== undefined)
        throw new ShapeError(`${place}: it was given [${odd.shape}], it must be [batch, length, features].`);
      const [batch, , features] = query.shape as [number, number, number];
      const width = units ?? features;
      if (width % heads !== 0)
        throw new ShapeError(`${place}: ${features} features cannot be divided into ${heads} heads. Give units.`);
      const part = (name: string, from: Value, length: number) =>
        applied(dense(length, { bias, initializer }), scope.child(name), from);
      const placed = (of: Value, count: number): Value => {
        if (positions === undefined) return of;
        const byHead = scope.op(reshape, { x: of }, { shape: [batch, of.shape[1]!, count, width / heads] }).y;
        return scope.op(reshape, { x: applied(positions, scope.child("positions"), byHead) }, { shape: of.shape }).y;
      };
      const q = placed(part("query", query, width), heads);
      const k = placed(part("key", key, (width / heads) * keyHeads), keyHeads);
      const v = part("value", value, (width / heads) * keyHeads);
      const inputs = { q, k, v, ...(mask && { mask }) } as Record<"q" | "k" | "v" | "mask", Value>;
      return part("output", scope.op(attention, inputs, { heads, keyHeads, causal }).y, features);
    },
  };
}
