// Operators that change the shape, or take parts.

import { sizeOf } from "../../foreign/strided.ts";
import { concatenate, embedding, ops, type Scope, type Value } from "../../index.ts";
import { checkSize, host, INT64, reshaped, transposed } from "../host.ts";
import {
  type About,
  arrange,
  beside,
  constant,
  dimsOf,
  flowing,
  hostAt,
  inputOf,
  isHost,
  isLive,
  type Known,
  type Live,
  needed,
  plain,
  type Row,
  type Step,
  stepOf,
  tiled,
  view,
  weight,
  z,
} from "../live.ts";
import { axesOf, axisAsked, chosen, expectCount, inOrder, listOf, type Node, refuse } from "../node.ts";
import {
  axesAsked,
  type Cut,
  cutsOf,
  flattened,
  isWhole,
  joint,
  partsOf,
  placesOf,
  reshapeTarget,
  squeezedAxes,
  unsqueezed,
  unsqueezedAxes,
} from "../shapes.ts";
import { brought, commonOrder, several, stops } from "./elementwise.ts";

/** The same numbers under another shape, in ONNX's order. */
const reshaping = (x: Known, dims: readonly number[]): Known | Step =>
  isHost(x)
    ? reshaped(x, dims)
    : String(dims) === String(dimsOf(x))
      ? x
      : stepOf(x, (scope, value) => view(scope, value, dims), inOrder(x.order.length), {
          orders: [inOrder(dims.length)],
        });

/**
 * Where the file says how many samples there are, and the network is to take any number, a first length that is that number, or 1, stands
 * for the batch where the numbers do not fit otherwise.
 */
function freed(target: readonly number[], dims: readonly number[], { told, free, batch }: About): readonly number[] {
  if (!free || told === undefined || told === batch || target[0] !== told || dims[0] !== batch) return target;
  const fits =
    !target.includes(-1) &&
    sizeOf(target.map((length, i) => (length === 0 ? (dims[i] ?? 1) : length))) === sizeOf(dims);
  return fits ? target : [batch, ...target.slice(1)];
}

const reshape: Row = (node, ins, about) => {
  const x = needed(node, ins, 0, "input");
  const dims = dimsOf(x);
  const target = listOf(hostAt(node, ins, 1, "shape"));
  return reshaping(x, reshapeTarget(node, dims, isHost(x) ? target : freed(target, dims, about)));
};

/** Axes of length 1 go, or come, without a change of order among the others. */
const squeeze: Row = (node, ins) => {
  const x = needed(node, ins, 0, "input");
  const dims = dimsOf(x);
  const axes = squeezedAxes(node, dims, constant(node, ins[1], "axes"));
  const left = inOrder(dims.length).filter((axis) => !axes.includes(axis));
  if (isHost(x))
    return reshaping(
      x,
      left.map((axis) => dims[axis] as number),
    );
  const places = x.order.flatMap((axis, place) => (axes.includes(axis) ? [] : [place]));
  const run = (scope: Scope, value: Value): Value =>
    view(
      scope,
      value,
      places.map((place) => value.shape[place] as number),
    );
  return stepOf(x, run, x.order, {
    orders: [places.map((place) => left.indexOf(x.order[place] as number))],
  });
};

const unsqueeze: Row = (node, ins) => {
  const x = needed(node, ins, 0, "input");
  const axes = unsqueezedAxes(node, dimsOf(x), constant(node, ins[1], "axes"));
  if (isHost(x)) return reshaping(x, unsqueezed(x.dims, axes));
  const rank = x.order.length + axes.length;
  const old = inOrder(rank).filter((axis) => !axes.includes(axis));
  // New axes come last, but for images, whose channels stay there.
  const kept = x.order.map((axis) => old[axis] as number);
  const isPlain = x.order.every((axis, place) => axis === place);
  const order = isPlain ? inOrder(rank) : [...kept.slice(0, -1), ...axes, ...kept.slice(-1)];
  const run = (scope: Scope, value: Value): Value => {
    const { shape } = value;
    const whole = isPlain
      ? unsqueezed(x.order.length === 0 ? [] : shape, axes)
      : [...shape.slice(0, -1), ...axes.map(() => 1), ...shape.slice(-1)];
    return view(scope, value, whole);
  };
  return stepOf(x, run, x.order, { orders: [order] });
};

