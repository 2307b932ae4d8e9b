// The graph of a file while it is written: nodes, constants, and values in whatever order of axes they lie. A change of shape or order is
// only noted; numbers move where a node needs another order than there is, so that what cancels never stands in the file.

import type { Attribute, Attributes } from "../index.ts";
import { FLOAT, type Host, host, INT64, transposed } from "../onnx/host.ts";
import { claims } from "../onnx/names.ts";
import type { Message } from "../onnx/wire.ts";
import type { Dims } from "./trace.ts";

/** The op that made a value: forms look back by it. */
export interface Origin {
  readonly op: string;
  readonly x: Readonly<Record<string, Held>>;
  readonly attributes: Attributes;
}

/** A value that nodes of the file make, or an input. */
export interface Flow {
  readonly kind: "flow";
  readonly name: string;
  /** As the model has it. */
  readonly shape: Dims;
  /** As it is in the file, in the model's order of axes: of the same numbers. */
  readonly dims: Dims;
  /** Which of these axes stands at each place of the file. */
  readonly axes: readonly number[];
}

export type Held = (Flow | Host) & { readonly from?: Origin };

export const inOrder = (rank: number): number[] => [...Array(rank).keys()];
export const same = (a: readonly unknown[], b: readonly unknown[]): boolean => String(a) === String(b);

/** NHWC, and whatever else has channels last, as ONNX wants it. */
export const channelsFirst = (rank: number): number[] => [0, rank - 1, ...inOrder(rank).slice(1, -1)];

export const shapeOf = (x: Held): Dims => (x.kind === "flow" ? x.shape : x.dims);

/** Attributes that are f32 where they are one number. */
const reals = new Set(["alpha", "beta", "gamma", "epsilon"]);

type Given = Attribute | Host;

function attributeOf(name: string, value: Given): Message {
  if (typeof value === "string") return { name, s: value, type: 3 };
  if (typeof value === "object")
    return "kind" in value ? { name, t: tensorOf("", value), type: 4 } : { name, ints: value, type: 7 };
  return reals.has(name) ? { name, f: value, type: 1 } : { name, i: Number(value), type: 2 };
}

function tensorOf(name: string, { dims, data, type }: Host): Message {
  const numbers = type === INT64 ? BigInt64Array.from(Array.from(data), BigInt) : Float32Array.from(data);
  return { dims, type, ...(name !== "" && { name }), raw: new Uint8Array(numbers.buffer) };
}

export interface Sheet {
  /** What nodes are called after, until another is said. */
  path: string;
  /** Adds a node; gives the names of its outputs. One that is there already is not made twice. */
  nodes(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Given>>, count?: number): string[];
  /** The first output. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Given>>): string;
  /** A constant of whole numbers. */
  ints(values: readonly number[]): string;
  /** A constant of one number, or of a tensor. */
  number(value: number | Host): string;
  flow(name: string, shape: Dims, axes?: readonly number[], dims?: Dims): Flow;
  /** Without a change of shape that is only noted. */
  settled(x: Flow): Flow;
  /** The name of a value whose axes stand in this order, by default the model's. */
  laid(x: Held, axes?: readonly number[]): string;
  /** As `laid`, under the shape that it has in the file. */
  turned(x: Flow, axes: readonly number[]): string;
  /** An initializer, or a constant, of a tensor in this order under a shape. */
  stored(x: Host, axes?: readonly number[], dims?: Dims): string;
  reshaped(x: Held, shape: Dims): Held;
  permuted(x: Held, axes: readonly number[]): Held;
  /** A list of lengths for a Reshape: one that counts samples is what is left. */
  lengths(dims: Dims): string;
  /** A list of lengths that is right for any number of samples. */
  counted(dims: Dims): string;
  /** Nodes and initializers that these outputs need, under their names. */
  done(outputs: readonly (readonly [name: string, made: string])[]): { node: Message[]; initializer: Message[] };
}

interface Entry {
  readonly op: string;
  readonly name: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly Message[];
}

