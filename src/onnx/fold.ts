// Operators on numbers that are known while the file is read: the arithmetic of shapes above all, in plain numbers. Whatever is given
// nothing but constants is reckoned here and leaves nothing in the model. One row for each operator; those that only call numbers by
// another shape or order do so in their rows for values.

import { rowMajor, sizeOf } from "../foreign/strided.ts";
import { BOOL, checkSize, FLOAT, gathered, type Host, host, INT64, isFloat, transposed } from "./host.ts";
import { axisOf, chosen, expectDims, listOf, type Node, refuse } from "./node.ts";
import { cutsOf, joint, partsOf, placesOf, reducedAxes } from "./shapes.ts";

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
  (node, ins) =>
    ins.slice(1).reduce((left, right) => {
      const dims = joint(node, left.dims, right.dims);
      const most = Math.max(left.data.length, right.data.length);
      const [a, b] = [expanded(node, left, dims, most), expanded(node, right, dims, most)];
      const made = type ?? left.type;
      return host(
        dims,
        Float64Array.from({ length: sizeOf(dims) }, (_, i) =>
          rounded(made, of(a.data[i] as number, b.data[i] as number, left.type)),
        ),
        made,
      );
    }, ins[0] as Host);

const each =
  (of: (x: number, node: Node) => number, type?: number): Fold =>
  (node, [x]) => {
    const made = type ?? (x as Host).type;
    return host(
      (x as Host).dims,
      Float64Array.from((x as Host).data, (value) => rounded(made, of(value, node))),
      made,
    );
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
    const order = [...x.dims.keys()].filter((axis) => !axes.includes(axis));
    const sorted = transposed(x, [...order, ...axes]);
    const terms = sizeOf(axes.map((axis) => x.dims[axis] as number));
    const kept = x.dims.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const dims = keep ? kept : order.map((axis) => x.dims[axis] as number);
    const data = Float64Array.from({ length: sizeOf(dims) }, (_, i) => {
      let sum = start;
      for (let k = 0; k < terms; k++) sum = add(sum, sorted.data[i * terms + k] as number);
      return rounded(x.type, finish(sum, terms));
    });
    return host(dims, data, x.type);
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
  const data = new Float64Array(sizeOf(dims));
  const outer = sizeOf(dims.slice(0, axis));
  let at = 0;
  for (let i = 0; i < outer; i++) {
    for (const one of ins) {
      const row = sizeOf(one.dims.slice(axis));
      for (let k = 0; k < row; k++) data[at++] = one.data[i * row + k] as number;
    }
  }
  return host(dims, data, first.type);
}

