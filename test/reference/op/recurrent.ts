// LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000) and GRU (Cho et al. 2014; with r behind the product,
// as in PyTorch and cuDNN, and before it, as in that paper), sample by sample and step by step, and what their steps hand back.

import type { Round, Twin } from "../twin.ts";

type Shape = readonly [batch: number, steps: number, units: number];

const sigmoid = (round: Round, x: number): number => round(1 / round(1 + round(Math.exp(-x))));

/** Samples and steps in the order of the layer: the place of each step, and of the one before, which the first has not. */
function* walk([batch, steps]: Shape, reverse: boolean): Generator<[sample: number, row: number, before?: number]> {
  for (let sample = 0; sample < batch; sample++) {
    for (let s = 0; s < steps; s++) {
      const row = sample * steps + (reverse ? steps - 1 - s : s);
      yield s === 0 ? [sample, row] : [sample, row, reverse ? row + 1 : row - 1];
    }
  }
}

/** What the hidden units before give to each gate. */
const products = (before: Float64Array, u: Float64Array, start: Float64Array, round: Round): Float64Array =>
  start.map((from, gate) =>
    before.reduce((sum, value, k) => round(sum + round(value * u[k * start.length + gate]!)), from),
  );

const recurrent =
  (gates: 3 | 4): Twin =>
  (inputs, { outputs, attributes }, _step, round) => {
    const memory = gates === 4;
    const [x, u] = inputs as [Float64Array, Float64Array];
    const [b, h0, c0] = memory ? [undefined, inputs[2], inputs[3]] : [inputs[2]!, inputs[3], undefined];
    const shape = outputs[0]!.shape as Shape;
    const [batch, steps, units] = shape;
    const y = new Float64Array(batch * steps * units);
    const [h, c] = [new Float64Array(batch * units), new Float64Array(batch * units)];
    const kept = new Float64Array(batch * steps * 5 * units);
    for (const [sample, row, before] of walk(shape, attributes.reverse === true)) {
      const state = (values: Float64Array | undefined): Float64Array =>
        values?.slice(sample * units, (sample + 1) * units) ?? new Float64Array(units);
      const hidden = before === undefined ? state(h0) : y.slice(before * units, (before + 1) * units);
      const held = memory ? (before === undefined ? state(c0) : state(c)) : hidden;
      const sums = products(hidden, u, b ?? new Float64Array(4 * units), round);
      for (let j = 0; j < units; j++) {
        const of = (gate: number): number => x[(row * gates + gate) * units + j]!;
        const sum = (gate: number): number => round(of(gate) + sums[gate * units + j]!);
        const last = held[j]!;
        const keep = (numbers: readonly number[]): void =>
          numbers.forEach((value, i) => {
            kept[(row * 5 + i) * units + j] = value;
          });
        let output: number;
        if (memory) {
          const [i, f, o] = [sum(0), sum(1), sum(3)].map((a) => sigmoid(round, a)) as [number, number, number];
          const g = round(Math.tanh(sum(2)));
          const now = round(round(f * last) + round(i * g));
          output = round(o * round(Math.tanh(now)));
          c[sample * units + j] = now;
          keep([i, f, g, o, last]);
        } else {
          const [r, z] = [sum(0), sum(1)].map((a) => sigmoid(round, a)) as [number, number];
          const through = sums[2 * units + j]!;
          const n = round(Math.tanh(round(of(2) + round(r * through))));
          output = round(round(z * last) + round(round(1 - z) * n));
          keep([r, z, n, through, last]);
        }
        y[row * units + j] = output;
        h[sample * units + j] = output;
      }
    }
    return memory ? [y, h, c, kept] : [y, h, kept];
  };

