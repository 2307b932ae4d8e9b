// The op table: one row per op, found by name.

import { bug } from "../errors.ts";
import type { Attributes } from "../model/layer.ts";
import { elementwiseOps } from "./elementwise.ts";
import { addNode, type Graph, type Tensor } from "./graph.ts";
import { lossOps } from "./loss.ts";
import { matmulOps } from "./matmul.ts";
import type { Op } from "./op.ts";
import { windowOps } from "./window.ts";

export const opTable: ReadonlyMap<string, Op> = new Map(
  [...lossOps, ...matmulOps, ...windowOps, ...elementwiseOps].map((op) => [op.name, op]),
);

export function opOf(name: string): Op {
  return opTable.get(name) ?? bug(`there is no op "${name}"`);
}

/** Adds a node whose outputs are what the op's row says of them. */
export const emit = (
  graph: Graph,
  op: string,
  inputs: readonly Tensor[],
  attributes: Attributes = {},
  layer = "",
): Tensor[] =>
  addNode(graph, { op, inputs: inputs.map(({ id }) => id), attributes, layer }, opOf(op).outputs(inputs, attributes));
