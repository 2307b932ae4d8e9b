// Batch normalization from its formulas. Rows of samples beyond the step's count take no part, and get no gradient.

import type { Attributes } from "../../../src/op/op.ts";
import { size, type Tensor } from "../../../src/op/tensor.ts";
import type { Round, Twin } from "../twin.ts";

/** Rows of real samples. */
const realRows = (shape: readonly number[], count: number): number =>
  (size(shape.slice(0, -1)) / shape[0]!) * Math.min(count, shape[0]!);

/** From which row to which part `part` goes. */
function range(rows: number, parts: number, part: number): [number, number] {
  const height = Math.ceil(rows / parts);
  return [Math.min(rows, part * height), Math.min(rows, (part + 1) * height)];
}

/** Mean and squared distances from it, of one channel in some rows. */
function moments(x: Float64Array, channels: number, c: number, [begin, end]: readonly number[], round: Round) {
  let sum = 0;
  for (let row = begin!; row < end!; row++) sum = round(sum + x[row * channels + c]!);
  const mean = round(sum / (end! - begin!));
  let squares = 0;
  for (let row = begin!; row < end!; row++) {
    const d = round(x[row * channels + c]! - mean);
    squares = round(squares + round(d * d));
  }
  return { mean, squares };
}

export const batchParts: Twin = ([x], { inputs, attributes }, { count }, round) => {
  const { shape } = inputs[0]!;
  const channels = shape.at(-1)!;
  const splits = attributes.splits as number;
  const parts = new Float64Array(splits * 2 * channels);
  for (let part = 0; part < splits; part++) {
    const rows = range(realRows(shape, count), splits, part);
    if (rows[0] === rows[1]) continue;
    for (let c = 0; c < channels; c++) {
      const { mean, squares } = moments(x!, channels, c, rows, round);
      parts[2 * part * channels + c] = mean;
      parts[(2 * part + 1) * channels + c] = squares;
    }
  }
  return [parts];
};

/** Mean and squared distances of parts that were cut. */
function merged(x: Float64Array, channels: number, c: number, counts: readonly number[], round: Round) {
  const n = counts.reduce((a, b) => a + b);
  const mean = round(counts.reduce((sum, k, s) => round(sum + round(k * x[2 * s * channels + c]!)), 0) / n);
  const squares = counts.reduce((sum, k, s) => {
    const d = round(x[2 * s * channels + c]! - mean);
    return k === 0 ? sum : round(sum + round(x[(2 * s + 1) * channels + c]! + round(k * round(d * d))));
  }, 0);
  return { mean, squares };
}

export const batchStatistics: Twin = ([x, oldMean, oldVariance], { inputs, attributes }, { count }, round) => {
  const { eps, momentum, unbiased, parts } = attributes as Attributes & { readonly parts?: readonly number[] };
  const { shape } = inputs[0] as Tensor;
  const channels = shape.at(-1)!;
  const rows = realRows(parts ?? shape, count);
  const [mean, inverse, nextMean, nextVariance] = [0, 1, 2, 3].map(() => new Float64Array(channels));
  const moved = (old: number, value: number): number =>
    round(round((momentum as number) * old) + round((1 - (momentum as number)) * value));
  for (let c = 0; c < channels; c++) {
    const counts = Array.from({ length: shape[0]! }, (_, s) => {
      const [begin, end] = range(rows, shape[0]!, s);
      return end - begin;
    });
    const found =
      parts === undefined ? moments(x!, channels, c, [0, rows], round) : merged(x!, channels, c, counts, round);
    const variance = round(found.squares / rows);
    mean![c] = found.mean;
    inverse![c] = round(1 / round(Math.sqrt(round(variance + (eps as number)))));
    nextMean![c] = moved(oldMean![c]!, found.mean);
    nextVariance![c] = moved(
      oldVariance![c]!,
      unbiased === true ? round(found.squares / Math.max(1, rows - 1)) : variance,
    );
  }
  return [mean!, inverse!, nextMean!, nextVariance!];
};

/** Sums of dz xhat and of dz in some rows. */
function sums(values: readonly Float64Array[], channels: number, [begin, end]: readonly number[], round: Round) {
  const [dz, x, mean, inverse] = values as [Float64Array, Float64Array, Float64Array, Float64Array];
  const [dgamma, dbeta] = [new Float64Array(channels), new Float64Array(channels)];
  for (let i = begin! * channels; i < end! * channels; i++) {
    const c = i % channels;
    dgamma[c] = round(dgamma[c]! + round(dz[i]! * round(round(x[i]! - mean[c]!) * inverse[c]!)));
    dbeta[c] = round(dbeta[c]! + dz[i]!);
  }
  return [dgamma, dbeta] as const;
}

/** Mean, 1 / deviation, mean of dz, mean of dz xhat / deviation. */
function line(
  mean: Float64Array,
  inverse: Float64Array,
  [dgamma, dbeta]: readonly Float64Array[],
  n: number,
  round: Round,
) {
  const means = dbeta!.map((sum) => round(sum / n));
  return Float64Array.from([
    ...mean,
    ...inverse,
    ...means,
    ...dgamma!.map((v, c) => round(round(v / n) * inverse[c]!)),
  ]);
}

export const channelSums: Twin = (values, { inputs }, { count }, round) => {
  const { shape } = inputs[0]!;
  const rows = realRows(shape, count);
  const found = sums(values, shape.at(-1)!, [0, rows], round);
  return [...found, line(values[2]!, values[3]!, found, rows, round)];
};

export const channelParts: Twin = (values, { inputs, attributes }, { count }, round) => {
  const { shape } = inputs[0]!;
  const splits = attributes.splits as number;
  const rows = realRows(shape, count);
  const parts = Array.from({ length: splits }, (_, s) => sums(values, shape.at(-1)!, range(rows, splits, s), round));
  return [Float64Array.from(parts.flat().flatMap((part) => [...part]))];
};

export const mergeSums: Twin = ([parts, mean, inverse], { inputs, attributes }, { count }, round) => {
  const [splits, , channels] = inputs[0]!.shape as [number, number, number];
  const found = [0, 1].map((which) =>
    Float64Array.from({ length: channels }, (_, c) => {
      let sum = 0;
      for (let s = 0; s < splits; s++) sum = round(sum + parts![(2 * s + which) * channels + c]!);
      return sum;
    }),
  );
  if (mean === undefined) return found;
  const samples = attributes.samples as number;
  const rows = ((attributes.rows as number) / samples) * Math.min(count, samples);
  return [...found, line(mean, inverse!, found, rows, round)];
};

export const batchNormBackward: Twin = ([dz, x, given], { inputs }, { count }, round) => {
  const { shape } = inputs[0]!;
  const channels = shape.at(-1)!;
  const end = realRows(shape, count) * channels;
  const [mean, inverse, one, two] = [0, 1, 2, 3].map((row) => given!.subarray(row * channels, (row + 1) * channels));
  return [
    dz!.map((value, i) => {
      const c = i % channels;
      const d = round(round(value - one![c]!) - round(round(x![i]! - mean![c]!) * two![c]!));
      return i < end ? round(d * inverse![c]!) : 0;
    }),
  ];
};

export const inverseRoot: Twin = ([x], { attributes }, _step, round) => [
  x!.map((value) => round(1 / round(Math.sqrt(round(value + (attributes.eps as number)))))),
];
