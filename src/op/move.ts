// The kernel of all ops that only move numbers, and those of them that a layer may ask for. An index map for each input says
// where its numbers go; gradients are moves too, or sums.

import source from "../../shaders/move.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { OptionError } from "../errors.ts";
import { anyFinite, shown } from "../option.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { type IndexMap, insideOf, mapOf, placeOf, strides, type Window } from "./index-map.ts";
import { threads } from "./kernel.ts";
import { defineOp, type Kernel, type Op, type Work } from "./op.ts";
import { given } from "./request.ts";
import { reshape } from "./reshape.ts";
import { sumOver } from "./sum.ts";
import { dims, size, type Tensor } from "./tensor.ts";

/** What is done to numbers on their way beside moving them, as WGSL. */
interface Change {
  /** Of `given`. */
  readonly share?: string;
  /** How many numbers of y are real; all others become 0. */
  readonly real?: string;
}

/** The kernel of an op of these `inputs`, at most three; `maps` are theirs, from a place in y to one in them. */
export const moveKernel = /* @__NO_SIDE_EFFECTS__ */ (
  name: string,
  inputs: readonly string[],
  maps: (work: Work) => readonly IndexMap[],
  change: (work: Work) => Change = () => ({}),
): Kernel => ({
  name,
  source,
  choose(work) {
    const { tensors, all, attributes, epilogue: steps, checked } = work;
    const y = tensors.y as Tensor;
    const columns = y.shape.at(-1) ?? 1;
    const length = size(y.shape);
    const quads = Math.ceil(length / 4);
    const sources = maps(work);
    const fours = sources.every(goesInFours);
    const { share = "given", real = "LENGTH" } = change(work);
    const end = epilogue(steps, all, { lanes: 4, columns, aligned: true });
    const own = all.slice(0, inputs.length);
    return {
      holes: {
        STEP: real.includes("step.") || share.includes("step.") ? step : "",
        EPILOGUE: end.text,
        CHECK: checkPart(checked),
        INPUTS: inputsText(inputs, sources, fours, Number(attributes.value ?? 0)),
        FOURS: fours,
        ...{ SHARE: share, REAL: real },
      },
      constants: { QUADS: quads, COLUMNS: columns, LENGTH: length },
      tensors: { ...Object.fromEntries(inputs.map((input, i) => [input, own[i] as Tensor])), y, ...end.tensors },
      grid: threads(quads),
      note: `${own.map(dims).join(" ")}${end.note}`,
    };
  },
});

/** Whether any four numbers of a quad are neighbours in memory too, and begin where a vec4f does. */
function goesInFours({ runs, first }: IndexMap): boolean {
  const [last, ...others] = [...runs].reverse();
  const isLine = last?.from === 1 && last.to === 1 && last.window === undefined && last.length % 4 === 0;
  return isLine && first % 4 === 0 && others.every(({ to }) => to % 4 === 0);
}

/** Declarations of the inputs, and a function that takes a number of y, or four, from where it stands. */
function inputsText(inputs: readonly string[], maps: readonly IndexMap[], fours: boolean, fill: number): string {
  const element = fours ? "vec4f" : "f32";
  const lines = inputs.map((input, i) => {
    const map = maps[i] as IndexMap;
    const [inside, place] = [insideOf(map, "at"), placeOf(map, "at")];
    const take = `return ${input}[${fours ? `(${place}) / 4` : place}];`;
    return inside === "" ? `  ${take}` : `  if (${inside}) { ${take} }`;
  });
  const isSure = insideOf(maps.at(-1) as IndexMap, "at") === "";
  return [
    ...inputs.map((input, i) => `@group(0) @binding(${i}) var<storage, read> ${input}: array<${element}>;`),
    `fn taken(at: u32) -> ${element} {`,
    ...lines,
    ...(isSure ? [] : [`  return ${element}(f32(${fill}));`]),
    "}",
  ].join("\n");
}

