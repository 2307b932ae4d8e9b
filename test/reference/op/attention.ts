// y = softmax(scale q k^T) v of each head, over the keys that a query sees, and the gradients by dS = P (dP - delta): row by row of P, by
// the formulas. A query that sees nothing gives 0 and has no gradient.

import type { Facts, Round, Twin } from "../twin.ts";

interface Row {
  /** Where its numbers begin in q and y, and which row it is. */
  readonly at: number;
  readonly index: number;
  /** Where the numbers of the keys begin that it sees. */
  readonly keys: readonly number[];
}

/** The rows of scores, with what each sees, and how long a head is. */
function rowsOf({ inputs, attributes }: Facts, mask: Float64Array | undefined): { rows: Row[]; length: number } {
  const [batch, queries, features] = inputs[0]!.shape as [number, number, number];
  const keys = inputs[1]!.shape[1]!;
  const heads = attributes.heads as number;
  const keyHeads = (attributes.keyHeads as number | undefined) ?? heads;
  const length = features / heads;
  const rows: Row[] = [];
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < queries; i++) {
      for (let h = 0; h < heads; h++) {
        const index = (b * queries + i) * heads + h;
        const seen = Array.from({ length: keys }, (_, j) => j).filter(
          (j) => (attributes.causal !== true || j <= i) && mask?.[b * keys + j] !== 0,
        );
        const of = (j: number) => ((b * keys + j) * keyHeads + Math.floor((h * keyHeads) / heads)) * length;
        rows.push({ at: index * length, index, keys: seen.map(of) });
      }
    }
  }
  return { rows, length };
}

const scaleOf = ({ attributes }: Facts, length: number, round: Round): number =>
  round((attributes.scale as number | undefined) ?? 1 / Math.sqrt(length));

function dot(a: Float64Array, at: number, b: Float64Array, other: number, length: number, round: Round): number {
  let sum = 0;
  for (let n = 0; n < length; n++) sum = round(sum + round(a[at + n]! * b[other + n]!));
  return sum;
}

function add(
  to: Float64Array,
  at: number,
  from: Float64Array,
  other: number,
  times: number,
  length: number,
  round: Round,
) {
  for (let n = 0; n < length; n++) to[at + n] = round(to[at + n]! + round(times * from[other + n]!));
}

const LOWEST = -3.4028234663852886e38;

export const attention: Twin = ([q, k, v, mask], facts, _step, round) => {
  const { rows, length } = rowsOf(facts, mask);
  const scale = scaleOf(facts, length, round);
  const y = new Float64Array(q!.length);
  const kept = new Float64Array(rows.length * 2);
  for (const { at, index, keys } of rows) {
    const scores = keys.map((key) => round(dot(q!, at, k!, key, length, round) * scale));
    const top = Math.max(LOWEST, ...scores.filter((score) => !Number.isNaN(score)));
    const powers = scores.map((score) => round(Math.exp(round(score - top))));
    const total = powers.reduce((sum, power) => round(sum + power), 0);
    for (const [j, key] of keys.entries()) add(y, at, v!, key, powers[j]!, length, round);
    for (let n = 0; n < length && keys.length > 0; n++) y[at + n] = round(y[at + n]! / total);
    kept.set(keys.length > 0 ? [top, total] : [0, 1], index * 2);
  }
  return [y, kept];
};

export const attentionDelta: Twin = ([dy, y, rows], _facts, _step, round) => {
  const count = rows!.length / 2;
  const length = y!.length / count;
  const known = new Float64Array(count * 3);
  for (let i = 0; i < count; i++) {
    const delta = dot(dy!, i * length, y!, i * length, length, round);
    known.set([rows![i * 2]!, round(1 / rows![i * 2 + 1]!), delta], i * 3);
  }
  return [known];
};

/** What each score and its probability have in the gradients: dS without the scale, and P. */
function backward(
  inputs: readonly Float64Array[],
  facts: Facts,
  round: Round,
  visit: (row: Row, key: number, ds: number, p: number, length: number) => void,
): void {
  const [q, k, v, dy, known, mask] = inputs;
  const { rows, length } = rowsOf(facts, mask);
  const scale = scaleOf(facts, length, round);
  for (const row of rows) {
    const [top, inverse, delta] = known!.subarray(row.index * 3) as unknown as [number, number, number];
    for (const key of row.keys) {
      const score = round(dot(q!, row.at, k!, key, length, round) * scale);
      const p = round(round(Math.exp(round(score - top))) * inverse);
      const slope = dot(dy!, row.at, v!, key, length, round);
      visit(row, key, round(p * round(slope - delta)), p, length);
    }
  }
}

const scaled = (values: Float64Array, facts: Facts, round: Round): Float64Array => {
  const length = facts.inputs[0]!.shape[2]! / (facts.attributes.heads as number);
  return values.map((value) => round(value * scaleOf(facts, length, round)));
};

export const attentionBackwardQueries: Twin = (inputs, facts, _step, round) => {
  const dq = new Float64Array(inputs[0]!.length);
  backward(inputs, facts, round, ({ at }, key, ds, _p, length) => add(dq, at, inputs[1]!, key, ds, length, round));
  return [scaled(dq, facts, round)];
};

export const attentionBackwardKeys: Twin = (inputs, facts, _step, round) => {
  const [dk, dv] = [new Float64Array(inputs[1]!.length), new Float64Array(inputs[2]!.length)];
  backward(inputs, facts, round, ({ at }, key, ds, p, length) => {
    add(dk, key, inputs[0]!, at, ds, length, round);
    add(dv, key, inputs[3]!, at, p, length, round);
  });
  return [scaled(dk, facts, round), dv];
};
