// Cuts a traced graph in two where the trained part begins: what comes before depends on data and frozen weights alone, so
// its result can be computed once a sample and kept.

import { bug } from "../errors.ts";
import { gather } from "../op/gather.ts";
import { dependents } from "./backward.ts";
import { type Graph, type Node, tensorAt } from "./graph.ts";

/**
 * The one tensor [B, ...] through which everything frozen at the input side reaches the rest. Undefined where nothing would
 * be saved, or more than one tensor crosses. `wanted` are the ids of the trained parameters, `moved` of what states become.
 */
export function frontierOf(graph: Graph, wanted: ReadonlySet<number>, moved: ReadonlySet<number>): number | undefined {
  const moving = dependents(graph, new Set([...wanted, ...roots(graph, moved)]));
  const isStill = (node: Node): boolean => node.outputs.every((id) => !moving.has(id));
  const [x, y] = gatherOf(graph).outputs as [number, number];
  const made = new Set(graph.nodes.filter(isStill).flatMap(({ outputs }) => outputs));
  const isBatch = (id: number): boolean => tensorAt(graph, id).shape[0] === tensorAt(graph, x).shape[0];
  /** What holds the numbers of a view, sample by sample: a view may count rows where that counts samples. */
  const samples = (id: number): number => {
    const { view } = tensorAt(graph, id);
    return view === undefined || isBatch(id) ? id : samples(view);
  };
  const crossing = new Set(
    graph.nodes
      .filter((node) => !isStill(node))
      .flatMap(({ inputs }) => inputs)
      .filter((id) => id !== y && made.has(id))
      .map(samples),
  );
  const [frontier] = crossing;
  return crossing.size === 1 && frontier !== undefined && isBatch(frontier) && frontier !== x ? frontier : undefined;
}

/** What is other at each step: random numbers, sums over samples, and all that is made where a state moves. */
const roots = ({ nodes }: Graph, moved: ReadonlySet<number>): number[] =>
  nodes.flatMap(({ op, attributes, outputs }) =>
    op.moves?.(attributes) === true || outputs.some((id) => moved.has(id)) ? outputs : [],
  );

/** What leads to the frontier. */
export function before(graph: Graph, frontier: number): Graph {
  const needed = new Set([frontier]);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((id) => needed.has(id))) continue;
    for (const id of node.inputs) needed.add(id);
    nodes.unshift(node);
  }
  return { tensors: graph.tensors, nodes };
}

/** The rest, with the frontier gathered from data in the place of the model's input. */
export function after(graph: Graph, frontier: number): Graph {
  const cut = new Set(before(graph, frontier).nodes);
  const first = gatherOf(graph);
  const { view: _, ...kept } = tensorAt(graph, frontier);
  const attributes = { ...first.attributes, input: kept.shape, bytes: false, period: 0 };
  const outputs = [frontier, first.outputs[1] as number];
  return {
    tensors: graph.tensors.with(frontier, kept),
    nodes: [{ ...first, attributes, outputs }, ...graph.nodes.filter((node) => !cut.has(node))],
  };
}

const gatherOf = ({ nodes }: Graph): Node => nodes.find(({ op }) => op === gather) ?? bug("a graph gathers no data");