export const folds: Readonly<Record<string, Fold>> = {
  ...Object.fromEntries(
    (["abs", "ceil", "exp", "floor", "log", "sign", "sqrt"] as const).map((name) => [
      `${(name[0] as string).toUpperCase()}${name.slice(1)}`,
      each((value) => Math[name](value)),
    ]),
  ),
  Add: pairwise((x, y) => x + y),
  And: pairwise((x, y) => x * y, BOOL),
  Cast: (node, [x]) => {
    const type = node.int("to", FLOAT);
    const { dims, data, name } = x as Host;
    // The weights of a half precision file are weights all the same.
    return {
      ...host(
        dims,
        Float64Array.from(data, (value) => whole(type, value)),
        type,
      ),
      name: isFloat(type) ? name : undefined,
    };
  },
  Clip: (node, [x, least, most]) => {
    const low = least?.data[0] ?? node.float("min", Number.NEGATIVE_INFINITY);
    const high = most?.data[0] ?? node.float("max", Number.POSITIVE_INFINITY);
    return each((value) => Math.min(Math.max(value, low), high))(node, [x as Host]);
  },
  Concat: (node, ins) => concatenated(node, ins, axisOf(node, node.int("axis", 0), (ins[0] as Host).dims.length)),
  Constant(node) {
    const list = node.ints("value_ints") ?? node.floats("value_floats");
    const tensor = node.tensor("value");
    if (tensor !== undefined) return tensor;
    if (list !== undefined) return host([list.length], list, node.has("value_ints") ? INT64 : FLOAT);
    if (node.has("value_int")) return host([], [node.int("value_int", 0)], INT64);
    if (node.has("value_float")) return host([], [node.float("value_float", 0)]);
    return refuse(node, "it has no value that is a tensor or numbers.");
  },
  ConstantOfShape(node, [shape]) {
    const value = node.tensor("value");
    const dims = listOf(shape as Host);
    checkSize(node.place, dims);
    return host(dims, new Float64Array(sizeOf(dims)).fill(value?.data[0] ?? 0), value?.type ?? FLOAT);
  },
  Div: pairwise((x, y, type) => (isFloat(type) ? x / y : Math.trunc(x / y))),
  Equal: pairwise((x, y) => (x === y ? 1 : 0), BOOL),
  Expand: (node, [x, shape]) => expanded(node, x as Host, listOf(shape as Host)),
  Gather(node, [data, indices]) {
    const { dims, data: values, type } = data as Host;
    const axis = axisOf(node, node.int("axis", 0), dims.length);
    const length = dims[axis] as number;
    const places = placesOf(node, indices as Host, axis, length);
    const [outer, inner] = [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis + 1))];
    const shape = [...dims.slice(0, axis), ...(indices as Host).dims, ...dims.slice(axis + 1)];
    checkSize(node.place, shape, values.length);
    const made = new Float64Array(sizeOf(shape));
    let to = 0;
    for (let i = 0; i < outer; i++)
      for (const place of places)
        for (let k = 0; k < inner; k++) made[to++] = values[(i * length + place) * inner + k] as number;
    return host(shape, made, type);
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
    return host(
      [count],
      Float64Array.from({ length: count }, (_, i) => from + i * by),
      (start as Host).type,
    );
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
      ...{
        none: (_, update) => update,
        add: (before, update) => before + update,
        mul: (before, update) => before * update,
      },
    };
    const way = chosen(node, "reduction", node.text("reduction", "none"), ways);
    const places = (indices as Host).dims.slice(0, -1);
    const count = sizeOf(places);
    expectDims(node, "updates", (updates as Host).dims, [...places, ...dims.slice(depth)]);
    for (let i = 0; i < count; i++) {
      let at = 0;
      for (let k = 0; k < depth; k++) {
        const [given, length] = [(indices as Host).data[i * depth + k] as number, dims[k] as number];
        const place = given < 0 ? given + length : given;
        if (!(place >= 0 && place < length)) refuse(node, `it writes to number ${given} of an axis of ${length}.`);
        at += place * (far[k] as number);
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
    const far = rowMajor(x.dims);
    const dims = cuts.map(({ count }) => count);
    const first = cuts.reduce((sum, { begin }, axis) => sum + begin * (far[axis] as number), 0);
    return host(
      dims,
      gathered(
        x.data,
        dims,
        cuts.map(({ step }, axis) => step * (far[axis] as number)),
        first,
      ),
      x.type,
    );
  },
  Split(node, [given, input]) {
    const x = given as Host;
    const axis = axisOf(node, node.int("axis", 0), x.dims.length);
    const far = rowMajor(x.dims);
    let from = 0;
    return partsOf(node, x.dims[axis] as number, input).map((count) => {
      const dims = x.dims.with(axis, count);
      const made = host(dims, gathered(x.data, dims, far, from * (far[axis] as number)), x.type);
      from += count;
      return made;
    });
  },
  Sub: pairwise((x, y) => x - y),
  Sum: pairwise((x, y) => x + y),
  Tile(node, [given, repeats]) {
    const x = given as Host;
    const times = listOf(repeats as Host);
    checkSize(
      node.place,
      x.dims.map((length, axis) => length * (times[axis] ?? 1)),
      x.data.length,
    );
    return x.dims.reduce(
      (made: Host, _, axis) => concatenated(node, new Array<Host>(times[axis] as number).fill(made), axis),
      x,
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
    return host(
      x.dims,
      Float64Array.from(x.data, (value, i) => (kept(i) ? value : 0)),
      x.type,
    );
  },
  Where(node, [condition, x, y]) {
    const dims = joint(node, joint(node, (condition as Host).dims, (x as Host).dims), (y as Host).dims);
    const [c, a, b] = [condition, x, y].map((one) => expanded(node, one as Host, dims).data) as [
      ArrayLike<number>,
      ArrayLike<number>,
      ArrayLike<number>,
    ];
    return host(
      dims,
      Float64Array.from({ length: sizeOf(dims) }, (_, i) => (c[i] === 0 ? b[i] : a[i]) as number),
      (x as Host).type,
    );
  },
};

/** Operators whose result is the same numbers in another shape or order, a weight if it was one, and those that look at shapes alone. */
export const keepsWeights: ReadonlySet<string> = new Set(
  "Cast Flatten Identity Reshape Shape Size Squeeze Transpose Unsqueeze".split(" "),
);
