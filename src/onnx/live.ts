// Values that flow through the model, and what an operator makes of them. ONNX has images as [N, C, H, W], Gradus as [B, H, W, C]. So a
// value says in which order its axes lie: `order[place]` is the axis, as ONNX counts, that stands at a place of the value. A convolution
// takes and gives [0, 2, 3, 1], elementwise operators leave the order and bring constants into it, and a Transpose moves nothing: it
// calls the axes by other names. Numbers move only where an operator needs another order than there is, such as a Reshape of an image.
// A network of convolutions has one permutation, of its input, and none where that is given with channels last.

import { sizeOf } from "../foreign/strided.ts";
import { type Ops, ops, type Scope, type Value } from "../index.ts";
import { fail } from "./fail.ts";
import { type Host, isFloat, transposed } from "./host.ts";
import { piecesOf } from "./names.ts";
import { inOrder, type Node, own, refuse } from "./node.ts";

export interface Live {
  readonly kind: "live";
  /** The part whose result it is, or the input: as `graph` names it. */
  readonly ref: string;
  /** As it is at the batch at which the file was walked through. */
  readonly value: Value;
  readonly order: readonly number[];
  /** ONNX's number of the type; all numbers are f32. */
  readonly type: number;
  /** Of whole numbers that rows of a table are looked up by: it can go nowhere else. */
  readonly ids?: boolean;
}

export type Known = Host | Live;

/** A tensor of the model that begins with numbers of the file. */
export interface Weight {
  readonly dims: readonly number[];
  data(): ArrayLike<number>;
  /** ONNX's name, where it has one. */
  readonly source: string | undefined;
  /** Whether it is a parameter, and not a state. */
  readonly trains: boolean;
}

/** What becomes a part of the model. */
export interface Step {
  /** What the part is called in summaries, by default as its operator. */
  readonly kind?: string;
  readonly takes: readonly Live[];
  readonly weights?: Readonly<Record<string, Weight>>;
  /** `per`: how many rows of the first axis of what it takes are of one sample; undefined where that axis counts none. */
  run(scope: Scope, values: readonly Value[], per?: number): Value | readonly Value[];
  /** Orders of the axes of its outputs, by default ONNX's own. */
  readonly orders?: readonly (readonly number[])[];
  /** Type of what it gives, by default that of the first that it takes. */
  readonly type?: number;
  /** Why no gradient goes through it. */
  readonly stops?: string;
}

/** What a row is told beside its node. */
export interface About {
  /** Samples in this walk. */
  readonly batch: number;
  /** The batch that the file says, where that is a number. */
  readonly told: number | undefined;
  /** Whether axis 0 of the inputs counts samples. */
  readonly free: boolean;
  /** Whether an initializer of this name is to be trained. */
  trains(name: string): boolean;
  /** Whether anybody takes this output of the node. */
  isUsed(node: Node, output: number): boolean;
}

export type Made = Known | Step | readonly (Known | undefined)[];
export type Row = (node: Node, ins: readonly (Known | undefined)[], about: About) => Made;

export const isHost = (one: Known | undefined): one is Host => one?.kind === "host";
export const isLive = (one: Known | undefined): one is Live => one?.kind === "live";

/** [0, 2, .., 1]: images with channels last. */
export const channelsLast = (rank: number): number[] => [0, ...inOrder(rank).slice(2), 1];

/** The shape as ONNX has it. */
export function dimsOf(one: Known): readonly number[] {
  if (one.kind === "host") return one.dims;
  const dims = new Array<number>(one.order.length);
  for (const [place, axis] of one.order.entries()) dims[axis] = one.value.shape[place] as number;
  return dims;
}

/** An input that must be there. */
export function needed(node: Node, ins: readonly (Known | undefined)[], at: number, what: string): Known {
  return ins[at] ?? refuse(node, `it has no ${what}, which is its input ${at}; it has ${node.inputs.length}.`);
}

/** One that must be known. */
export function constant(node: Node, one: Known | undefined, what: string): Host | undefined {
  if (one === undefined || one.kind === "host") return one;
  return refuse(node, `its ${what} is reckoned by the network, it must be a constant.`);
}

/** One that must flow. */
export function flowing(node: Node, one: Known | undefined, what: string): Live {
  if (one?.kind === "live") return one;
  return refuse(
    node,
    `its ${what} is ${one === undefined ? "missing" : "a constant"}, it must be a value of the network.`,
  );
}

/** The first input, which must flow. */
export const inputOf = (node: Node, ins: readonly (Known | undefined)[]): Live => flowing(node, ins[0], "input");

/** An input that must be there, and known. */
export const hostAt = (node: Node, ins: readonly (Known | undefined)[], at: number, what: string): Host =>
  constant(node, needed(node, ins, at, what), what) as Host;

/** Refuses a node of which anybody takes more than the first output. */
export function expectAlone(node: Node, about: About, what: string): void {
  if ([1, 2].some((output) => about.isUsed(node, output))) refuse(node, `its ${what} taken. The first output is read.`);
}

/** What an op on each number, or on each pair of numbers, makes. */
export const z = (scope: Scope, name: keyof Ops, x: Value, y?: Value): Value =>
  scope.op(ops[name as "add"], (y === undefined ? { x } : { x, y }) as Record<"x" | "y", Value>).z;

