// Which activations are worth to be computed again: segments that a pattern names, or those that need the least memory. Nothing is
// computed more than twice, so a step takes at most one more way forward.

import { dependents } from "../graph/backward.ts";
import { type Graph, isView, type Node, storageOf, tensorAt } from "../graph/graph.ts";
import { recompute, type Segments, segmentsAt, wayForward } from "../graph/recompute.ts";
import { lifetimesOf, lowerBound, spaceOf } from "./lifetime.ts";

/** The graph with segments at the paths computed again, or with those segments that need the least memory. */
export function lean(graph: Graph, loss: number, paths: ReadonlySet<string> | "auto"): Graph {
  const need = (candidate: Graph): number => lowerBound(lifetimesOf(candidate, new Set()));
  const candidates = paths === "auto" ? cheapest(graph, loss) : [segmentsAt(graph.nodes, paths)];
  let best = { graph, bytes: Number.POSITIVE_INFINITY, segments: candidates[0] };
  for (const segments of candidates) {
    const made = recompute(graph, loss, segments);
    const bytes = need(made);
    if (bytes < best.bytes) best = { graph: made, bytes, segments };
  }
  const { segments } = best;
  if (segments === undefined) return graph;
  // A segment whose second run saves nothing, such as the last one, is spared it.
  const spared = new Set<string | number>();
  for (const segment of [...new Set(segments.values())].reverse()) {
    const made = recompute(graph, loss, segments, new Set([...spared, segment]));
    const bytes = need(made);
    if (bytes > best.bytes) continue;
    spared.add(segment);
    best = { graph: made, bytes, segments };
  }
  return best.graph;
}

/**
 * Runs of nodes that fit into less and less memory. On the way back a segment needs what it makes beside the inputs of those before
 * it, so later ones are shorter: n equal layers take about the root of 2 n, where equal segments take 2 roots of n.
 */
function cheapest(graph: Graph, loss: number): Segments[] {
  const all = wayForward(graph, loss);
  // Frozen layers at the input run once: they would run for the sake of the one tensor that they hand on.
  const moving = dependents(
    graph,
    new Set(graph.tensors.flatMap(({ role, of = -1 }) => (role === "gradient" ? [of] : []))),
  );
  const first = all.findIndex(({ outputs }) => outputs.some((id) => moving.has(id)));
  const nodes = first < 0 ? [] : all.slice(first, -1);
  const made = madeBy(graph, nodes, new Set(all));
  const found: Segments[] = [];
  for (let budget = Number.POSITIVE_INFINITY; budget > 0; ) {
    const fit = fitting(made, budget);
    if (fit === undefined) break;
    found.push(new Map(nodes.map((node, at) => [node, fit.segments[at] as number])));
    budget = fit.most * (1 - 1 / 32);
  }
  return found;
}

/** What a node makes. */
interface Made {
  readonly bytes: number;
  /** Whether the way back reads it. */
  readonly saved: boolean;
  /** The last of the nodes that reads it. */
  readonly last: number;
}

function madeBy(graph: Graph, nodes: readonly Node[], forward: ReadonlySet<Node>): Made[][] {
  const reads = (node: Node): number[] => (isView(graph, node) ? [] : node.inputs.map((id) => storageOf(graph, id)));
  const last = new Map(nodes.flatMap((node, at) => reads(node).map((id) => [id, at])));
  const saved = new Set(graph.nodes.filter((node) => !forward.has(node)).flatMap(reads));
  return nodes.map(({ outputs }) =>
    outputs
      .map((id) => tensorAt(graph, id))
      .filter(({ view, role }) => view === undefined && role === "activation")
      .map((tensor) => ({ bytes: spaceOf(tensor), saved: saved.has(tensor.id), last: last.get(tensor.id) ?? -1 })),
  );
}

/** The segment of each node, with the least that is kept between segments which need no more than `budget`; and what they need. */
function fitting(made: readonly (readonly Made[])[], budget: number) {
  /** For the nodes before each place: bytes kept, where their last segment begins, and the most that one needs. */
  const places: { kept: number; start: number; most: number }[] = [{ kept: 0, start: 0, most: 0 }];
  for (let end = 1; end <= made.length; end++) {
    let best = { kept: Number.POSITIVE_INFINITY, start: 0, most: Number.POSITIVE_INFINITY };
    let inner = 0;
    let crossing = 0;
    for (let start = end - 1; start >= 0 && inner <= budget; start--) {
      for (const { bytes, saved, last } of made[start] as readonly Made[]) {
        if (saved) inner += bytes;
        if (last >= end) crossing += bytes;
      }
      const { kept, most } = places[start] as (typeof places)[number];
      if (kept + inner > budget || kept + crossing >= best.kept) continue;
      best = { kept: kept + crossing, start, most: Math.max(most, kept + inner) };
    }
    places.push(best);
  }
  const { most } = places[made.length] as (typeof places)[number];
  if (most === Number.POSITIVE_INFINITY) return undefined;
  const segments: number[] = [];
  for (let end = made.length; end > 0; ) {
    const { start } = places[end] as (typeof places)[number];
    for (let at = start; at < end; at++) segments[at] = start;
    end = start;
  }
  return { segments, most };
}
