// Part of a tensor, and a tensor with something around it: each is the other's way back.

import { anyFinite } from "../option.ts";
import { mapOf, strides, type Window } from "./index-map.ts";
import { moveKernel } from "./move.ts";
import { defineOp, type Op } from "./op.ts";
import { given, lists, perAxis, wholes } from "./request.ts";
import type { Tensor } from "./tensor.ts";

const checkStrides = wholes("a list of whole numbers other than 0, for example [1, 2]", (value) => value !== 0);
const checkPads = wholes("a list of whole numbers of at least 0, one for each axis", (value) => value >= 0);
const isPlace = (one: unknown): boolean => Number.isSafeInteger(one) || one === Infinity || one === -Infinity;

/** Places along axes; infinity is an end of the axis, wherever that is. */
const checkPlaces = lists("a list of whole numbers, for example [0, -2]; Infinity goes to the end", (list) =>
  list.every(isPlace),
);

/** Which numbers of an axis are taken: `count` from `begin` on, `stride` apart. */
interface Cut {
  readonly begin: number;
  readonly stride: number;
  readonly count: number;
}

type Range = { readonly begin: readonly number[]; readonly end: readonly number[]; readonly stride: readonly number[] };

/** As NumPy cuts: places below 0 count from the end, what lies outside ends at the border. */
const cutsOf = ({ shape }: Tensor, { begin, end, stride }: Range): Cut[] =>
  shape.map((length, axis) => {
    const by = stride[axis] ?? 1;
    const border = (place: number): number =>
      by > 0 ? Math.min(Math.max(place, 0), length) : Math.min(Math.max(place, -1), length - 1);
    const placed = (place: number | undefined, otherwise: number): number =>
      border(place === undefined ? otherwise : place < 0 ? place + length : place);
    const [from, to] = [placed(begin[axis], by > 0 ? 0 : length), placed(end[axis], by > 0 ? length : -1 - length)];
    return { begin: from, stride: by, count: Math.max(0, Math.ceil((to - from) / by)) };
  });

/** y: part of x, along each axis from `begin` to before `end` with `stride`. */
export const slice: Op<"x", "y", Range> = defineOp({
  name: "slice",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { begin: [[], checkPlaces], end: [[], checkPlaces], stride: [[], checkStrides] },
  refuse({ x }, range: Range) {
    const most = Math.max(range.begin.length, range.end.length, range.stride.length);
    if (most > x.shape.length) return `${given(x)} It has ${x.shape.length} axes, and ${most} are cut.`;
    const empty = cutsOf(x, range).findIndex(({ count }) => count === 0);
    return empty < 0 ? undefined : `${given(x)} Nothing is left of axis ${empty}. Let it end behind where it begins.`;
  },
  shape: ({ x }, range) => ({ y: { shape: cutsOf(x, range).map(({ count }) => count) } }),
  back({ x, dy }, { attributes, give, emit }) {
    const cuts = cutsOf(x, attributes);
    const [begin, stride] = [cuts.map((cut) => cut.begin), cuts.map((cut) => cut.stride)];
    give("x", () => emit(unslice, { x: dy }, { begin, stride, shape: x.shape }).y);
  },
  kernel: moveKernel("slice", ["x"], ({ tensors, attributes }) => {
    const far = strides((tensors.x as Tensor).shape);
    const cuts = cutsOf(tensors.x as Tensor, attributes as Range);
    const first = cuts.reduce((sum, { begin }, axis) => sum + begin * far[axis]!, 0);
    return [
      mapOf(
        cuts.map(({ count, stride }, axis) => ({ length: count, to: stride * far[axis]! })),
        first,
      ),
    ];
  }),
  takesEpilogue: true,
  // Another sample would stand where one stood.
  moves: ({ begin, stride }) => (begin[0] ?? 0) !== 0 || (stride[0] ?? 1) !== 1,
});

/** The map of an input that becomes part of `shape`: along each axis from `begin` on, `stride` apart. */
export function partOf(x: Tensor, shape: readonly number[], begin: readonly number[], stride: readonly number[] = []) {
  const far = strides(x.shape);
  let first = 0;
  const axes = shape.map((length, axis) => {
    const [many, by, to] = [x.shape[axis]!, stride[axis] ?? 1, far[axis]!];
    // Where it is reversed, its last number comes first.
    const before = by > 0 ? begin[axis]! : begin[axis]! + (many - 1) * by;
    if (by < 0) first += (many - 1) * to;
    const window: Window = { before, every: Math.abs(by), many };
    return { length, to: by > 0 ? to : -to, window: many === length ? undefined : window };
  });
  return mapOf(axes, first);
}

/** The way back of slice: x where its numbers came from in a `shape`, and 0 everywhere else. */
export const unslice = defineOp({
  name: "unslice",
  inputs: ["x"],
  outputs: ["y"],
  shape: (
    _,
    {
      shape,
    }: { readonly begin: readonly number[]; readonly stride: readonly number[]; readonly shape: readonly number[] },
  ) => ({ y: { shape } }),
  kernel: moveKernel("unslice", ["x"], ({ tensors: { x, y }, attributes: { begin, stride } }) => [
    partOf(x!, y!.shape, begin as readonly number[], stride as readonly number[]),
  ]),
  takesEpilogue: true,
});

type Pads = { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };

/** y: x with `value` around it. */
export const pad: Op<"x", "y", Pads> = defineOp({
  name: "pad",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { before: [undefined, checkPads], after: [undefined, checkPads], value: [0, anyFinite] },
  refuse: ({ x }, { before, after }: Pads) => perAxis(x, "before", before) ?? perAxis(x, "after", after),
  shape: ({ x }, { before, after }) => ({
    y: { shape: x.shape.map((length, axis) => before[axis]! + length + after[axis]!) },
  }),
  back({ x, dy }, { attributes: { before }, give, emit }) {
    const end = x.shape.map((length, axis) => before[axis]! + length);
    give("x", () => emit(slice, { x: dy }, { begin: before, end, stride: [] }).y);
  },
  kernel: moveKernel("pad", ["x"], ({ tensors: { x, y }, attributes: { before } }) => [
    partOf(x!, y!.shape, before as readonly number[]),
  ]),
  takesEpilogue: true,
  moves: ({ before }) => before[0] !== 0,
});
