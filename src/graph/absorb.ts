// Fewer nodes in the graph as it was traced: an op that says so does what stands right before it as well. This comes before
// gradients, for the way back of both together wants less to be kept than that of one after the other.

import { type Graph, type Node, storageOf } from "./graph.ts";

/** Gives a graph that computes the same; `kept` are ids that others read. */
export function absorb(graph: Graph, kept: ReadonlySet<number>): Graph {
  const readers = new Map<number, number>([...kept].map((id) => [storageOf(graph, id), 1]));
  const makers = new Map<number, Node>();
  for (const node of graph.nodes) {
    for (const id of node.inputs) readers.set(storageOf(graph, id), (readers.get(storageOf(graph, id)) ?? 0) + 1);
    for (const id of node.outputs) makers.set(id, node);
  }
  const gone = new Set<Node>();
  const nodes = graph.nodes.map((node) => {
    const absorbs = node.op.absorbs?.();
    const [x, ...others] = node.inputs as [number, ...number[]];
    const maker = makers.get(x);
    if (absorbs === undefined || maker?.op !== absorbs.op || readers.get(x) !== 1) return node;
    gone.add(maker);
    return {
      ...node,
      inputs: [maker.inputs[0] as number, ...others],
      attributes: { ...node.attributes, ...absorbs.attributes },
    };
  });
  return { tensors: graph.tensors, nodes: nodes.filter((node) => !gone.has(node)) };
}
