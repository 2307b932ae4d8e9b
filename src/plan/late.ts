// Sums of rows that are gradients are nobody's business before the update: they wait for one another as long as that costs next
// to no memory, and are one dispatch then.

import { type Graph, type Node, namedTensors, storageOf, tensorAt } from "../graph/graph.ts";
import type { RowSum } from "../op/op.ts";
import { lifetimesOf, liveBytes, spaceOf } from "./lifetime.ts";

/** What they may add to the most bytes that are alive at once. */
const MORE = 1 / 100;

/** The sums that a node is, where it is nothing else and what comes out leaves the step; else undefined. */
export function lateSums(graph: Graph, node: Node): readonly RowSum[] | undefined {
  const isLate =
    node.outputs.every((id) => tensorAt(graph, id).role === "gradient") &&
    node.inputs.every((id) => tensorAt(graph, storageOf(graph, id)).role === "activation");
  return isLate ? node.op.rowSums?.(namedTensors(graph, node)) : undefined;
}

/** The graph with such nodes beside one another, as late as what is alive at once allows. */
export function sumsLast(graph: Graph, kept: ReadonlySet<number>): Graph {
  const live = liveBytes(lifetimesOf(graph, kept));
  const most = (1 + MORE) * Math.max(...live);
  const nodes: Node[] = [];
  let waiting: Node[] = [];
  let held = 0;
  for (const [at, node] of graph.nodes.entries()) {
    if ((live[at] as number) + held > most) {
      nodes.push(...waiting);
      [waiting, held] = [[], 0];
    }
    if (lateSums(graph, node) === undefined) nodes.push(node);
    else {
      waiting.push(node);
      held += node.inputs.reduce((sum, id) => sum + spaceOf(tensorAt(graph, storageOf(graph, id))), 0);
    }
  }
  return { tensors: graph.tensors, nodes: [...nodes, ...waiting] };
}
