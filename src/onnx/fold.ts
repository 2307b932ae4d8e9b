// Operators on numbers that are known while the file is read: the arithmetic of shapes above all, in plain numbers. Whatever is given
// nothing but constants is reckoned here and leaves nothing in the model. One row for each operator; those that only call numbers by
// another shape or order do so in their rows for values.

import { rowMajor, sizeOf } from "../foreign/strided.ts";
import {
  BOOL,
  checkSize,
  FLOAT,
  filled,
  gathered,
  type Host,
  host,
  INT64,
  isFloat,
  reshaped,
  transposed,
} from "./host.ts";
import { axisAsked, checkOperands, chosen, expectDims, inOrder, listOf, type Node, refuse } from "./node.ts";
import { type Cut, cutsOf, joint, partsOf, placesOf, reducedAxes } from "./shapes.ts";

export type Fold = (node: Node, ins: readonly Host[]) => Host | readonly Host[];

const rounded = (type: number, value: number): number =>
  isFloat(type) ? (type === 11 ? value : Math.fround(value)) : value;

/** Repeated to a shape, as in NumPy; `most`: how many numbers there are already. */
export function expanded(node: Node, given: Host, dims: readonly number[], most = given.data.length): Host {
  const full = joint(node, given.dims, dims);
  checkSize(node.place, full, most);
  const far = rowMajor(given.dims);
  const shift = full.length - given.dims.length;
  const steps = full.map((_, i) => (i < shift || given.dims[i - shift] === 1 ? 0 : (far[i - shift] as number)));
  return { ...given, dims: full, data: gathered(given.data, full, steps), name: undefined };
}

const pairwise =
  (of: (x: number, y: number, type: number) => number, type?: number): Fold =>
  (node, ins) => {
    checkOperands(node);
    return ins.reduce((left, right) => {
      const dims = joint(node, left.dims, right.dims);
      const most = Math.max(left.data.length, right.data.length);
      const [{ data: a }, { data: b }] = [expanded(node, left, dims, most), expanded(node, right, dims, most)];
      const made = type ?? left.type;
      return filled(dims, made, (i) => rounded(made, of(a[i] as number, b[i] as number, left.type)));
    });
  };

const each =
  (of: (x: number) => number, type?: number): Fold =>
  (_, [x]) => {
    const { dims, data, type: own } = x as Host;
    const made = type ?? own;
    return filled(dims, made, (i) => rounded(made, of(data[i] as number)));
  };

const reduction =
  (
    start: number,
    add: (sum: number, x: number) => number,
    finish: (sum: number, count: number) => number = (sum) => sum,
  ): Fold =>
  (node, [given, input]) => {
    const x = given as Host;
    const axes = reducedAxes(node, x.dims.length, input);
    if (axes === undefined) return x;
    const keep = node.int("keepdims", 1) === 1;
    const order = inOrder(x.dims.length).filter((axis) => !axes.includes(axis));
    const sorted = transposed(x, [...order, ...axes]);
    const terms = sizeOf(axes.map((axis) => x.dims[axis] as number));
    const kept = x.dims.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const dims = keep ? kept : order.map((axis) => x.dims[axis] as number);
    return filled(dims, x.type, (i) => {
      let sum = start;
      for (let k = 0; k < terms; k++) sum = add(sum, sorted.data[i * terms + k] as number);
      return rounded(x.type, finish(sum, terms));
    });
  };

const whole = (type: number, value: number): number =>
  type === BOOL ? (value === 0 ? 0 : 1) : isFloat(type) ? rounded(type, value) : Math.trunc(value);

/** Parts along an axis, one after the other. */
export function concatenated(node: Node, ins: readonly Host[], axis: number): Host {
  const [first] = ins as [Host];
  for (const { dims } of ins) {
    if (dims.length !== first.dims.length || dims.some((length, i) => i !== axis && length !== first.dims[i]))
      refuse(node, `it joins [${first.dims}] and [${dims}] along axis ${axis}, which differ along another.`);
  }
  const dims = first.dims.map((length, i) =>
    i === axis ? ins.reduce((sum, one) => sum + (one.dims[axis] as number), 0) : length,
  );
  // Weights of the file may be joined; what was made here may double no further.
  checkSize(
    node.place,
    dims,
    ins.reduce((sum, { name, data }) => sum + (name === undefined ? 0 : data.length), 0),
  );
  const rows = ins.map((one) => sizeOf(one.dims.slice(axis)));
  const all = sizeOf(dims.slice(axis));
  return filled(dims, first.type, (i) => {
    let [at, k] = [i % all, 0];
    while (at >= (rows[k] as number)) at -= rows[k++] as number;
    return ins[k]?.data[Math.floor(i / all) * (rows[k] as number) + at] as number;
  });
}