/** Only the names of axes change. */
const transpose: Row = (node, ins) => {
  const x = needed(node, ins, 0, "input");
  const rank = dimsOf(x).length;
  const perm = axesOf(node, node.ints("perm") ?? inOrder(rank).reverse(), rank);
  if (new Set(perm).size !== rank)
    refuse(node, `its perm is [${perm}], which does not name each of ${rank} axes once.`);
  return isHost(x) ? transposed(x, perm) : { ...x, order: x.order.map((axis) => perm.indexOf(axis)) };
};

/** One axis so many times. */
const repeated = (scope: Scope, x: Value, place: number, times: number): Value =>
  tiled(
    scope,
    x,
    x.shape.map((_, i) => (i === place ? times : 1)),
  );

const concat: Row = (node, ins, about) => {
  const given = ins.map((_, i) => needed(node, ins, i, "part"));
  const order = commonOrder(given);
  const axis = axisAsked(node, order.length);
  const run = (scope: Scope, values: readonly Value[]): Value => {
    const parts = values.map((x) => view(scope, x, [...order.slice(x.shape.length).map(() => 1), ...x.shape]));
    // A file of one sample joins with constants of one, where there may be several.
    const first = order.indexOf(0);
    const isOne =
      about.free && about.told === 1 && axis !== 0 && parts.some(({ shape }) => shape[first] === about.batch);
    const most = isOne ? about.batch : 1;
    const whole = parts.map((part) => (part.shape[first] === 1 ? repeated(scope, part, first, most) : part));
    return whole.length === 1 ? (whole[0] as Value) : concatenate(scope, whole, order.indexOf(axis));
  };
  return several(node, given, about, run, true);
};

/** Part of a value along places. */
function taken(scope: Scope, x: Value, cuts: readonly Cut[]): Value {
  if (isWhole(cuts, x.shape)) return x;
  const end = cuts.map(({ begin, step, count }) => {
    const last = begin + step * count;
    return last < 0 ? Number.NEGATIVE_INFINITY : last;
  });
  return scope.op(
    ops.slice,
    { x },
    { begin: cuts.map(({ begin }) => begin), end, stride: cuts.map(({ step }) => step) },
  ).y;
}

/** Part along one place. */
export function range(scope: Scope, x: Value, place: number, begin: number, count: number, step = 1): Value {
  return taken(
    scope,
    x,
    x.shape.map((length, i) => (i === place ? { begin, step, count } : { begin: 0, step: 1, count: length })),
  );
}

const slice: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const dims = dimsOf(x);
  const cuts = cutsOf(
    node,
    dims,
    ins.map((one, i) => (i === 0 ? undefined : constant(node, one, "range"))),
  );
  if (isWhole(cuts, dims)) return x;
  return stepOf(x, (scope, value) =>
    taken(
      scope,
      value,
      x.order.map((axis) => cuts[axis] as Cut),
    ),
  );
};

const split: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const dims = dimsOf(x);
  const axis = axisAsked(node, dims.length);
  const sizes = partsOf(node, dims[axis] as number, constant(node, ins[1], "split"));
  const place = x.order.indexOf(axis);
  const begin = (i: number): number => sizes.slice(0, i).reduce((a, b) => a + b, 0);
  return stepOf(x, (scope, value) => sizes.map((size, i) => range(scope, value, place, begin(i), size)), x.order, {
    orders: sizes.map(() => x.order),
  });
};

/** Numbers along one axis by a matrix [length, made], row-major, which is kept as a state: whatever is a fixed sum of numbers along it. */
export function along(
  scope: Scope,
  x: Value,
  place: number,
  name: string,
  made: number,
  matrix: () => Float32Array<ArrayBuffer>,
): Value {
  const rank = x.shape.length;
  const length = x.shape[place] as number;
  const last = [...inOrder(rank).filter((at) => at !== place), place];
  const moved = arrange(scope, x, inOrder(rank), last);
  const rows = view(scope, moved, [sizeOf(moved.shape) / length, length]);
  const b = scope.state(name, [length, made], matrix);
  const y = view(scope, scope.op(ops.matmul, { a: rows, b }).c, [...moved.shape.slice(0, -1), made]);
  return arrange(scope, y, last, inOrder(rank));
}

/** Runs of neighbours up to which numbers are taken by slices. */
const MOST_RUNS = 4;

