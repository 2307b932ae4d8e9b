// Gradient checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): what a segment makes is not kept for
// the way back. Where the way back first asks for it, the nodes that lead there from what is kept run once more: as late as
// possible, so that its bytes are free until then. The graph is fused before, so that the same kernels see the same numbers and
// give the same bits. A node that draws must count by its layer and its op, never by the tensor that it makes: then it draws the same.

import { bug } from "../errors.ts";
import { matching } from "../pattern.ts";
import { type Graph, isView, type Node, storageOf, tensorAt } from "./graph.ts";

/** The segment of each node that is in one: the path of a layer, or a number. */
export type Segments = ReadonlyMap<Node, string | number>;

/** The paths that a pattern matches: every one is a segment. Throws NameError where there are none. */
export function segmentPaths({ nodes }: Graph, pattern: string): ReadonlySet<string> {
  const layers = [...new Set(nodes.map(({ layer }) => layer).filter((path) => path !== ""))];
  return new Set(matching("compile: recompute", pattern, [...new Set(layers.flatMap(pathsTo))], layers));
}

/** Nodes by the outermost of these paths that they stand at or below. */
export const segmentsAt = (nodes: readonly Node[], paths: ReadonlySet<string>): Segments =>
  new Map(
    nodes.flatMap((node) => {
      const path = pathsTo(node.layer).find((one) => paths.has(one));
      return path === undefined ? [] : [[node, path]];
    }),
  );

/** `a.b.c` -> `a`, `a.b`, `a.b.c`. */
const pathsTo = (path: string): string[] => path.split(".").map((_, i, parts) => parts.slice(0, i + 1).join("."));

/** The nodes up to the one that makes the loss. */
export function wayForward({ nodes }: Graph, loss: number): readonly Node[] {
  const end = nodes.findIndex(({ outputs }) => outputs.includes(loss));
  return end < 0 ? bug("a graph has no loss") : nodes.slice(0, end + 1);
}

/**
 * Gives a new graph in which the way back from `loss` makes again what segments made, but for those that are `spared`. Kept is
 * what another segment reads, for that is where its own second run begins.
 */
export function recompute(
  graph: Graph,
  loss: number,
  segments: Segments,
  spared: ReadonlySet<string | number> = new Set(),
): Graph {
  const forward = new Set(wayForward(graph, loss));
  const lost = lostStorages(graph, forward, segments, spared);
  const makers = new Map([...forward].flatMap((node) => node.outputs.map((id) => [id, node])));
  const tensors = [...graph.tensors];
  const nodes: Node[] = [];
  const again = new Map<number, number>();

  /** What stands for a tensor on the way back: itself, or the one that is made again. */
  function standIn(id: number): number {
    const maker = lost.has(storageOf(graph, id)) ? makers.get(id) : undefined;
    if (maker === undefined) return id;
    if (!again.has(id)) repeat(maker);
    return again.get(id) as number;
  }

  function repeat(node: Node): void {
    const inputs = node.inputs.map(standIn);
    const outputs = node.outputs.map((id) => {
      const { name, ...rest } = tensorAt(graph, id);
      again.set(id, tensors.length);
      tensors.push({ ...seen(rest), id: tensors.length, name: `${name}.again`, role: "activation" });
      return tensors.length - 1;
    });
    nodes.push({ ...node, inputs, outputs });
  }

  /** A view of what is made again is a view of that. */
  const seen = <T extends { readonly view?: number }>(tensor: T): T =>
    tensor.view === undefined ? tensor : { ...tensor, view: standIn(tensor.view) };

  for (const node of graph.nodes) {
    if (forward.has(node)) nodes.push(node);
    else {
      const inputs = node.inputs.map(standIn);
      for (const id of node.outputs) tensors[id] = seen(tensorAt(graph, id));
      nodes.push({ ...node, inputs });
    }
  }
  return { tensors, nodes };
}

/** Activations that a segment makes and no other segment reads. */
function lostStorages(
  graph: Graph,
  forward: ReadonlySet<Node>,
  segments: Segments,
  spared: ReadonlySet<string | number>,
): ReadonlySet<number> {
  const homes = new Map<number, string | number>();
  for (const node of forward) {
    const segment = segments.get(node);
    if (segment === undefined || spared.has(segment)) continue;
    for (const { id, view, role } of node.outputs.map((id) => tensorAt(graph, id))) {
      if (view === undefined && role === "activation") homes.set(id, segment);
    }
  }
  for (const node of graph.nodes) {
    // What a state becomes is made once, from what is there.
    const segment = node.outputs.some((id) => tensorAt(graph, id).role === "next") ? "" : segments.get(node);
    // To take another view of something reads nothing; who reads the view does.
    if (segment === undefined || isView(graph, node)) continue;
    for (const id of node.inputs) {
      const storage = storageOf(graph, id);
      if (homes.has(storage) && homes.get(storage) !== segment) homes.delete(storage);
    }
  }
  return new Set(homes.keys());
}