/** For a file of these inputs, of which the first counts samples, and outputs. */
export function sheetOf(inputs: readonly string[], outputs: readonly string[]): Sheet {
  const entries: Entry[] = [];
  const known = new Map<string, Entry>();
  const stores = new Map<string, Host>();
  /** How each tensor of the model stands in the file first. */
  const firsts = new Map<string, { readonly axes: readonly number[]; readonly dims: Dims; readonly name: string }>();
  const claim = claims([...inputs, ...outputs]);
  let marks = 0;
  const marksOf = new Map<Host, number>();

  const key = (value: Given): string => {
    if (typeof value !== "object" || !("kind" in value)) return `${value}`;
    if (value.data.length < 20) return `${value.type} ${value.dims} ${Array.from(value.data)}`;
    if (!marksOf.has(value)) marksOf.set(value, marks++);
    return `tensor ${marksOf.get(value)}`;
  };

  const sheet: Sheet = {
    path: "",
    nodes(op, input, attributes = {}, count = 1) {
      const told = Object.entries(attributes);
      const id = `${op}(${input.join()})${told.map(([name, value]) => `${name}=${key(value)}`).join()}`;
      let entry = known.get(id);
      if (entry === undefined) {
        const name = claim(sheet.path === "" ? op : `${sheet.path}/${op}`);
        const output = Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`));
        entry = { op, name, input, output, attribute: told.map(([name, value]) => attributeOf(name, value)) };
        entries.push(entry);
        known.set(id, entry);
      }
      return [...entry.output];
    },
    node: (...given) => sheet.nodes(...given)[0] as string,
    ints: (values) => sheet.number(host([values.length], values, INT64)),
    number: (given) =>
      sheet.node("Constant", [], { value: typeof given === "number" ? host([], [given], FLOAT) : given }),
    flow: (name, shape, axes = inOrder(shape.length), dims = shape) => ({ kind: "flow", name, shape, axes, dims }),

    settled(x) {
      const { shape, dims, axes } = x;
      if (same(shape, dims)) return x;
      const long = (lengths: Dims): number[] => inOrder(lengths.length).filter((axis) => lengths[axis] !== 1);
      const [before, after] = [long(dims), long(shape)];
      const isThin = same(
        before.map((axis) => dims[axis]),
        after.map((axis) => shape[axis]),
      );
      const order = isThin
        ? axes.filter((axis) => dims[axis] !== 1).map((axis) => after[before.indexOf(axis)] as number)
        : inOrder(shape.length);
      // Axes of length 1 come before those that they stand before in the model.
      if (isThin)
        for (const axis of inOrder(shape.length).reverse()) {
          if (shape[axis] !== 1) continue;
          const at = order.indexOf(axis + 1);
          order.splice(at < 0 ? order.length : at, 0, axis);
        }
      const from = isThin ? x.name : sheet.turned(x, inOrder(dims.length));
      const to = sheet.lengths(order.map((axis) => shape[axis] as number));
      return sheet.flow(sheet.node("Reshape", [from, to]), shape, order);
    },
    laid: (x, axes = inOrder(shapeOf(x).length)) =>
      x.kind === "flow" ? sheet.turned(sheet.settled(x), axes) : sheet.stored(x, axes),
    turned({ name, dims, axes: from }, axes) {
      if (same(from, axes)) return name;
      const long = (list: readonly number[]): number[] => list.filter((axis) => dims[axis] !== 1);
      if (same(long(from), long(axes)))
        return sheet.node("Reshape", [name, sheet.lengths(axes.map((axis) => dims[axis] as number))]);
      return sheet.node("Transpose", [name], { perm: axes.map((axis) => from.indexOf(axis)) });
    },
    stored(x, axes = inOrder(x.dims.length), dims = axes.map((axis) => x.dims[axis] as number)) {
      const moved = (): Host => ({ ...transposed(x, axes), dims });
      const { name } = x;
      if (name === undefined) return sheet.number(moved());
      const first = firsts.get(name);
      if (first !== undefined && same(first.dims, x.dims)) {
        const turned = sheet.turned(sheet.flow(first.name, x.dims, first.axes), axes);
        const own = axes.map((axis) => x.dims[axis]);
        return same(own, dims) ? turned : sheet.node("Reshape", [turned, sheet.ints(dims)]);
      }
      // It has its name in the file at the end, as perhaps nobody needs it.
      const own = `${stores.size} ${name}`;
      const isPlain = dims.length === axes.length;
      if (isPlain && first === undefined) firsts.set(name, { axes, dims: x.dims, name: own });
      stores.set(own, moved());
      return own;
    },
    reshaped({ from: _, ...x }, shape) {
      return x.kind === "flow" ? { ...x, shape } : { ...x, dims: shape };
    },
    permuted({ from: _, ...x }, axes) {
      if (x.kind !== "flow") return transposed(x, axes);
      const { name, shape, axes: from } = sheet.settled(x);
      return sheet.flow(
        name,
        axes.map((axis) => shape[axis] as number),
        from.map((axis) => axes.indexOf(axis)),
      );
    },
    lengths(dims) {
      if (dims.filter((length) => length < 0).length < 2) return sheet.ints(dims.map((length) => Math.max(length, -1)));
      return sheet.counted(dims);
    },
    counted(dims) {
      if (dims.every((length) => length >= 0)) return sheet.ints(dims);
      const shape = sheet.node("Shape", [inputs[0] as string]);
      const batch = sheet.node("Slice", [shape, sheet.ints([0]), sheet.ints([1])]);
      const parts = dims.map((length) =>
        length >= 0 ? sheet.ints([length]) : length === -1 ? batch : sheet.node("Mul", [batch, sheet.ints([-length])]),
      );
      return sheet.node("Concat", parts, { axis: 0 });
    },
    done(ends) {
      const names = new Map<string, string>();
      const made = new Set(entries.flatMap(({ output }) => output));
      for (const [name, from] of ends) {
        if (made.has(from) && !names.has(from)) names.set(from, name);
        else entries.push({ op: "Identity", name, input: [from], output: [name], attribute: [] });
      }
      const needed = new Set(ends.flat());
      const kept = entries
        .reverse()
        .filter(({ output, input }) => {
          if (!output.some((name) => needed.has(name))) return false;
          for (const name of input) needed.add(name);
          return true;
        })
        .reverse();
      const held = [...stores].filter(([own]) => needed.has(own));
      for (const [own, { name }] of held) names.set(own, claim(name as string));
      const final = (list: readonly string[]): string[] => list.map((name) => names.get(name) ?? name);
      return {
        node: kept.map(({ input, output, ...rest }) => ({ ...rest, input: final(input), output: final(output) })),
        initializer: held.map(([own, store]) => tensorOf(names.get(own) as string, store)),
      };
    },
  };
  return sheet;
}
