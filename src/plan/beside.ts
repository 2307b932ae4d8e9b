// Kernels that stand beside each other and read nothing of each other are one dispatch: the gradients of a layer's input and weight
// above all, which are made from the same numbers. Both run at once then, so what is read must stay while either writes, and lie in
// other arenas: nodes are joined as long as that adds next to nothing to the bytes that are alive at once, and the plan is as good.

import { type Graph, isView, type Node, storageOf, tensorAt } from "../graph/graph.ts";
import { lifetimesOf, liveBytes, spaceOf } from "./lifetime.ts";
import type { Plan } from "./plan.ts";

/** What joined nodes may add to the most bytes that are alive at once, or to the arenas of another program. */
const MORE = 1 / 100;

/** What a plan with joined nodes may take beside the most bytes that are alive at once. */
const MOST_PLANNED = 1.1;

/** Storage buffers of a stage, of which every device has as many. */
export const MOST_BUFFERS = 8;

/** The graph with such nodes marked where the plan allows it, and the plan. `room`: as of `plan`. */
export function planBeside(
  graph: Graph,
  kept: ReadonlySet<number>,
  room: ReadonlyMap<string, number>,
  planOf: (graph: Graph) => Plan,
): { readonly graph: Graph; readonly planned: Plan } {
  const joined = besideEachOther(graph, kept);
  const planned = planOf(joined);
  const there = [...room.values()].reduce((a, b) => a + b, 0);
  const bytes = [...planned.arenas].reduce((sum, [name, own]) => sum + Math.max(0, own - (room.get(name) ?? 0)), there);
  const most = there === 0 ? MOST_PLANNED * planned.report.lowerBound : (1 + MORE) * there;
  return bytes <= most ? { graph: joined, planned } : { graph, planned: planOf(graph) };
}

/** How many buffers these take: whatever is read of the weights is seen through two, in fours and by single numbers. */
function buffersOf(graph: Graph, ids: ReadonlySet<number>): number {
  const roles = [...ids].map((id) => tensorAt(graph, id).role);
  const others = roles.filter((role) => role !== "parameter" && role !== "base").length;
  // A gradient is asked, by the help of the metrics.
  return others + Math.min(2, roles.length - others) + Number(roles.includes("gradient"));
}

/** The graph with such nodes marked. */
export function besideEachOther(graph: Graph, kept: ReadonlySet<number>): Graph {
  const live = liveBytes(lifetimesOf(graph, kept));
  const most = (1 + MORE) * Math.max(...live);
  /** What the dispatch under way reads and writes, and the bytes that are alive in it. */
  let [reads, writes, held] = [new Set<number>(), new Set<number>(), Number.POSITIVE_INFINITY];
  const nodes = graph.nodes.map((node, at): Node => {
    if (isView(graph, node)) return node;
    const may = node.op.kernel?.beside === true;
    const [from, to] = [node.inputs, node.outputs].map((ids) => ids.map((id) => storageOf(graph, id))) as [
      number[],
      number[],
    ];
    const made = to.map((id) => tensorAt(graph, id)).filter(({ role }) => role === "activation");
    const bytes = made.reduce((sum, tensor) => sum + spaceOf(tensor), held);
    const beside =
      may &&
      bytes <= most &&
      !from.some((id) => writes.has(id)) &&
      buffersOf(graph, new Set([...reads, ...writes, ...from, ...to])) <= MOST_BUFFERS;
    if (!beside) [reads, writes] = [new Set(), new Set()];
    for (const id of from) reads.add(id);
    for (const id of to) writes.add(id);
    held = beside ? bytes : may ? (live[at] as number) : Number.POSITIVE_INFINITY;
    return beside ? { ...node, beside } : node;
  });
  return { tensors: graph.tensors, nodes };
}