const wholes =
  /* @__NO_SIDE_EFFECTS__ */
  (what: string, fits: (value: number) => boolean) => (place: string, name: string, value: unknown) => {
    if (Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && fits(one))) return;
    throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be ${what}.`);
  };

const checkAxes = wholes("a list of axes, for example [0, 2, 1]", () => true);
const checkStrides = wholes("a list of whole numbers other than 0, for example [1, 2]", (value) => value !== 0);
const checkPads = wholes("a list of whole numbers of at least 0, one for each axis", (value) => value >= 0);
const checkRepeats = wholes("a list of whole numbers of at least 1, one for each axis", (value) => value >= 1);

/** Places along axes; infinity is an end of the axis, wherever that is. */
function checkPlaces(place: string, name: string, value: unknown): void {
  const isPlace = (one: unknown) => Number.isSafeInteger(one) || one === Infinity || one === -Infinity;
  if (Array.isArray(value) && value.every(isPlace)) return;
  throw new OptionError(
    `${place}: ${name} is ${shown(value)}, it must be a list of whole numbers, for example [0, -2]; Infinity goes to the end.`,
  );
}

function checkAxis(place: string, name: string, value: unknown): void {
  if (Number.isSafeInteger(value)) return;
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be an axis, for example -1, the last one.`);
}

/** Why a list of an entry for each axis does not fit. */
const perAxis = (x: Tensor, name: string, list: readonly number[]): string | undefined =>
  list.length === x.shape.length
    ? undefined
    : `${given(x)} It has ${x.shape.length} axes, ${name} is [${list}]. Give a number for each axis, the batch included.`;

type Order = { readonly axes: readonly number[] };

const orderOf = ({ shape }: Tensor, { axes }: Order): number[] =>
  axes.map((axis) => (axis < 0 ? axis + shape.length : axis));