const sliced = (x: Host, cuts: readonly Cut[]): Host => {
  const far = rowMajor(x.dims);
  const dims = cuts.map(({ count }) => count);
  const first = cuts.reduce((sum, { begin }, axis) => sum + begin * (far[axis] as number), 0);
  const steps = cuts.map(({ step }, axis) => step * (far[axis] as number));
  return host(dims, gathered(x.data, dims, steps, first), x.type);
};

export const folds: Readonly<Record<string, Fold>> = {
  ...Object.fromEntries(
    ["Abs", "Ceil", "Exp", "Floor", "Log", "Sign", "Sqrt"].map((name) => [
      name,
      each(Math[name.toLowerCase() as "abs"]),
    ]),
  ),
  Add: pairwise((x, y) => x + y),
  And: pairwise((x, y) => x * y, BOOL),
  Cast: (node, [x]) => {
    const type = node.int("to", FLOAT);
    const { dims, data, name } = x as Host;
    // The weights of a half precision file are weights all the same.
    const made = filled(dims, type, (i) => whole(type, data[i] as number));
    return { ...made, name: isFloat(type) ? name : undefined };
  },
  Clip: (node, [x, least, most]) => {
    const low = least?.data[0] ?? node.float("min", Number.NEGATIVE_INFINITY);
    const high = most?.data[0] ?? node.float("max", Number.POSITIVE_INFINITY);
    return each((value) => Math.min(Math.max(value, low), high))(node, [x as Host]);
  },
  Concat: (node, ins) => concatenated(node, ins, axisAsked(node, (ins[0] as Host).dims.length)),
  Constant(node) {
    const list = node.ints("value_ints") ?? node.floats("value_floats");
    const tensor = node.tensor("value");
    if (tensor !== undefined) return tensor;
    if (list !== undefined) return host([list.length], list, node.has("value_ints") ? INT64 : FLOAT);
    if (node.has("value_int")) return host([], [node.int("value_int", 0)], INT64);
    if (node.has("value_float")) return host([], [node.float("value_float", 0)]);
    return refuse(node, "it has no value that is read.");
  },
  ConstantOfShape(node, [shape]) {
    const value = node.tensor("value");
    const dims = listOf(shape as Host);
    checkSize(node.place, dims);
    return filled(dims, value?.type ?? FLOAT, () => value?.data[0] ?? 0);
  },
  Div: pairwise((x, y, type) => (isFloat(type) ? x / y : Math.trunc(x / y))),
  Equal: pairwise((x, y) => (x === y ? 1 : 0), BOOL),
  Expand: (node, [x, shape]) => expanded(node, x as Host, listOf(shape as Host)),
  Gather(node, [data, indices]) {
    const { dims, data: values, type } = data as Host;
    const axis = axisAsked(node, dims.length);
    const length = dims[axis] as number;
    const places = placesOf(node, listOf(indices as Host), axis, length);
    const inner = sizeOf(dims.slice(axis + 1));
    const shape = [...dims.slice(0, axis), ...(indices as Host).dims, ...dims.slice(axis + 1)];
    checkSize(node.place, shape, values.length);
    return filled(shape, type, (i) => {
      const row = Math.floor(i / inner);
      const before = Math.floor(row / places.length) * length;
      return values[(before + (places[row % places.length] as number)) * inner + (i % inner)] as number;
    });
  },
  Greater: pairwise((x, y) => (x > y ? 1 : 0), BOOL),
  GreaterOrEqual: pairwise((x, y) => (x >= y ? 1 : 0), BOOL),
  Less: pairwise((x, y) => (x < y ? 1 : 0), BOOL),
  LessOrEqual: pairwise((x, y) => (x <= y ? 1 : 0), BOOL),
  Max: pairwise((x, y) => Math.max(x, y)),
  Min: pairwise((x, y) => Math.min(x, y)),
  Mod: (node, ins) => pairwise((x, y) => (node.int("fmod", 0) === 1 ? x % y : x - y * Math.floor(x / y)))(node, ins),
  Mul: pairwise((x, y) => x * y),
  Neg: each((x) => -x),
  Not: each((x) => (x === 0 ? 1 : 0), BOOL),
  Or: pairwise((x, y) => (x + y > 0 ? 1 : 0), BOOL),
  Pow: pairwise((x, y) => x ** y),
  Range(node, [start, limit, delta]) {
    const [from, to, by] = [start, limit, delta].map((one) => one?.data[0] ?? 0) as [number, number, number];
    const count = Math.max(0, Math.ceil((to - from) / by));
    checkSize(node.place, [count]);
    return filled([count], (start as Host).type, (i) => from + i * by);
  },
  Reciprocal: each((x) => 1 / x),
  ReduceMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  ReduceMean: reduction(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  ReduceMin: reduction(Number.POSITIVE_INFINITY, Math.min),
  ReduceProd: reduction(1, (product, x) => product * x),
  ReduceSum: reduction(0, (sum, x) => sum + x),
  Round: each((x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))),
  ScatterND(node, [data, indices, updates]) {
    const { dims, data: values, type } = data as Host;
    const depth = (indices as Host).dims.at(-1) ?? 0;
    const far = rowMajor(dims);
    const inner = sizeOf(dims.slice(depth));
    const made = Float64Array.from(values);
    const ways: Readonly<Record<string, (before: number, update: number) => number>> = {
      none: (_, update) => update,
      add: (before, update) => before + update,
      mul: (before, update) => before * update,
    };
    const way = chosen(node, "reduction", node.text("reduction", "none"), ways);
    const places = (indices as Host).dims.slice(0, -1);
    expectDims(node, "updates", (updates as Host).dims, [...places, ...dims.slice(depth)]);
    for (let i = 0; i < sizeOf(places); i++) {
      let at = 0;
      for (let k = 0; k < depth; k++) {
        const [place] = placesOf(node, [(indices as Host).data[i * depth + k] as number], k, dims[k] as number);
        at += (place as number) * (far[k] as number);
      }
      for (let k = 0; k < inner; k++) {
        const update = (updates as Host).data[i * inner + k] as number;
        made[at + k] = way(made[at + k] as number, update);
      }
    }
    return host(dims, made, type);
  },
  Slice(node, ins) {
    const x = ins[0] as Host;
    const cuts = cutsOf(node, x.dims, ins);
    return sliced(x, cuts);
  },
  Split(node, [given, input]) {
    const x = given as Host;
    const axis = axisAsked(node, x.dims.length);
    let begin = 0;
    return partsOf(node, x.dims[axis] as number, input).map((count) => {
      const made = sliced(
        x,
        x.dims.map((all, at) => (at === axis ? { begin, step: 1, count } : { begin: 0, step: 1, count: all })),
      );
      begin += count;
      return made;
    });
  },
  Sub: pairwise((x, y) => x - y),
  Sum: pairwise((x, y) => x + y),
  Tile(node, [given, repeats]) {
    const { dims } = given as Host;
    const times = dims.map((_, axis) => listOf(repeats as Host)[axis] ?? 1);
    const apart = reshaped(
      given as Host,
      dims.flatMap((length) => [1, length]),
    );
    const all = expanded(
      node,
      apart,
      dims.flatMap((length, axis) => [times[axis] as number, length]),
    );
    return reshaped(
      all,
      dims.map((length, axis) => length * (times[axis] as number)),
    );
  },
  Trilu(node, [given, diagonal]) {
    const x = given as Host;
    const [rows, columns] = x.dims.slice(-2) as [number, number];
    const [k, upper] = [diagonal?.data[0] ?? 0, node.int("upper", 1) === 1];
    const kept = (i: number): boolean => {
      const beyond = (i % columns) - (Math.floor(i / columns) % rows);
      return upper ? beyond >= k : beyond <= k;
    };
    return filled(x.dims, x.type, (i) => (kept(i) ? (x.data[i] as number) : 0));
  },
  Where(node, [condition, x, y]) {
    const dims = joint(node, joint(node, (condition as Host).dims, (x as Host).dims), (y as Host).dims);
    const [c, a, b] = [condition, x, y].map((one) => expanded(node, one as Host, dims).data) as [
      ArrayLike<number>,
      ArrayLike<number>,
      ArrayLike<number>,
    ];
    return filled(dims, (x as Host).type, (i) => (c[i] === 0 ? b[i] : a[i]) as number);
  },
};

/** Operators whose result is the same numbers in another shape or order, a weight if it was one, and those that look at shapes alone. */
export const keepsWeights: ReadonlySet<string> = new Set(
  "Cast Flatten Identity Reshape Shape Size Squeeze Transpose Unsqueeze".split(" "),
);
