// The memory plan for activations, under two laws that WebGPU sets:
//   1. no two tensors alive at once share bytes of an arena;
//   2. no node reads from an arena that it writes to, since a buffer is all read-only or all writable in a dispatch.
// A greedy colouring in node order obeys law 2, first fit by falling size obeys law 1; a short seeded search then moves
// single tensors between arenas while that makes the sum of the arenas smaller.

import { bug } from "../errors.ts";
import { uniform } from "../random.ts";
import { type Access, alive, type Lifetime, type Lifetimes, lowerBound } from "./lifetime.ts";

export interface Spot {
  readonly arena: number;
  /** In bytes. */
  readonly offset: number;
}

export interface ArenaPlan {
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  readonly spots: ReadonlyMap<number, Spot>;
}

/** Pairwise comparisons that the search may spend: well under a tenth of a second. */
const EFFORT = 4e6;
const MOST_ARENAS = 4;

export function planArenas(lifetimes: Lifetimes): ArenaPlan {
  const bySize = [...lifetimes.lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first || a.id - b.id);
  const forbidden = neighbours(lifetimes.accesses);
  let colours = greedyColours(lifetimes.accesses, forbidden);
  let best = place(bySize, colours);
  const enough = lowerBound(lifetimes);
  const count = Math.max(2, Math.min(MOST_ARENAS, best.arenas.length + 1));
  const tries = bySize.length < 2 ? 0 : Math.floor(EFFORT / bySize.length ** 2);
  for (let i = 0; i < tries && total(best) > enough; i++) {
    const moved = bySize[Math.floor(uniform(1, 2 * i) * bySize.length)] as Lifetime;
    const arena = Math.floor(uniform(1, 2 * i + 1) * count);
    if (colours.get(moved.id) === arena) continue;
    const swap = new Map(colours).set(moved.id, arena);
    if (!settle(moved.id, arena, colours.get(moved.id) as number, swap, forbidden)) continue;
    const plan = place(bySize, swap);
    if (total(plan) <= total(best)) {
      best = plan;
      colours = swap;
    }
  }
  return best;
}

export const total = (plan: ArenaPlan): number => plan.arenas.reduce((a, b) => a + b, 0);

/** For each tensor, those that law 2 keeps out of its arena. */
function neighbours(accesses: readonly Access[]): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  const add = (a: number, b: number) => found.set(a, (found.get(a) ?? new Set()).add(b));
  for (const { reads, writes } of accesses) {
    for (const read of reads) {
      for (const write of writes) {
        if (read === write) bug(`tensor ${read} is read and written by one node`);
        add(read, write);
        add(write, read);
      }
    }
  }
  return found;
}

/** Each tensor goes, when it is first written, into the first arena that holds none of its neighbours. */
function greedyColours(accesses: readonly Access[], forbidden: Map<number, Set<number>>): Map<number, number> {
  const colours = new Map<number, number>();
  for (const { reads, writes } of accesses) {
    for (const id of [...reads, ...writes]) {
      if (colours.has(id)) continue;
      const taken = new Set([...(forbidden.get(id) ?? [])].map((other) => colours.get(other)));
      let arena = 0;
      while (taken.has(arena)) arena++;
      colours.set(id, arena);
    }
  }
  return colours;
}

/** After `id` moved from arena `from` to `to`, sends the neighbours that it met there the other way, and so on. */
function settle(
  id: number,
  to: number,
  from: number,
  colours: Map<number, number>,
  forbidden: Map<number, Set<number>>,
): boolean {
  const queue: [number, number, number][] = [[id, to, from]];
  const moved = new Set([id]);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [tensor, arena, back] = next;
    for (const other of forbidden.get(tensor) ?? []) {
      if (colours.get(other) !== arena) continue;
      if (moved.has(other)) return false;
      moved.add(other);
      colours.set(other, back);
      queue.push([other, back, arena]);
    }
  }
  return true;
}

/** Offsets for a given choice of arenas: larger tensors first, each at the lowest place that is free all its life. */
function place(bySize: readonly Lifetime[], colours: ReadonlyMap<number, number>): ArenaPlan {
  const spots = new Map<number, Spot>();
  const placed: { span: Lifetime; spot: Spot }[] = [];
  const arenas: number[] = [];
  for (const span of bySize) {
    const arena = colours.get(span.id) ?? bug(`tensor ${span.id} has no arena`);
    const inTheWay = placed
      .filter((other) => other.spot.arena === arena && alive(other.span, span))
      .sort((a, b) => a.spot.offset - b.spot.offset);
    let offset = 0;
    for (const other of inTheWay) {
      if (other.spot.offset - offset >= span.bytes) break;
      offset = Math.max(offset, other.spot.offset + other.span.bytes);
    }
    const spot = { arena, offset };
    spots.set(span.id, spot);
    placed.push({ span, spot });
    while (arenas.length <= arena) arenas.push(0);
    arenas[arena] = Math.max(arenas[arena] as number, offset + span.bytes);
  }
  return { arenas, spots };
}
