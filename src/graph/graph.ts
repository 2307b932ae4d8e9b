// The graph: plain records of tensors and of the nodes that make them, in an order in which they can run. A graph grows
// by `emit` while it is traced and differentiated, and is only read after that.

import { bug } from "../errors.ts";
import type { Attributes } from "../model/layer.ts";

export type DType = "f32" | "u32";

/**
 * Where a tensor lives. `parameter` and `gradient`: arenas that last as long as the trainer, at equal offsets.
 * `activation`: anything that is only needed within a step. `data`: buffers of the data set.
 * `metrics`: the small buffer that is read back.
 */
export type Role = "parameter" | "gradient" | "activation" | "data" | "metrics";

export interface Tensor {
  readonly id: number;
  /** Also the GPU label, the checkpoint key and the word in error texts. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly role: Role;
  /** Id of the tensor whose bytes this one is another view of. */
  readonly view?: number;
  /** For a gradient: id of its parameter. */
  readonly of?: number;
}

/** One elementwise step that a kernel applies to its result before storing it. */
export interface EpilogueStep {
  readonly op: string;
  /** Position of the second operand among the node's inputs. */
  readonly operand?: number;
}

export interface Node {
  readonly op: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attributes: Attributes;
  /** Path of the layer that asked for it. */
  readonly layer: string;
  readonly epilogue: readonly EpilogueStep[];
}

export interface Graph {
  readonly tensors: Tensor[];
  readonly nodes: Node[];
}

/** What a shape rule says of one output. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Position of the input of which the output is only another view. */
  readonly viewOf?: number;
  /** Ending of the name, where it is not the op's. */
  readonly suffix?: string;
  readonly role?: Role;
}

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function tensorAt(graph: Graph, id: number): Tensor {
  return graph.tensors[id] ?? bug(`there is no tensor ${id}`);
}

/** The tensor that owns the bytes of `id`: itself, or what it is a view of. */
export function storageOf(graph: Graph, id: number): number {
  let tensor = tensorAt(graph, id);
  while (tensor.view !== undefined) tensor = tensorAt(graph, tensor.view);
  return tensor.id;
}

export function addTensor(graph: Graph, tensor: Omit<Tensor, "id">): Tensor {
  const added = { ...tensor, id: graph.tensors.length };
  graph.tensors.push(added);
  return added;
}

/** Adds a node and its output tensors. */
export function addNode(
  graph: Graph,
  node: Omit<Node, "outputs" | "epilogue">,
  specs: readonly TensorSpec[],
): Tensor[] {
  const prefix = node.layer === "" ? "" : `${node.layer}.`;
  const outputs = specs.map((spec) =>
    addTensor(graph, {
      name: `${prefix}${spec.suffix ?? node.op}`,
      shape: spec.shape,
      dtype: spec.dtype ?? "f32",
      role: spec.role ?? "activation",
      ...(spec.viewOf === undefined ? {} : { view: node.inputs[spec.viewOf] as number }),
    }),
  );
  graph.nodes.push({ ...node, outputs: outputs.map((tensor) => tensor.id), epilogue: [] });
  return outputs;
}