const recurrentBackward =
  (gates: 3 | 4): Twin =>
  ([kept, u, ...gradients], { inputs, attributes }, _step, round) => {
    const memory = gates === 4;
    const [units] = inputs[1]!.shape as [number];
    const [batch, steps] = inputs[0]!.shape as [number, number];
    const names = (attributes.from as string).split(" ");
    const gradientOf = (name: string): Float64Array | undefined => gradients[names.indexOf(name)];
    const width = gates * units;
    const [dx, dgates] = [new Float64Array(batch * steps * width), new Float64Array(batch * steps * width)];
    const [carried, dh0] = [new Float64Array(batch * units), new Float64Array(batch * units)];
    const shape: Shape = [batch, steps, units];
    const slope = (s: number): number => round(s * round(1 - s));
    const bend = (s: number): number => round(round(1 - s) * round(1 + s));
    const fromAfter = (after: number, j: number): number => {
      let sum = 0;
      for (let k = 0; k < width; k++) sum = round(sum + round(dgates[after * width + k]! * u![j * width + k]!));
      return sum;
    };
    // From the end of the layer to its beginning: as if it went the other way.
    for (const [sample, row, after] of walk(shape, attributes.reverse !== true)) {
      for (let j = 0; j < units; j++) {
        const at = sample * units + j;
        let dh = after === undefined ? (gradientOf("h")?.[at] ?? 0) : fromAfter(after, j);
        const held = after === undefined ? (gradientOf("c")?.[at] ?? 0) : carried[at]!;
        if (!memory) dh = round(dh + held);
        dh = round(dh + (gradientOf("y")?.[row * units + j] ?? 0));
        const [p, q, s, t, last] = [0, 1, 2, 3, 4].map((i) => kept![(row * 5 + i) * units + j]!) as number[] as [
          number,
          number,
          number,
          number,
          number,
        ];
        const give = (to: Float64Array, numbers: readonly number[]): void =>
          numbers.forEach((value, gate) => {
            to[(row * gates + gate) * units + j] = value;
          });
        if (memory) {
          const level = round(Math.tanh(round(round(q * last) + round(p * s))));
          const dc = round(held + round(round(dh * t) * bend(level)));
          const all = [
            round(round(dc * s) * slope(p)),
            round(round(dc * last) * slope(q)),
            round(round(dc * p) * bend(s)),
            round(round(dh * level) * slope(t)),
          ];
          give(dx, all);
          give(dgates, all);
          carried[at] = round(dc * q);
        } else {
          const dn = round(round(dh * round(1 - q)) * bend(s));
          const dz = round(round(dh * round(last - s)) * slope(q));
          const dr = round(round(dn * t) * slope(p));
          give(dx, [dr, dz, dn]);
          give(dgates, [dr, dz, round(dn * p)]);
          carried[at] = round(dh * q);
        }
      }
    }
    for (let at = 0; at < batch * units && attributes.start === true; at++) {
      const first = Math.floor(at / units) * steps + (attributes.reverse === true ? steps - 1 : 0);
      const sum = fromAfter(first, at % units);
      dh0[at] = memory ? sum : round(sum + carried[at]!);
    }
    if (memory) return attributes.start === true ? [dx, carried, dh0] : [dx, carried];
    return [dx, dgates, attributes.start === true ? dh0 : carried];
  };

/** With r before the product: what it lets through of all units is multiplied for n. */
export const gruResetBeforeSteps: Twin = ([x, u, h0], { outputs, attributes }, _step, round) => {
  const shape = outputs[0]!.shape as Shape;
  const [batch, steps, units] = shape;
  const [y, h] = [new Float64Array(batch * steps * units), new Float64Array(batch * units)];
  const kept = new Float64Array(batch * steps * 5 * units);
  for (const [sample, row, before] of walk(shape, attributes.reverse === true)) {
    const state = h0?.slice(sample * units, (sample + 1) * units) ?? new Float64Array(units);
    const last = before === undefined ? state : y.slice(before * units, (before + 1) * units);
    const nothing = new Float64Array(3 * units);
    const gate = (which: number, sums: Float64Array) =>
      last.map((_, j) => round(x![(row * 3 + which) * units + j]! + sums[which * units + j]!));
    const [r, z] = [0, 1].map((which) => gate(which, products(last, u!, nothing, round)).map((a) => sigmoid(round, a)));
    const through = last.map((value, j) => round(r![j]! * value));
    const n = gate(2, products(through, u!, nothing, round)).map((a) => round(Math.tanh(a)));
    const output = last.map((value, j) => round(round(z![j]! * value) + round(round(1 - z![j]!) * n[j]!)));
    y.set(output, row * units);
    h.set(output, sample * units);
    for (const [i, values] of [r!, z!, n, through, last].entries()) kept.set(values, (row * 5 + i) * units);
  }
  return [y, h, kept];
};

