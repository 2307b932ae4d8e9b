// Ops that move numbers, index by index: each number of the result is one of an input, or what a pad has around.

import type { Facts, Twin } from "../twin.ts";

type Index = readonly number[];

const inner = (shape: Index, axis: number): number => shape.slice(axis + 1).reduce((a, b) => a * b, 1);
const placeIn = (shape: Index, index: Index): number =>
  index.reduce((place, i, axis) => place + i * inner(shape, axis), 0);

/** The number of y at each index. */
function made({ outputs }: Facts, number: (index: Index) => number): readonly Float64Array[] {
  const { shape } = outputs[0]!;
  const indexOf = (place: number): Index =>
    shape.map((length, axis) => Math.floor(place / inner(shape, axis)) % length);
  return [Float64Array.from({ length: inner(shape, -1) }, (_, place) => number(indexOf(place)))];
}

export const permute: Twin = ([x], facts) => {
  const { shape } = facts.inputs[0]!;
  const axes = (facts.attributes.axes as Index).map((axis) => (axis + shape.length) % shape.length);
  return made(
    facts,
    (index) =>
      x![
        placeIn(
          shape,
          shape.map((_, axis) => index[axes.indexOf(axis)]!),
        )
      ]!,
  );
};

/** The places along an axis that NumPy's begin:end:stride names. */
function named(length: number, begin: number | undefined, end: number | undefined, stride = 1): number[] {
  const placed = (place: number): number => (place < 0 ? place + length : place);
  const down = stride < 0;
  const from = begin === undefined ? (down ? length - 1 : 0) : placed(begin);
  const to = end === undefined ? (down ? -1 : length) : placed(end);
  const first = down ? Math.min(from, length - 1) : Math.max(from, 0);
  const found: number[] = [];
  for (let i = first; i >= 0 && i < length && (down ? i > to : i < to); i += stride) found.push(i);
  return found;
}

export const slice: Twin = ([x], facts) => {
  const { shape } = facts.inputs[0]!;
  const { begin = [], end = [], stride = [] } = facts.attributes as Record<string, Index>;
  const places = shape.map((length, axis) => named(length, begin[axis], end[axis], stride[axis]));
  return made(
    facts,
    (index) =>
      x![
        placeIn(
          shape,
          index.map((i, axis) => places[axis]![i]!),
        )
      ]!,
  );
};

export const unslice: Twin = ([x], { inputs, outputs, attributes }) => {
  const { shape } = outputs[0]!;
  const { begin, stride } = attributes as Record<string, Index>;
  const from = inputs[0]!.shape;
  const y = new Float64Array(inner(shape, -1));
  x!.forEach((value, place) => {
    const index = from.map((length, axis) => Math.floor(place / inner(from, axis)) % length);
    y[
      placeIn(
        shape,
        index.map((i, axis) => begin![axis]! + i * stride![axis]!),
      )
    ] = value;
  });
  return [y];
};

export const pad: Twin = ([x], facts) => {
  const { shape } = facts.inputs[0]!;
  const { before, value = 0 } = facts.attributes as { readonly before: Index; readonly value?: number };
  return made(facts, (index) => {
    const own = index.map((i, axis) => i - before[axis]!);
    return own.every((i, axis) => i >= 0 && i < shape[axis]!) ? x![placeIn(shape, own)]! : value;
  });
};

export const tile: Twin = ([x], facts) => {
  const { shape } = facts.inputs[0]!;
  const { repeats, each } = facts.attributes as { readonly repeats: Index; readonly each?: boolean };
  const own = (i: number, axis: number): number => (each ? Math.floor(i / repeats[axis]!) : i % shape[axis]!);
  return made(facts, (index) => x![placeIn(shape, index.map(own))]!);
};

export const concat: Twin = (values, facts) => {
  const shapes = facts.inputs.map(({ shape }) => shape);
  const rank = shapes[0]!.length;
  const at = ((facts.attributes.axis as number) + rank) % rank;
  return made(facts, (index) => {
    let [part, i] = [0, index[at]!];
    while (i >= shapes[part]![at]!) i -= shapes[part++]![at]!;
    return values[part]![placeIn(shapes[part]!, index.with(at, i))]!;
  });
};

export const concat3: Twin = concat;
