// Kernels that stand beside each other and read nothing of each other are one dispatch: the gradients of a layer's input and weight
// above all, which are made from the same numbers. Both run at once then, so what is read must stay while either writes, and lie in
// other arenas: nodes are joined as long as the plan of memory allows, first of all where few bytes are alive.

import { type Graph, isView, type Node, storageOf, tensorAt } from "../graph/graph.ts";
import { once } from "../op/op.ts";
import type { Role } from "../op/tensor.ts";
import { lifetimesOf, liveBytes, spaceOf } from "./lifetime.ts";
import type { Plan } from "./plan.ts";

/** Up to which share of the most bytes that are alive at once nodes are joined: the first that does, of these. */
const SHARES = [1.01, 0.9, 0.75, 0.5];

/** What a plan may take beside the most bytes that are alive at once, and beyond what there is from another program. */
const [MOST_PLANNED, MOST_BEYOND] = [1.1, 1.01];

/** Storage buffers of a stage, of which every device has as many. */
export const MOST_BUFFERS = 8;

/** How many buffers these take at most: weights of one arena can be read by one range of it in fours, and one of single numbers. */
function buffersOf(graph: Graph, ids: ReadonlySet<number>): number {
  const roles = [...ids].map((id) => tensorAt(graph, id).role);
  const count = (role: Role): number => roles.filter((one) => one === role).length;
  const isGradient = Number(roles.includes("gradient")); // it is asked by the help of the metrics
  return (["parameter", "base"] as const).reduce(
    (sum, role) => sum - Math.max(0, count(role) - 2),
    ids.size + isGradient,
  );
}

/** The graph with such nodes marked, and its plan, which takes as much as the law allows or as without. `room`: as of `plan`. */
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

/** The graph with such nodes marked where at most this share of the most bytes at once is alive. */
export function besideEachOther(graph: Graph, kept: ReadonlySet<number>, share = 1): Graph {
  const { lifetimes, accesses } = lifetimesOf(graph, kept);
  const live = liveBytes({ lifetimes, accesses });
  const most = share * Math.max(...live);
  /** The dispatch under way, what it reads and writes, and the bytes that are alive in it. */
  let [reads, writes, held] = [new Set<number>(), new Set<number>(), Number.POSITIVE_INFINITY];
  const nodes = graph.nodes.map((node, at): Node => {
    if (isView(graph, node)) return node;
    const [from, to] = [node.inputs, node.outputs].map((ids) => ids.map((id) => storageOf(graph, id)));
    const more = to!.map((id) => tensorAt(graph, id)).filter(({ role }) => role === "activation");
    const bytes = held + more.reduce((sum, tensor) => sum + spaceOf(tensor), 0);
    const all = [new Set([...reads, ...from!]), new Set([...writes, ...to!])] as const;
    const isBeside =
      node.op.kernel?.beside === true &&
      bytes <= most &&
      from!.every((id) => !writes.has(id)) &&
      buffersOf(graph, new Set([...all[0], ...all[1]])) <= MOST_BUFFERS;
    if (isBeside) [reads, writes, held] = [...all, bytes];
    else {
      const isFirst = node.op.kernel?.beside === true;
      [reads, writes, held] = [new Set(from), new Set(to), isFirst ? live[at]! : Number.POSITIVE_INFINITY];
    }
    return isBeside ? { ...node, beside: true } : node;
  });
  return { tensors: graph.tensors, nodes };
}
