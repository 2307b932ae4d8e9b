// How deep each layer with weights stands in the graph: the longest path from the input, counted in such layers.
// Parallel branches share a depth; a layer that is used twice takes the larger one.

import type { Graph, Node } from "./graph.ts";

/** Depth by layer path, from 1 at the input. `owners` maps a parameter's tensor id to its layer. */
export function layerDepths(graph: Graph, owners: ReadonlyMap<number, string>): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  const reached = new Map<number, { depth: number; layer: string }>();
  for (const node of graph.nodes) {
    const incoming = node.inputs.map((id) => reached.get(id)).filter((at) => at !== undefined);
    const layer = ownerOf(node, owners);
    let depth = 0;
    for (const at of incoming) {
      const sameLayer = layer !== undefined && at.layer === layer;
      depth = Math.max(depth, layer === undefined || sameLayer ? at.depth : at.depth + 1);
    }
    if (layer !== undefined) {
      depth = Math.max(depth, 1);
      depths.set(layer, Math.max(depths.get(layer) ?? 0, depth));
    }
    for (const id of node.outputs) reached.set(id, { depth, layer: layer ?? "" });
  }
  return depths;
}

function ownerOf(node: Node, owners: ReadonlyMap<number, string>): string | undefined {
  for (const id of node.inputs) {
    const owner = owners.get(id);
    if (owner !== undefined) return owner;
  }
  return undefined;
}