/** A value with its axes in another order; where only axes of length 1 move it is a change of view. */
export function arrange(scope: Scope, x: Value, from: readonly number[], to: readonly number[]): Value {
  const axes = to.map((axis) => from.indexOf(axis));
  if (axes.every((axis, i) => axis === i)) return x;
  const long = axes.filter((axis) => x.shape[axis] !== 1);
  if (long.every((axis, i) => i === 0 || axis > (long[i - 1] as number)))
    return view(
      scope,
      x,
      axes.map((axis) => x.shape[axis] as number),
    );
  return scope.op(ops.permute, { x }, { axes }).y;
}

/** Under another shape, which costs nothing. What has no axes in ONNX has one of length 1. */
export function view(scope: Scope, x: Value, dims: readonly number[]): Value {
  const shape = dims.length === 0 ? [1] : dims;
  return String(shape) === String(x.shape) ? x : scope.op(ops.reshape, { x }, { shape }).y;
}

/** Each axis so many times. */
export const tiled = (scope: Scope, x: Value, repeats: readonly number[]): Value =>
  repeats.every((times) => times === 1) ? x : scope.op(ops.tile, { x }, { repeats }).y;

/** In ONNX's own order. */
export const plain = (scope: Scope, x: Value, { order }: Live): Value =>
  arrange(scope, x, order, inOrder(order.length));

/**
 * A step of one value, which is brought into the order `order` of its axes, by default that in which it lies; what it gives is in that
 * order too, if `more` does not say otherwise.
 */
export const stepOf = (
  x: Live,
  run: (scope: Scope, value: Value, per?: number) => Value | readonly Value[],
  order: readonly number[] = x.order,
  more?: Partial<Step>,
): Step => ({
  ...{ takes: [x], orders: [order] },
  run: (scope, [value], per) => run(scope, arrange(scope, value as Value, x.order, order), per),
  ...more,
});

/** The largest number of f32, which stands for infinity in what the file has as constants. */
const MOST_F32 = 3.4028234663852886e38;

/** A constant as a tensor of the model: its axes in the order `axes`, under the shape `dims`, each number as `of` says. */
export function weight(
  node: Node,
  given: Host,
  about: About,
  {
    axes,
    dims,
    of,
  }: {
    readonly axes?: readonly number[];
    readonly dims?: readonly number[];
    readonly of?: (value: number) => number;
  } = {},
): Weight {
  const shape = dims ?? (axes === undefined ? given.dims : axes.map((axis) => given.dims[axis] as number));
  const trains = given.name !== undefined && given.dims.length > 0 && isFloat(given.type) && about.trains(given.name);
  return {
    dims: shape.length === 0 ? [1] : shape,
    source: given.name,
    trains,
    data() {
      const moved = axes === undefined ? given : transposed(given, axes);
      return Float32Array.from(moved.data, (value) => {
        const made = of === undefined ? value : of(value);
        if (Number.isNaN(made)) refuse(node, `its constant "${given.name ?? ""}" is NaN somewhere. Correct the file.`);
        return Math.min(Math.max(made, -MOST_F32), MOST_F32);
      });
    },
  };
}

/** The scope of a part whose tensors begin with what the file has. */
export function seeded(scope: Scope, weights: Readonly<Record<string, Weight>>): Scope {
  const start = (name: string, shape: readonly number[]): Weight | undefined => {
    const found = own(weights, name);
    if (found !== undefined && sizeOf(found.dims) !== sizeOf(shape)) {
      fail(
        `layer "${scope.path}": "${name}" is to be [${shape}], ${sizeOf(shape)} numbers, "${found.source ?? "the constant"}" has ${sizeOf(found.dims)}. Correct the file.`,
      );
    }
    return found;
  };
  return beside(scope, {
    parameter(name, shape, otherwise) {
      const found = start(name, shape);
      return found === undefined
        ? scope.parameter(name, shape, otherwise)
        : scope[found.trains ? "parameter" : "state"](name, shape, () => found.data());
    },
    state: (name, shape, otherwise) => scope.state(name, shape, start(name, shape)?.data ?? otherwise),
  });
}

/** The scope with some of its calls in another way. */
export const beside = (scope: Scope, own: Partial<Scope>): Scope => Object.assign(Object.create(scope), own);

/** A tensor of a seeded scope. */
export const tensorOf = (scope: Scope, name: string, { dims }: Weight): Value => scope.parameter(name, dims, "zeros");

/** What an initializer may be called within its part: the end of its name. */
export function lastName({ name = "" }: Host, otherwise: string): string {
  const end = piecesOf(name).filter((piece) => !/^\d+$/.test(piece));
  const legal = end.at(-1) ?? otherwise;
  return /_\d+$/.test(legal) ? otherwise : legal;
}

/** How a step comes by something that it takes: a value, or a constant as a tensor. */
export type Taken = (scope: Scope, values: readonly Value[]) => Value;

/** What a step takes, value by value: each in the order `axes` of its axes, by default ONNX's; constants under a name. */
export function operands(node: Node, about: About) {
  const takes: Live[] = [];
  const weights: Record<string, Weight> = {};
  return {
    takes,
    weights,
    take(one: Known, name: string, axes: readonly number[] = inOrder(dimsOf(one).length)): Taken {
      if (one.kind === "live") {
        const at = takes.push(one) - 1;
        return (scope, values) => arrange(scope, values[at] as Value, one.order, axes);
      }
      const own = weight(node, one, about, { axes });
      weights[name] = own;
      return (scope) =>
        view(
          scope,
          tensorOf(scope, name, own),
          axes.map((axis) => one.dims[axis] as number),
        );
    },
  };
}