/** y: the axes of x in another order, those that `axes` names; -1 is the last. */
export const permute: Op<"x", "y", Order> = defineOp({
  name: "permute",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { axes: [undefined, checkAxes] },
  refuse({ x }, order: Order) {
    const isOrder = x.shape.every((_, axis) => orderOf(x, order).includes(axis));
    return isOrder && order.axes.length === x.shape.length
      ? undefined
      : `${given(x)} axes is [${order.axes}], it must name each of ${x.shape.length} axes once, from 0, or back from -1.`;
  },
  shape: ({ x }, order) => ({ y: { shape: orderOf(x, order).map((axis) => x.shape[axis] as number) } }),
  back({ x, dy }, { attributes, give, emit }) {
    const order = orderOf(x, attributes);
    give("x", () => emit(permute, { x: dy }, { axes: order.map((_, axis) => order.indexOf(axis)) }).y);
  },
  kernel: moveKernel("permute", ["x"], ({ tensors, attributes }) => {
    const { shape } = tensors.x as Tensor;
    const far = strides(shape);
    const order = orderOf(tensors.x as Tensor, attributes as Order);
    return [mapOf(order.map((axis) => ({ length: shape[axis]!, to: far[axis]! })))];
  }),
  takesEpilogue: true,
  moves: ({ axes }) => axes[0] !== 0 && axes[0] !== -axes.length,
});

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
function partOf(x: Tensor, shape: readonly number[], begin: readonly number[], stride: readonly number[] = []) {
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

type Repeats = { readonly repeats: readonly number[]; readonly each: boolean };

/** The axes of y, where each that is repeated is two: how often, which is `again`, and the numbers themselves. */
const tiled = ({ shape }: Tensor, { repeats, each }: Repeats) =>
  shape.flatMap((length, axis) => {
    const own = { length, to: strides(shape)[axis]!, again: false };
    const again = { length: repeats[axis]!, to: 0, again: true };
    return repeats[axis] === 1 ? [own] : each ? [own, again] : [again, own];
  });

/** y: x `repeats` times along each axis; with `each` every number by itself. */
export const tile: Op<"x", "y", Repeats> = defineOp({
  name: "tile",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { repeats: [undefined, checkRepeats], each: [false] },
  refuse: ({ x }, { repeats }: Repeats) => perAxis(x, "repeats", repeats),
  shape: ({ x }, { repeats }) => ({ y: { shape: x.shape.map((length, axis) => length * repeats[axis]!) } }),
  back({ x, dy }, { attributes, give, emit }) {
    const parts = tiled(x, attributes);
    const axes = [...parts.keys()].filter((axis) => parts[axis]?.again);
    give("x", () => {
      if (axes.length === 0) return dy;
      const apart = emit(reshape, { x: dy }, { shape: parts.map(({ length }) => length) }).y;
      return emit(sumOver, { x: apart }, { axes, shape: x.shape }).y;
    });
  },
  kernel: moveKernel("tile", ["x"], ({ tensors, attributes }) => [
    mapOf(tiled(tensors.x as Tensor, attributes as Repeats)),
  ]),
  takesEpilogue: true,
  moves: ({ repeats }) => repeats[0] !== 1,
});

type Along = { readonly axis: number };

const along = (axis: number, { shape }: Tensor): number => (axis < 0 ? axis + shape.length : axis);

/** An op that puts its inputs one after the other along an axis. A kernel has room for three. */
const joining = /* @__NO_SIDE_EFFECTS__ */ <const In extends string>(
  name: string,
  inputs: readonly In[],
): Op<In, "y", Along> => {
  type Given = { readonly [Name in In]: Tensor };
  const listed = (tensors: Given): Tensor[] => inputs.map((input) => tensors[input]);
  /** Where each begins. */
  const begins = (parts: readonly Tensor[], axis: number): number[] =>
    parts.map((_, i) => parts.slice(0, i).reduce((sum, { shape }) => sum + shape[axis]!, 0));
  return defineOp<In, "y", Along>({
    name,
    inputs,
    outputs: ["y"],
    attributes: { axis: [-1, checkAxis] },
    refuse(tensors, { axis }) {
      const parts = listed(tensors);
      const [first] = parts as [Tensor];
      const at = along(axis, first);
      if (first.shape[at] === undefined)
        return `${given(...parts)} There is no axis ${axis}; axes count from 0, or back from -1.`;
      const fits = parts.every(({ shape }) => String(shape.with(at, 0)) === String(first.shape.with(at, 0)));
      return fits ? undefined : `${given(...parts)} All axes but axis ${axis} must be equally long.`;
    },
    shape(tensors, { axis }) {
      const parts = listed(tensors);
      const at = along(axis, parts[0]!);
      return {
        y: {
          shape: parts[0]!.shape.with(
            at,
            parts.reduce((sum, { shape }) => sum + shape[at]!, 0),
          ),
        },
      } as never;
    },
    back(known, { attributes: { axis }, give, emit }) {
      const tensors = known as unknown as Given & { readonly dy: Tensor };
      const parts = listed(tensors);
      const at = along(axis, parts[0]!);
      for (const [i, first] of begins(parts, at).entries()) {
        const { shape } = parts[i]!;
        const begin = shape.map((_, other) => (other === at ? first : 0));
        const end = shape.map((length, other) => begin[other]! + length);
        give(inputs[i]!, () => emit(slice, { x: tensors.dy }, { begin, end, stride: [] }).y);
      }
    },
    kernel: moveKernel(name, inputs, ({ tensors, attributes }) => {
      const parts = inputs.map((input) => tensors[input] as Tensor);
      const at = along(attributes.axis as number, parts[0]!);
      const { shape } = tensors.y as Tensor;
      return begins(parts, at).map((first, i) =>
        partOf(
          parts[i]!,
          shape,
          shape.map((_, axis) => (axis === at ? first : 0)),
        ),
      );
    }),
    takesEpilogue: true,
  });
};

/** y: a, then b, along `axis`. */
export const concat = joining("concat", ["a", "b"]);

/** y: a, then b, then c, along `axis`. */
export const concat3 = joining("concat3", ["a", "b", "c"]);
