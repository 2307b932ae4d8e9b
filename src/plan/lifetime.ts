// From when to when each activation is needed: the facts that the memory plan is made from.

import { bug } from "../errors.ts";
import { type Graph, isView, storageOf, tensorAt } from "../graph/graph.ts";
import { byteSize, type Tensor } from "../op/tensor.ts";

/** Bytes are rounded up to the alignment of a buffer binding. */
export const ALIGNMENT = 256;

/** What a tensor takes in an arena. */
export const spaceOf = (tensor: Tensor): number => Math.ceil(byteSize(tensor) / ALIGNMENT) * ALIGNMENT;

export interface Lifetime {
  /** Id of the tensor that owns the bytes. */
  readonly id: number;
  readonly bytes: number;
  /** Index of the node that writes it first. */
  readonly first: number;
  /** Index of the last node that touches it. */
  readonly last: number;
}

/** One dispatch as the plan sees it: the activations that it reads and those that it writes. */
export interface Access {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

export interface Lifetimes {
  readonly lifetimes: readonly Lifetime[];
  readonly accesses: readonly Access[];
}

/** `kept` are tensors that are read after the last node. */
export function lifetimesOf(graph: Graph, kept: ReadonlySet<number>): Lifetimes {
  const found = new Map<number, { first: number; last: number }>();
  const isActivation = (id: number): boolean => tensorAt(graph, id).role === "activation";
  const storages = (ids: readonly number[]): number[] => [
    ...new Set(ids.map((id) => storageOf(graph, id)).filter(isActivation)),
  ];
  const accesses = graph.nodes.map((): { reads: number[]; writes: number[] } => ({ reads: [], writes: [] }));
  /** Where the dispatch under way begins: what stands beside its first node happens there. */
  let at = 0;
  for (const [place, node] of graph.nodes.entries()) {
    if (isView(graph, node)) continue;
    if (node.beside !== true) at = place;
    const own = storages(node.outputs).find((id) => storages(node.inputs).includes(id));
    if (own !== undefined) bug(`tensor ${own} is read and written by one node`);
    const { reads, writes } = accesses[at] as (typeof accesses)[number];
    reads.push(...storages(node.inputs).filter((id) => !reads.includes(id)));
    writes.push(...storages(node.outputs));
    for (const id of [...reads, ...writes]) {
      const span = found.get(id) ?? { first: at, last: at };
      found.set(id, { first: span.first, last: at });
    }
  }
  for (const id of storages([...kept])) {
    const span = found.get(id);
    if (span !== undefined) found.set(id, { ...span, last: graph.nodes.length });
  }
  const lifetimes = [...found].map(([id, { first, last }]) => {
    return { id, bytes: spaceOf(tensorAt(graph, id)), first, last };
  });
  return { lifetimes, accesses };
}

export const alive = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last;

/** Bytes that are alive at each node. */
export function liveBytes({ lifetimes, accesses }: Lifetimes): number[] {
  const changes = new Array<number>(accesses.length + 2).fill(0);
  for (const { first, last, bytes } of lifetimes) {
    changes[first] = (changes[first] as number) + bytes;
    changes[last + 1] = (changes[last + 1] as number) - bytes;
  }
  let live = 0;
  return changes.map((change) => {
    live += change;
    return live;
  });
}

/** The most bytes that are needed at one time: no plan can do with less. */
export const lowerBound = (lifetimes: Lifetimes): number => Math.max(...liveBytes(lifetimes));