/** Numbers at these places along an axis: runs forwards, backwards or of one place again and again. */
export function picked(scope: Scope, x: Value, place: number, places: readonly number[], name: string): Value {
  const length = x.shape[place] as number;
  if (places.length === length && places.every((at, i) => at === i)) return x;
  const runs: { readonly begin: number; step: number; count: number }[] = [];
  for (const at of places) {
    const run = runs.at(-1);
    const by = run === undefined ? 2 : at - run.begin - run.step * (run.count - 1);
    if (run !== undefined && (run.count > 1 ? by === run.step : Math.abs(by) <= 1)) {
      run.step = by;
      run.count++;
    } else runs.push({ begin: at, step: 0, count: 1 });
  }
  if (runs.length <= MOST_RUNS) {
    const parts = runs.map(({ begin, step, count }) =>
      step === 0
        ? repeated(scope, range(scope, x, place, begin, 1), place, count)
        : range(scope, x, place, begin, count, step),
    );
    return parts.length === 1 ? (parts[0] as Value) : concatenate(scope, parts, place);
  }
  checkSize(`"${scope.path}"`, [length, places.length]);
  return along(scope, x, place, name, places.length, () =>
    Float32Array.from(inOrder(length).flatMap((from) => places.map((at) => Number(at === from)))),
  );
}

const gather: Row = (node, ins, about) => {
  const data = needed(node, ins, 0, "data");
  const indices = needed(node, ins, 1, "indices");
  const dims = dimsOf(data);
  const axis = axisAsked(node, dims.length);
  const length = dims[axis] as number;
  if (isLive(indices)) return lookUp(node, data, indices, axis, about);
  const x = flowing(node, data, "data");
  const places = placesOf(node, listOf(indices), axis, length);
  const place = x.order.indexOf(axis);
  const rank = indices.dims.length;
  const order =
    rank === 0
      ? x.order.filter((one) => one !== axis).map((one) => (one > axis ? one - 1 : one))
      : rank === 1
        ? x.order
        : inOrder(dims.length - 1 + rank);
  const run = (scope: Scope, value: Value): Value => {
    const at = rank > 1 ? axis : place;
    const y = picked(scope, rank > 1 ? plain(scope, value, x) : value, at, places, "places");
    return view(scope, y, [...y.shape.slice(0, at), ...indices.dims, ...y.shape.slice(at + 1)]);
  };
  return stepOf(x, run, x.order, { orders: [order] });
};

/** 0, 1, 2, ...: numbers of rows. */
export const numbers = (scope: Scope, count: number): Value =>
  scope.state("rows", [count], () => Float32Array.from(inOrder(count)));

/** Rows of a table by numbers that flow. */
function lookUp(node: Node, table: Known, ids: Live, axis: number, about: About): Step {
  const dims = dimsOf(table);
  if (axis !== 0 || dims.length !== 2)
    refuse(node, `it takes from [${dims}] along axis ${axis} by numbers of the network; axis 0 of 2 is read.`);
  const [rows, units] = dims as [number, number];
  const takes = isLive(table) ? [ids, table] : [ids];
  const weights = isHost(table) ? { weight: weight(node, table, about) } : {};
  const tableOf = (scope: Scope, values: readonly Value[]): Value =>
    isLive(table) ? plain(scope, values[1] as Value, table) : scope.parameter("weight", [rows, units], "zeros");
  return {
    ...{ kind: "embedding", takes, weights, type: table.type },
    stops,
    orders: [[...ids.order, ids.order.length]],
    run(scope, values) {
      const given = values[0] as Value;
      if (ids.ids)
        return embedding(rows, units).apply(
          isLive(table) ? beside(scope, { parameter: () => tableOf(scope, values) }) : scope,
          given,
        );
      // Numbers that were reckoned: each is held against all rows.
      const x = view(scope, given, [sizeOf(given.shape), 1]);
      const chosen = z(scope, "equal", x, numbers(scope, rows));
      const y = scope.op(ops.matmul, { a: chosen, b: tableOf(scope, values) }).c;
      return view(scope, y, [...given.shape, units]);
    },
  };
}

/** What stands beside an axis: the place along it of one before its begin or behind its end. */
const borders: Readonly<Record<string, (place: number, last: number) => number>> = {
  constant: (place) => place,
  edge: (place, last) => Math.min(Math.max(place, 0), last),
  reflect: (place, last) => last - Math.abs(last - Math.abs(place)),
};

