// A node of the graph as the rows of operators ask it: its attributes with their defaults, and refusals that name it.

import { fail } from "./fail.ts";
import type { AttributeProto, NodeProto, TensorProto } from "./file.ts";
import type { External, Host } from "./host.ts";
import { readTensor } from "./host.ts";

/** Nodes that run instead of the one that has them. */
export interface Branch {
  readonly nodes: readonly Node[];
  readonly outputs: readonly string[];
}

export interface Node {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Of the standard operators; what an operator means depends on it. */
  readonly opset: number;
  /** `Conv "stem"`: how messages name it. */
  readonly place: string;
  /** Graphs by attribute, as an If has them; what they take from outside is among its inputs. */
  readonly branches?: ReadonlyMap<string, Branch>;
  has(attribute: string): boolean;
  int(attribute: string, otherwise: number): number;
  float(attribute: string, otherwise: number): number;
  text(attribute: string, otherwise: string): string;
  ints(attribute: string): readonly number[] | undefined;
  floats(attribute: string): readonly number[] | undefined;
  strings(attribute: string): readonly string[] | undefined;
  tensor(attribute: string): Host | undefined;
}

/** Refuses a node, with its name. */
export function refuse(node: Pick<Node, "place">, text: string): never {
  return fail(`${node.place}: ${text}`);
}

/** Refuses a tensor that has another shape than is wanted. */
export function expectDims(node: Node, what: string, dims: readonly number[], wanted: readonly number[]): void {
  if (String(dims) !== String(wanted)) refuse(node, `its ${what} has the shape [${dims}], it must be [${wanted}].`);
}

/** Refuses a list that has more or fewer than are needed. */
export function expectCount<T>(node: Node, what: string, list: readonly T[] = [], count: number): readonly T[] {
  if (list.length !== count) refuse(node, `its ${what} are [${list}], ${list.length} where ${count} are needed.`);
  return list;
}

/** Refuses other than two inputs, but for Max, Min, Mean and Sum, which take one and more. */
export const checkOperands = (node: Node): unknown =>
  (/^M[aie]|Sum/.test(node.op) && node.inputs[0]) || expectCount(node, "inputs", node.inputs, 2);

/** What a table has under a name, as its own. */
export const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** What a table has under the name that an attribute says. */
export const chosen = <T>(node: Node, what: string, name: string, table: Readonly<Record<string, T>>): T =>
  own(table, name) ?? refuse(node, `its ${what} is "${name}"; ${Object.keys(table).join(", ")} are read.`);

/** A node of the file, or one that stands for several of them, with attributes of its own. */
export function nodeOf(
  proto: Pick<NodeProto, "input" | "output" | "name" | "op"> & {
    readonly attribute: readonly Partial<AttributeProto>[];
  },
  index: number,
  opset: number,
  external: External | undefined,
): Node {
  const { op } = proto;
  const name = proto.name || `${op}_${index}`;
  const place = `${op} "${name}"`;
  const attributes = new Map(proto.attribute.map((one) => [one.name as string, one]));
  const listed = <T>(attribute: string, list: readonly T[] | undefined): readonly T[] | undefined =>
    attributes.has(attribute) ? (list ?? []) : undefined;
  return {
    ...{ op, name, place, opset },
    inputs: proto.input,
    outputs: proto.output,
    has: (attribute) => attributes.has(attribute),
    int: (attribute, otherwise) => attributes.get(attribute)?.i ?? (attributes.has(attribute) ? 0 : otherwise),
    float: (attribute, otherwise) => attributes.get(attribute)?.f ?? (attributes.has(attribute) ? 0 : otherwise),
    text: (attribute, otherwise) => attributes.get(attribute)?.s || otherwise,
    ints: (attribute) => listed(attribute, attributes.get(attribute)?.ints),
    floats: (attribute) => listed(attribute, attributes.get(attribute)?.floats),
    strings: (attribute) => listed(attribute, attributes.get(attribute)?.strings),
    tensor(attribute) {
      const proto: TensorProto | undefined = attributes.get(attribute)?.t;
      return proto && readTensor(proto, `the attribute "${attribute}" of ${place}`, external);
    },
  };
}

/** An axis that may count from the end, of so many. */
export function axisOf(node: Node, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(at) && at >= 0 && at < rank) return at;
  return refuse(node, `its axis is ${axis}, what it is given has ${rank} axes.`);
}

/** The axis that the attribute says. */
export const axisAsked = (node: Node, rank: number, otherwise = 0): number =>
  axisOf(node, node.int("axis", otherwise), rank);

export const axesOf = (node: Node, axes: readonly number[], rank: number): number[] =>
  axes.map((axis) => axisOf(node, axis, rank));

/** The numbers of a constant that says a shape, axes or places. */
export const listOf = (given: Host): number[] => Array.from(given.data);

/** 0, 1, 2, ...: ONNX's own order. */
export const inOrder = (rank: number): number[] => [...Array(rank).keys()];
