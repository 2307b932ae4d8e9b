// Kernels that stand beside each other and read nothing of each other are one dispatch: the gradients of a layer's input and weight
// above all, which are made from the same numbers. So is one that works row by row behind a product whose workgroups make rows whole:
// each goes on with its own. What is read must stay while either writes, and lie in other arenas: nodes are joined as long as that adds
// next to nothing to the bytes that are alive at once, and the plan is good.

import { type Graph, isView, type Node, namedTensors, storageOf, tensorAt } from "../graph/graph.ts";
import { lifetimesOf, liveBytes, spaceOf } from "./lifetime.ts";
import type { Plan } from "./plan.ts";

/** A fiftieth more than is alive at once anyway: layers of one kind are then joined alike, also where most is alive, and share a text. */
const SHARE = 1.02;

/**
 * Up to which share of the most bytes that are alive at once nodes are joined, and which share what one of them makes may be: the first
 * of these whose plan is good enough, or else what takes the least.
 */
const WAYS = [
  [SHARE, 1],
  [0.9, 1],
  [0.7, 1],
  [SHARE, 0.02],
] as const;

/** What a plan with joined nodes may take beside the most bytes at once, or beside what there is of another program, or at all. */
const [MOST_PLANNED, MOST_BEYOND, SMALL] = [1.1, 1.01, 2 ** 16];

/** Storage buffers of a stage, of which every device has as many. */
export const MOST_BUFFERS = 8;

/** The graph with such nodes marked where the plan allows it, and the plan. `room`: as of `plan`; `mostBuffers` of a dispatch. */
export function planBeside(
  graph: Graph,
  kept: ReadonlySet<number>,
  room: ReadonlyMap<string, number>,
  planOf: (graph: Graph) => Plan,
  mostBuffers = MOST_BUFFERS,
): { readonly graph: Graph; readonly planned: Plan } {
  const there = [...room.values()].reduce((a, b) => a + b, 0);
  const bytesOf = ({ arenas }: Plan): number =>
    [...arenas].reduce((sum, [name, bytes]) => sum + Math.max(0, bytes - (room.get(name) ?? 0)), there);
  let best: { readonly graph: Graph; readonly planned: Plan } | undefined;
  for (const [share, mostMade] of WAYS) {
    const joined = besideEachOther(graph, kept, share, mostMade, mostBuffers);
    const planned = planOf(joined);
    const enough = Math.max(MOST_PLANNED * planned.report.lowerBound, MOST_BEYOND * there, SMALL);
    if (bytesOf(planned) <= enough) return { graph: joined, planned };
    if (best === undefined || bytesOf(planned) < bytesOf(best.planned)) best = { graph: joined, planned };
  }
  const planned = planOf(graph);
  return best === undefined || bytesOf(planned) < bytesOf(best.planned) ? { graph, planned } : best;
}

/** How many buffers these take: whatever is read of the weights is seen through two, in fours and by single numbers. */
function buffersOf(graph: Graph, ids: ReadonlySet<number>): number {
  const roles = [...ids].map((id) => tensorAt(graph, id).role);
  const others = roles.filter((role) => role !== "parameter" && role !== "base" && role !== "metrics").length;
  // A gradient is asked, by the help of the metrics.
  const asks = roles.includes("gradient") || roles.includes("metrics");
  return others + Math.min(2, roles.filter((role) => role === "parameter" || role === "base").length) + Number(asks);
}

/** Whether a kernel reads of what the one before it makes a row at a time, of those that a workgroup can make whole. */
function followsRows(graph: Graph, before: Node, node: Node): boolean {
  const asked = node.op.kernel?.rows?.({ tensors: namedTensors(graph, node), attributes: node.attributes });
  const length = before.op.kernel?.lines?.({ tensors: namedTensors(graph, before), attributes: before.attributes });
  const made = before.outputs[0] as number;
  return (
    asked !== undefined &&
    length !== undefined &&
    length % asked.length === 0 &&
    node.inputs.every((id, i) => (storageOf(graph, id) === made) === (node.op.inputs[i] === asked.of))
  );
}

