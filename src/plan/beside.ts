// Kernels that stand beside each other and read nothing of each other are one dispatch: the gradients of a layer's input and weight
// above all, which are made from the same numbers. Both run at once then, so what is read must stay while either writes, and lie in
// other arenas: nodes are joined as long as that adds next to nothing to the bytes that are alive at once, and the plan is good.

import { type Graph, isView, type Node, storageOf, tensorAt } from "../graph/graph.ts";
import { once } from "../op/op.ts";
import { lifetimesOf, liveBytes, spaceOf } from "./lifetime.ts";
import type { Plan } from "./plan.ts";

/** Up to which share of the most bytes that are alive at once nodes are joined: the first of these whose plan is good enough. */
const SHARES = [1.01, 0.9, 0.7];

/** What a plan with joined nodes may take beside the most bytes at once, and beside what there is of another program. */
const [MOST_PLANNED, MOST_BEYOND] = [1.1, 1.01];

/** Storage buffers of a stage, of which every device has as many. */
export const MOST_BUFFERS = 8;

/** The graph with such nodes marked where the plan allows it, and the plan. `room`: as of `plan`. */
export function planBeside(
  graph: Graph,
  kept: ReadonlySet<number>,
  room: ReadonlyMap<string, number>,
  planOf: (graph: Graph) => Plan,
): { readonly graph: Graph; readonly planned: Plan } {
  const there = [...room.values()].reduce((a, b) => a + b, 0);
  const bytesOf = ({ arenas }: Plan): number =>
    [...arenas].reduce((sum, [name, bytes]) => sum + Math.max(0, bytes - (room.get(name) ?? 0)), there);
  const alone = once(() => planOf(graph));
  for (const share of SHARES) {
    const joined = besideEachOther(graph, kept, share);
    const planned = planOf(joined);
    const enough = there === 0 ? MOST_PLANNED * planned.report.lowerBound : MOST_BEYOND * there;
    if (bytesOf(planned) <= enough || bytesOf(planned) <= bytesOf(alone())) return { graph: joined, planned };
  }
  return { graph, planned: alone() };
}

/** How many buffers these take: whatever is read of the weights is seen through two, in fours and by single numbers. */
function buffersOf(graph: Graph, ids: ReadonlySet<number>): number {
  const roles = [...ids].map((id) => tensorAt(graph, id).role);
  const others = roles.filter((role) => role !== "parameter" && role !== "base").length;
  // A gradient is asked, by the help of the metrics.
  return others + Math.min(2, roles.length - others) + Number(roles.includes("gradient"));
}

/** The graph with such nodes marked, where at most this share of the most bytes at once is alive. */
export function besideEachOther(graph: Graph, kept: ReadonlySet<number>, share = 1.01): Graph {
  const live = liveBytes(lifetimesOf(graph, kept));
  const most = share * Math.max(...live);
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