export const gruResetBeforeStepsBackward: Twin = ([kept, u, ...gradients], { inputs, attributes }, _step, round) => {
  const [batch, steps] = inputs[0]!.shape as [number, number];
  const [units] = inputs[1]!.shape as [number];
  const names = (attributes.from as string).split(" ");
  const gradientOf = (name: string): Float64Array | undefined => gradients[names.indexOf(name)];
  const [dx, dh0] = [new Float64Array(batch * steps * 3 * units), new Float64Array(batch * units)];
  /** What gates from the first to before the end hand to unit j. */
  const handed = (row: number, j: number, first: number, end: number): number => {
    let sum = 0;
    for (let k = first * units; k < end * units; k++)
      sum = round(sum + round(dx[row * 3 * units + k]! * u![j * 3 * units + k]!));
    return sum;
  };
  for (const [sample, row, after] of walk([batch, steps, units], attributes.reverse !== true)) {
    const all = (i: number): Float64Array => kept!.slice((row * 5 + i) * units, (row * 5 + i + 1) * units);
    const [r, z, n, , last] = [0, 1, 2, 3, 4].map(all) as [
      Float64Array,
      Float64Array,
      Float64Array,
      unknown,
      Float64Array,
    ];
    const dh = last.map((_, j) => {
      const at = sample * units + j;
      const came = after === undefined ? (gradientOf("h")?.[at] ?? 0) : round(handed(after, j, 0, 2) + dh0[at]!);
      return round(came + (gradientOf("y")?.[row * units + j] ?? 0));
    });
    const give = (gate: number, of: (j: number) => number): void =>
      dx.set(
        last.map((_, j) => of(j)),
        (row * 3 + gate) * units,
      );
    const slope = (s: number): number => round(s * round(1 - s));
    give(1, (j) => round(round(dh[j]! * round(last[j]! - n[j]!)) * slope(z[j]!)));
    give(2, (j) => round(round(dh[j]! * round(1 - z[j]!)) * round(round(1 - n[j]!) * round(1 + n[j]!))));
    const through = last.map((_, j) => handed(row, j, 2, 3));
    give(0, (j) => round(round(through[j]! * last[j]!) * slope(r[j]!)));
    dh0.set(
      dh.map((value, j) => round(round(value * z[j]!) + round(through[j]! * r[j]!))),
      sample * units,
    );
  }
  if (attributes.start !== true) return [dx, dh0];
  const first = (sample: number): number => sample * steps + (attributes.reverse === true ? steps - 1 : 0);
  return [dx, dh0.map((carried, at) => round(carried + handed(first(Math.floor(at / units)), at % units, 0, 2)))];
};

export const lstmSteps = recurrent(4);
export const lstmStepsBackward = recurrentBackward(4);
export const gruSteps = recurrent(3);
export const gruStepsBackward = recurrentBackward(3);

export const previous: Twin = ([y, h0], { inputs, attributes }) => {
  const shape = inputs[0]!.shape as Shape;
  const [, , units] = shape;
  const p = new Float64Array(y!.length);
  for (const [sample, row, before] of walk(shape, attributes.reverse === true)) {
    for (let j = 0; j < units; j++)
      p[row * units + j] = before === undefined ? (h0?.[sample * units + j] ?? 0) : y![before * units + j]!;
  }
  return [p];
};