/** How far a node may come forward to stand beside others: what it makes is there so much sooner. */
const WINDOW = 2;

/**
 * The graph with such nodes marked, where at most this share of the most bytes at once is alive and one that joins makes at most
 * `mostMade` of them.
 */
export function besideEachOther(
  graph: Graph,
  kept: ReadonlySet<number>,
  share = SHARE,
  mostMade = 1,
  mostBuffers = MOST_BUFFERS,
): Graph {
  const live = liveBytes(lifetimesOf(graph, kept));
  const most = Math.max(...live);
  const storages = (ids: readonly number[]): readonly number[] => ids.map((id) => storageOf(graph, id));
  const roleOf = (id: number) => tensorAt(graph, id).role;
  /** What is still to come, with the bytes that are alive there. */
  const rest = graph.nodes.map((node, at) => ({ node, bytes: live[at] as number }));
  /** What the dispatch under way reads and writes, and the bytes that are alive in it; the last of its nodes that nobody follows yet. */
  let [reads, writes, held] = [new Set<number>(), new Set<number>(), Number.POSITIVE_INFINITY];
  let last: Node | undefined;
  const nodes: Node[] = [];
  for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
    const { node, bytes } = next;
    const isPart = isView(graph, node) || joins(node);
    if (isPart) {
      take(node, !isView(graph, node));
      continue;
    }
    // Before a dispatch ends, what stands a little later may come forward into it.
    const ahead = comesForward(next);
    if (ahead !== undefined) {
      rest.unshift(next);
      take(ahead, true);
      continue;
    }
    [reads, writes, last] = [new Set(), new Set(), undefined];
    held = node.op.kernel?.beside === true ? bytes : Number.POSITIVE_INFINITY;
    take(node, false);
  }
  return { tensors: graph.tensors, nodes };

  function made({ outputs }: Node): number {
    const activations = storages(outputs).filter((id) => roleOf(id) === "activation");
    return activations.reduce((sum, id) => sum + spaceOf(tensorAt(graph, id)), 0);
  }

  function follows(node: Node): boolean {
    const given = storages(node.inputs).filter((id) => writes.has(id));
    return given.length > 0 && given.every((id) => id === last?.outputs[0]) && followsRows(graph, last as Node, node);
  }

  function joins(node: Node): boolean {
    const [from, to] = [storages(node.inputs), storages(node.outputs)];
    const own = made(node);
    // Each run of the metrics goes on with what the one before it left.
    const isAgain = [...writes, ...to].filter((id) => roleOf(id) === "metrics").length > 1;
    return (
      node.op.kernel?.beside === true &&
      !isAgain &&
      held + own <= share * most &&
      own <= mostMade * most &&
      buffersOf(graph, new Set([...reads, ...writes, ...from, ...to])) <= mostBuffers &&
      (from.every((id) => !writes.has(id)) || follows(node))
    );
  }

  /** The first of those a little later that joins, reads nothing of what it passes by, and is no burden there. */
  function comesForward(next: (typeof rest)[number]): Node | undefined {
    const passed = new Set(storages(next.node.outputs));
    let bytes = next.bytes;
    for (const one of rest.filter(({ node }) => !isView(graph, node)).slice(0, WINDOW)) {
      const { node } = one;
      if (storages(node.inputs).every((id) => !passed.has(id)) && bytes + made(node) <= share * most && joins(node)) {
        rest.splice(rest.indexOf(one), 1);
        return node;
      }
      for (const id of storages(node.outputs)) passed.add(id);
      bytes = Math.max(bytes, one.bytes);
    }
    return undefined;
  }

  function take(node: Node, isPart: boolean): void {
    if (isView(graph, node)) {
      nodes.push(node);
      return;
    }
    const after = isPart && follows(node);
    held += isPart ? made(node) : 0;
    for (const id of storages(node.inputs)) reads.add(id);
    for (const id of storages(node.outputs)) writes.add(id);
    last = node.op.kernel?.beside === true && !after ? node : undefined;
    nodes.push(isPart ? { ...node, beside: true, ...(after && { after }) } : node);
  }
}
