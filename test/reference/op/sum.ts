// Y[kept] = sum over the summed axes of X, in the order in which it is stored; a mean is that divided by how many terms there are.
// The way back gives each term what its sum got. With `batch`, rows along axis 0 beyond the step's count take no part.

import type { Tensor } from "../../../src/op/tensor.ts";
import type { Facts, Twin } from "../twin.ts";

/** For each place in a shape, the place once the axes that are not kept have length 1. */
function places(shape: readonly number[], isKept: (axis: number) => boolean): number[] {
  let found = [0];
  let behind = shape.reduce((count, length, axis) => (isKept(axis) ? count * length : count), 1);
  for (const [axis, length] of shape.entries()) {
    if (isKept(axis)) behind /= length;
    const far = isKept(axis) ? behind : 0;
    found = found.flatMap((place) => Array.from({ length }, (_, i) => place + i * far));
  }
  return found;
}

const reduction =
  (mean: boolean): Twin =>
  ([x], { inputs, attributes }, { count }, round) => {
    const { shape } = inputs[0] as Tensor;
    const axes = (attributes.axes as readonly number[]).map((axis) => (axis + shape.length) % shape.length);
    const rows = attributes.batch === true && axes.includes(0) ? Math.min(count, shape[0]!) : shape[0]!;
    const terms = axes.reduce((product, axis) => product * (axis === 0 ? rows : shape[axis]!), 1);
    const y = new Float64Array(shape.reduce((n, length, axis) => (axes.includes(axis) ? n : n * length), 1));
    const own = places(shape, (axis) => !axes.includes(axis));
    for (let i = 0; i < (x!.length / shape[0]!) * rows; i++) y[own[i]!] = round(y[own[i]!]! + x![i]!);
    return [mean ? y.map((value) => round(value / terms)) : y];
  };

export const sum = reduction(false);
export const sumOver = reduction(false);
export const mean = reduction(true);

/** The largest or smallest over axes, and where it stands: the first of equal ones; NaN counts above all. */
function extremes(x: Float64Array, least: boolean, { inputs, attributes }: Facts, count: number) {
  const { shape } = inputs[0] as Tensor;
  const axes = (attributes.axes as readonly number[]).map((axis) => (axis + shape.length) % shape.length);
  const rows = attributes.batch === true && axes.includes(0) ? Math.min(count, shape[0]!) : shape[0]!;
  const own = places(shape, (axis) => !axes.includes(axis));
  const results = shape.reduce((n, length, axis) => (axes.includes(axis) ? n : n * length), 1);
  const at = new Array<number>(results).fill(-1);
  for (let i = 0; i < (x.length / shape[0]!) * rows; i++) {
    const best = x[at[own[i]!]!];
    const beyond = best === undefined || (least ? x[i]! < best : x[i]! > best);
    if (beyond || (Number.isNaN(x[i]) && !Number.isNaN(best))) at[own[i]!] = i;
  }
  return { at, own };
}

const extreme =
  (least: boolean): Twin =>
  ([x], facts, { count }) => [Float64Array.from(extremes(x!, least, facts, count).at, (i) => x![i]!)];

const extremeBackward =
  (least: boolean): Twin =>
  ([x, dy], facts, { count }) => {
    const { at, own } = extremes(x!, least, facts, count);
    return [x!.map((_, i) => (at[own[i]!] === i ? dy![own[i]!]! : 0))];
  };

export const max = extreme(false);
export const min = extreme(true);
export const maxBackward = extremeBackward(false);
export const minBackward = extremeBackward(true);

export const spread: Twin = ([x], { inputs, attributes }, { count }, round) => {
  const shape = attributes.shape as readonly number[];
  const own = places(shape, (axis) => inputs[0]!.shape[axis] === shape[axis]);
  const share = attributes.batch === true ? Math.min(count, shape[0]!) / shape[0]! : 1;
  const terms = (own.length / x!.length) * share;
  return [
    Float64Array.from(own, (place, i) => {
      const value = attributes.mean === true ? round(x![place]! / terms) : x![place]!;
      return i < own.length * share ? value : 0;
    }),
  ];
};
