// What test/golden/attention.py makes numbers by, so that the file holds only what comes out.

import golden from "./attention.json";

/** Numbers in steps of 1/512 of `spread` from -1 to 1. */
export const numbers = (salt: number, count: number, spread = 1): Float64Array =>
  Float64Array.from({ length: count }, (_, at) => {
    const i = at + 1;
    return ((((i * i * 31 + i * 17 + salt * 101) % 1021) - 510) / 512) * spread;
  });

/** A mask of [batch, keys] that hides every third key but the first. */
export const masked = (batch: number, keys: number): Float64Array =>
  Float64Array.from({ length: batch * keys }, (_, i) => (i % 3 === 2 && i % keys > 0 ? 0 : 1));

/** The numbers of a tensor that the file keeps. */
export const kept = (values: ArrayLike<number>): number[] =>
  Array.from(values).filter((_, i) => i % Math.ceil(values.length / golden.most) === 0);

/** The largest distance of what is kept, relative to the largest number of `among`, which are the same numbers as a rule. */
export function distance(values: ArrayLike<number>, expected: readonly number[], among = expected): number {
  const found = kept(values);
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  const largest = Math.max(...among.map(Math.abs));
  return found.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!) / largest), 0);
}

export interface LayerCase {
  readonly batch: number;
  readonly queries: number;
  readonly features: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly causal?: boolean;
  /** Of what is looked at, where that is something else. */
  readonly keys?: number;
  readonly valueFeatures?: number;
  readonly masked?: boolean;
  readonly y: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

export const layerCases: readonly LayerCase[] = golden.layers;

/** The weights of a layer by name. */
export function weightsOf({ features, heads, keyHeads, valueFeatures = features }: LayerCase) {
  const shared = (features / heads) * keyHeads;
  const sizes = { query: [features, features], key: [valueFeatures, shared], value: [valueFeatures, shared] };
  const entries = Object.entries({ ...sizes, output: [features, features] }) as [string, [number, number]][];
  return Object.fromEntries(
    entries.flatMap(([name, [inputs, units]], i) => [
      [`${name}.weight`, numbers(10 + i, inputs * units)],
      [`${name}.bias`, numbers(20 + i, units, 0.25)],
    ]),
  ) as Record<string, Float64Array>;
}
