// Cuts a traced graph in two where the trained part begins: what comes before depends on data and frozen weights alone, so
// its result can be computed once a sample and kept.

import { bug } from "../errors.ts";
import { gather } from "../op/gather.ts";
import { gatherWords } from "../op/gather-words.ts";
import { dependents } from "./backward.ts";
import { type Graph, type Node, storageOf, tensorAt } from "./graph.ts";

/**
 * The one tensor [B, ...] through which everything frozen at the input side reaches the rest. Undefined where nothing would
 * be saved, or more than one tensor crosses. `wanted` are the ids of the trained parameters, `moved` of what states become.
 */
export function frontierOf(graph: Graph, wanted: ReadonlySet<number>, moved: ReadonlySet<number>): number | undefined {
  const moving = dependents(graph, new Set([...wanted, ...roots(graph, moved)]));
  const isStill = (node: Node): boolean => node.outputs.every((id) => !moving.has(id));
  const inputs = graph.nodes.filter(({ op }) => op === gather);
  const [x, y] = inputs[0]?.outputs ?? [];
  // With features in the place of one input the others would still be asked for.
  if (inputs.length !== 1 || x === undefined) return undefined;
  const beside = new Set(graph.nodes.flatMap(({ op, outputs }) => (op === gatherWords ? outputs : [])));
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
      .filter((id) => id !== y && !beside.has(id) && made.has(storageOf(graph, id)))
      .map(samples),
  );
  const [frontier] = crossing;
  if (crossing.size !== 1 || frontier === undefined || !isBatch(frontier) || frontier === x) return undefined;
  const cut = new Set(before(graph, frontier).nodes);
  const left = new Set([...cut].flatMap(({ outputs }) => outputs));
  const isLost = (id: number): boolean => left.has(id) && id !== y && !beside.has(id) && samples(id) !== frontier;
  return graph.nodes.some((node) => !cut.has(node) && node.inputs.some(isLost)) ? undefined : frontier;
}

/** What is other at each step: random numbers, sums over samples, and all that is made where a state moves. */
const roots = ({ nodes }: Graph, moved: ReadonlySet<number>): number[] =>
  nodes.flatMap(({ op, attributes, outputs }) =>
    op.moves?.(attributes) === true || outputs.some((id) => moved.has(id)) ? outputs : [],
  );

/** What leads to these tensors. */
export function before(graph: Graph, ...ends: readonly number[]): Graph {
  const needed = new Set(ends);
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
  const outputs = [frontier, ...first.outputs.slice(1)];
  const rest = graph.nodes.filter((node) => !cut.has(node));
  const read = new Set(rest.flatMap(({ inputs }) => inputs));
  // What a stream brings to both sides is gathered on this one too.
  const again = [...cut].filter(({ op, outputs }) => op === gatherWords && outputs.some((id) => read.has(id)));
  return {
    tensors: graph.tensors.with(frontier, kept),
    nodes: [{ ...first, attributes, outputs }, ...again, ...rest],
  };
}

/** Name of the data that the one input is gathered from. */
export const inputOf = (graph: Graph): string => tensorAt(graph, gatherOf(graph).inputs[0] as number).name;

const gatherOf = ({ nodes }: Graph): Node => nodes.find(({ op }) => op === gather) ?? bug("a graph gathers no data");
