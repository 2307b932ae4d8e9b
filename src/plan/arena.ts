// The memory plan for activations, under two laws that WebGPU sets:
//   1. no two tensors alive at once share bytes of an arena;
//   2. no node reads from an arena that it writes to, since a buffer is all read-only or all writable in a dispatch.
// A greedy colouring in node order obeys law 2, first fit by falling size obeys law 1; a short seeded search then moves
// single tensors between arenas while that makes the sum of the arenas smaller. Programs of a trainer share arenas, so that what
// counts is what the first of them has not.

import { uniform } from "../random.ts";
import { type Access, alive, type Lifetime, type Lifetimes, lowerBound } from "./lifetime.ts";

export interface Spot {
  readonly arena: number;
  /** In bytes. */
  readonly offset: number;
}

export interface ArenaPlan {
  /** Bytes of each arena; 0 where there is room that it has no use for. */
  readonly arenas: readonly number[];
  readonly spots: ReadonlyMap<number, Spot>;
}

/** Pairwise comparisons that the search may spend: well under a tenth of a second. */
const EFFORT = 4e6;
/** What a try costs before anything is compared. */
const TRY = 1000;
const MOST_ARENAS = 4;

/** One arena: how long it is, and where its tensors begin. */
interface Packed {
  readonly bytes: number;
  readonly offsets: ReadonlyMap<number, number>;
}

/** `room`: bytes of arenas that are there for other programs, and cost nothing. */
export function planArenas(lifetimes: Lifetimes, room: readonly number[] = []): ArenaPlan {
  const costOf = (packed: readonly Packed[]): number =>
    arranged(packed, room).reduce((sum, { bytes }, arena) => sum + Math.max(bytes, room[arena] ?? 0), 0);
  const found = search(lifetimes, room);
  // Of what is almost as another program, that one's way may be the better one.
  const alone = room.length === 0 || costOf(found) <= enoughFor(lifetimes, room) ? found : search(lifetimes, []);
  const best = arranged(costOf(alone) < costOf(found) ? alone : found, room);
  const arenas = best.filter(({ bytes }, arena) => bytes > 0 || arena < room.length);
  const spots = arenas.flatMap(({ offsets }, arena) =>
    [...offsets].map(([id, offset]) => [id, { arena, offset }] as const),
  );
  return { arenas: arenas.map(({ bytes }) => bytes), spots: new Map(spots) };
}

const enoughFor = (lifetimes: Lifetimes, room: readonly number[]): number =>
  Math.max(
    lowerBound(lifetimes),
    room.reduce((a, b) => a + b, 0),
  );

/** The longest arena where there is most room. */
function arranged(packed: readonly Packed[], room: readonly number[]): readonly Packed[] {
  if (room.length === 0) return packed;
  const lengths = [...packed].sort((a, b) => b.bytes - a.bytes);
  const most = [...lengths.keys()].sort((a, b) => (room[b] ?? 0) - (room[a] ?? 0));
  return lengths.map((_, arena) => lengths[most.indexOf(arena)] as Packed);
}

function search(lifetimes: Lifetimes, room: readonly number[]): readonly Packed[] {
  const bySize = [...lifetimes.lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first || a.id - b.id);
  const forbidden = neighbours(lifetimes.accesses);
  let colours = greedyColours(lifetimes.accesses, forbidden);
  const pack = (arena: number, of = colours): Packed => place(bySize.filter(({ id }) => of.get(id) === arena));
  const used = Math.max(0, ...colours.values()) + 1;
  const count = Math.max(2, room.length, Math.min(MOST_ARENAS, used + 1));
  const packed = Array.from({ length: Math.max(used, count) }, (_, arena) => pack(arena));
  const cost = (arena: number, { bytes } = packed[arena] as Packed): number => Math.max(bytes, room[arena] ?? 0);
  const total = (): number => packed.reduce((sum, one, arena) => sum + cost(arena, one), 0);
  const enough = enoughFor(lifetimes, room);
  let spent = bySize.length < 2 ? EFFORT : 0;
  for (let i = 0; spent < EFFORT && total() > enough; i++) {
    spent += TRY;
    const { id } = bySize[Math.floor(uniform(1, 2 * i) * bySize.length)] as Lifetime;
    const to = Math.floor(uniform(1, 2 * i + 1) * count);
    const from = colours.get(id) as number;
    if (from === to) continue;
    const swapped = new Map(colours).set(id, to);
    if (!settle(id, to, from, swapped, forbidden)) continue;
    // Whatever moved did so between these two; the others stay as they are.
    const both = [pack(to, swapped), pack(from, swapped)] as const;
    spent += both[0].offsets.size ** 2 + both[1].offsets.size ** 2;
    if (cost(to, both[0]) + cost(from, both[1]) > cost(to) + cost(from)) continue;
    [packed[to], packed[from]] = both;
    colours = swapped;
  }
  return packed;
}

/** For each tensor, those that law 2 keeps out of its arena. */
function neighbours(accesses: readonly Access[]): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  const add = (a: number, b: number) => found.set(a, (found.get(a) ?? new Set()).add(b));
  for (const { reads, writes } of accesses) {
    for (const read of reads) {
      for (const write of writes) {
        if (read === write) continue;
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

/** Offsets of the tensors of an arena: larger ones first, each at the lowest place that is free all its life. */
function place(bySize: readonly Lifetime[]): Packed {
  const offsets = new Map<number, number>();
  /** From the lowest to the highest. */
  const placed: { readonly span: Lifetime; readonly offset: number }[] = [];
  let bytes = 0;
  for (const span of bySize) {
    let offset = 0;
    for (const other of placed) {
      if (!alive(other.span, span)) continue;
      if (other.offset - offset >= span.bytes) break;
      offset = Math.max(offset, other.offset + other.span.bytes);
    }
    const above = placed.findIndex((other) => other.offset > offset);
    placed.splice(above < 0 ? placed.length : above, 0, { span, offset });
    offsets.set(span.id, offset);
    bytes = Math.max(bytes, offset + span.bytes);
  }
  return { bytes, offsets };
}
