// The graph: plain records of tensors and of the nodes that make them, in an order in which they can run. A graph grows
// by `emit` while it is traced and differentiated, and is only read after that.

import { bug } from "../errors.ts";
import type { Attributes, EpilogueStep, Op, TensorSpec } from "../op/op.ts";
import type { Tensor, Tensors } from "../op/tensor.ts";

export interface Node {
  readonly op: Op;
  /** The op's own in its order, then the operands of the epilogue. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attributes: Attributes;
  /** Path of the layer that asked for it. */
  readonly layer: string;
  readonly epilogue: readonly EpilogueStep[];
  /** Whether it is a part of the dispatch of the node before it. */
  readonly beside?: boolean;
  /** Whether it goes on, in that dispatch, with the rows that the node before it makes. */
  readonly after?: boolean;
}

export interface Graph {
  readonly tensors: Tensor[];
  readonly nodes: Node[];
}

export function tensorAt(graph: Graph, id: number): Tensor {
  return graph.tensors[id] ?? bug(`there is no tensor ${id}`);
}

/** The tensor that owns the bytes of `id`: itself, or what it is a view of. */
export function storageOf(graph: Graph, id: number): number {
  let tensor = tensorAt(graph, id);
  while (tensor.view !== undefined) tensor = tensorAt(graph, tensor.view);
  return tensor.id;
}

/** Whether a node moves nothing: what comes out is another view of what goes in. */
export const isView = (graph: Graph, { outputs }: Pick<Node, "outputs">): boolean =>
  outputs.every((id) => tensorAt(graph, id).view !== undefined);

export function addTensor(graph: Graph, tensor: Omit<Tensor, "id">): Tensor {
  const added = { ...tensor, id: graph.tensors.length };
  graph.tensors.push(added);
  return added;
}

/** Adds a node and its output tensors, each as the op says of it. */
export function addNode(
  graph: Graph,
  node: Omit<Node, "outputs" | "epilogue" | "beside" | "after">,
  specs: readonly (readonly [name: string, TensorSpec])[],
): Tensor[] {
  const { op, inputs, layer } = node;
  const prefix = layer === "" ? "" : `${layer}.`;
  const outputs = specs.map(([name, spec], i) =>
    addTensor(graph, {
      name: `${prefix}${spec.suffix ?? (i === 0 ? op.name : `${op.name}.${name}`)}`,
      shape: spec.shape,
      dtype: spec.dtype ?? "f32",
      role: spec.role ?? "activation",
      ...(spec.viewOf === undefined ? {} : { view: inputs[op.inputs.indexOf(spec.viewOf)] as number }),
    }),
  );
  graph.nodes.push({ ...node, outputs: outputs.map((tensor) => tensor.id), epilogue: [] });
  return outputs;
}

/** Adds a node to a graph; gives its outputs by name. */
export function emit<In extends string, Out extends string>(
  graph: Graph,
  op: Op<In, Out>,
  inputs: Tensors<In>,
  attributes: Attributes = {},
  layer = "",
): Tensors<Out> {
  const specs = specsOf(op, inputs, attributes);
  const given = op.inputs.filter((name) => inputs[name] !== undefined);
  const node = { op: op as Op, inputs: given.map((name) => inputs[name].id), attributes, layer };
  const made = addNode(graph, node, specs);
  return Object.fromEntries(specs.map(([name], i) => [name, made[i]])) as Tensors<Out>;
}

/** What comes out of an op, in the order of its outputs. */
export function specsOf(op: Op, inputs: Tensors, attributes: Attributes): (readonly [name: string, TensorSpec])[] {
  const specs = op.shape(inputs, attributes);
  return op.outputs.flatMap((name) => (specs[name] === undefined ? [] : [[name, specs[name]] as const]));
}

/** A node's inputs of the op itself, of which optional ones may be missing; behind them are operands of what is at its end. */
export function ownInputs({ inputs, epilogue }: Pick<Node, "inputs" | "epilogue">): readonly number[] {
  const operands = epilogue.flatMap((step) => step.inputs.filter((place) => place !== undefined));
  return inputs.slice(0, inputs.length - operands.length);
}

/**
 * The outputs of a node as its op makes them; at the end of its kernel the same numbers may have another shape. Behind them in the node
 * stands what is kept before steps of that end.
 */
export function madeBy(graph: Graph, node: Node): Tensor[] {
  const { op, outputs, attributes, epilogue } = node;
  const kept = epilogue.filter((step) => step.kept !== undefined).length;
  const made = outputs.slice(0, outputs.length - kept).map((id) => tensorAt(graph, id));
  if (epilogue.length === 0) return made;
  const own = Object.fromEntries(ownInputs(node).map((id, i) => [op.inputs[i], tensorAt(graph, id)]));
  return made.map((tensor, i) => ({ ...tensor, ...(i === 0 && { shape: specsOf(op, own, attributes)[0]![1].shape }) }));
}

/** Tensors of a node by its op's names. */
export const namedTensors = (graph: Graph, node: Node): Tensors =>
  Object.fromEntries([
    ...ownInputs(node).map((id, i) => [node.op.inputs[i], tensorAt(graph, id)]),
    ...madeBy(graph, node).map((tensor, i) => [node.op.outputs[i], tensor]),
  ]);