const pad: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const dims = dimsOf(x);
  const rank = dims.length;
  const given = expectCount(node, "pads", axesAsked(node, constant(node, ins[1], "pads"), "pads"), 2 * rank);
  const value = ins[2] === undefined ? node.float("value", 0) : (constant(node, ins[2], "value")?.data[0] ?? 0);
  const mode = node.text("mode", "constant");
  const border = chosen(node, "mode", mode, borders);
  const around = [0, rank].map((side) => x.order.map((axis) => given[axis + side] as number)) as [number[], number[]];
  const [before, after] = around.map((counts) => counts.map((count) => Math.max(count, 0))) as [number[], number[]];
  const places = x.order.map((axis, at) => {
    const length = dims[axis] as number;
    const [front, back] = around.map((counts) => counts[at] as number) as [number, number];
    if (mode === "reflect" && Math.max(front, back) >= length)
      refuse(node, `it reflects ${Math.max(front, back)} of an axis of ${length}.`);
    const isCut = mode === "constant";
    const begin = isCut ? Math.max(-front, 0) : -front;
    const count = Math.max(length - begin + (isCut ? Math.min(back, 0) : back), 0);
    if (begin === 0 && count === length) return undefined;
    checkSize(node.place, [count]);
    return inOrder(count).map((i) => border(i + begin, length - 1));
  });
  return stepOf(x, (scope, given) => {
    const y = places.reduce((y, list, place) => (list ? picked(scope, y, place, list, `axis${place}`) : y), given);
    if (mode !== "constant" || [...before, ...after].every((count) => count === 0)) return y;
    return scope.op(ops.pad, { x: y }, { before, after, value }).y;
  });
};

const tile: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const times = listOf(hostAt(node, ins, 1, "repeats"));
  const repeats = x.order.map((axis) => times[axis] as number);
  return stepOf(x, (scope, value) => tiled(scope, value, repeats));
};

const expand: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const dims = dimsOf(x);
  const target = joint(node, dims, listOf(hostAt(node, ins, 1, "shape")));
  if (String(target) === String(dims)) return x;
  const order = target.length === dims.length ? x.order : inOrder(target.length);
  const run = (scope: Scope, value: Value): Value => {
    const y = brought(scope, value, x, order);
    const repeats = order.map((axis, place) => (target[axis] as number) / (y.shape[place] as number));
    return tiled(scope, y, repeats);
  };
  return stepOf(x, run, x.order, { orders: [order] });
};

/** Blocks between channels and pixels, in ONNX's order of axes. */
const blocks =
  (
    of: (
      node: Node,
      dims: readonly number[],
      block: number,
    ) => { readonly apart: readonly number[]; readonly axes: readonly number[]; readonly made: readonly number[] },
  ): Row =>
  (node, ins) => {
    const x = inputOf(node, ins);
    const dims = dimsOf(x);
    const block = node.int("blocksize", 0);
    const { apart, axes, made } = of(node, dims, block);
    if (dims.length !== 4 || !apart.every((length) => Number.isInteger(length) && length > 0))
      refuse(node, `it is given [${dims}]; images that blocks of ${block} fill are read.`);
    return stepOf(
      x,
      (scope, value) => view(scope, scope.op(ops.permute, { x: view(scope, value, apart) }, { axes }).y, made),
      inOrder(4),
    );
  };

const toSpace = blocks((node, dims, block) => {
  const [batch, channels, height, width] = dims as [number, number, number, number];
  const kept = channels / (block * block);
  const byRow = node.text("mode", "DCR") === "DCR";
  return {
    apart: byRow ? [batch, block, block, kept, height, width] : [batch, kept, block, block, height, width],
    axes: byRow ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3],
    made: [batch, kept, height * block, width * block],
  };
});

const toDepth = blocks((_, dims, block) => {
  const [batch, channels, height, width] = dims as [number, number, number, number];
  return {
    apart: [batch, channels, height / block, block, width / block, block],
    axes: [0, 3, 5, 1, 2, 4],
    made: [batch, channels * block * block, height / block, width / block],
  };
});

const shape: Row = (node, ins) => {
  const dims = dimsOf(needed(node, ins, 0, "input"));
  const part = dims.slice(node.int("start", 0), node.int("end", dims.length));
  return host([part.length], part, INT64);
};

/** Rows of a table by numbers that stood as rows with a 1 in one place: a group that is recognised. */
const oneHotRows: Row = (node, ins, about) =>
  lookUp(node, needed(node, ins, 1, "table"), flowing(node, ins[0], "numbers"), 0, about);

export const move: Readonly<Record<string, Row>> = {
  Concat: concat,
  DepthToSpace: toSpace,
  Expand: expand,
  Flatten: (node, ins) => {
    const x = needed(node, ins, 0, "input");
    return reshaping(x, flattened(node, dimsOf(x)));
  },
  Gather: gather,
  OneHotRows: oneHotRows,
  Pad: pad,
  Reshape: reshape,
  Shape: shape,
  Size: (node, ins) => host([], [sizeOf(dimsOf(needed(node, ins, 0, "input")))], INT64),
  Slice: slice,
  SpaceToDepth: toDepth,
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
