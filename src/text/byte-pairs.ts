// Byte-pair encoding (Sennrich et al. 2016): symbols of a text are joined pair by pair, of all pairs that there are the one of the least
// rank first, of equal ones the leftmost. A text may be cut between two symbols that stand side by side in no piece, since no joint
// would ever reach across; so it falls apart into short words, which come again and are kept.

import type { Unknown } from "./tokenizer.ts";

/** What a pair becomes. */
export interface Merge {
  readonly rank: number;
  readonly token: number;
}

export interface Pieces {
  /** What each token stands for, in symbols; those that take no part in merges are left out. */
  readonly tokens: ReadonlyMap<string, number>;
  /** By `pairKey`. */
  readonly merges: ReadonlyMap<number, Merge>;
  /** The tokens of a symbol that is no piece; none if it cannot be said. */
  readonly otherwise: (symbol: string) => readonly number[] | undefined;
}

/** The key of a pair of tokens, of which there are fewer than 2^26. */
export const pairKey = (left: number, right: number): number => left * 2 ** 26 + right;

/** So many words are kept, of so many characters at most. */
const MOST_WORDS = 1 << 16;
const MOST_LENGTH = 64;

/** Puts the tokens of a text behind others. */
export type Encoder = (text: string, tokens: number[]) => void;

/** What encodes texts of such pieces. */
export function bytePairs(pieces: Pieces): Encoder {
  const joins = neighbours(pieces.tokens.keys());
  const kept = new Map<string, readonly number[]>();
  const wordOf = (word: string): readonly number[] => {
    const before = kept.get(word);
    if (before !== undefined) return before;
    const found = joined(symbolsOf(word, pieces), pieces.merges);
    if (word.length <= MOST_LENGTH) {
      if (kept.size >= MOST_WORDS) kept.clear();
      kept.set(word, found);
    }
    return found;
  };
  return (text, tokens) => {
    let begin = 0;
    let last = -1;
    for (let at = 0; at < text.length; ) {
      const symbol = text.codePointAt(at) as number;
      if (at > begin && joins.get(last)?.has(symbol) !== true) {
        for (const token of wordOf(text.slice(begin, at))) tokens.push(token);
        begin = at;
      }
      last = symbol;
      at += symbol > 0xffff ? 2 : 1;
    }
    if (begin < text.length) for (const token of wordOf(text.slice(begin))) tokens.push(token);
  };
}

/** For each symbol those that stand behind it in some piece. */
function neighbours(pieces: Iterable<string>): ReadonlyMap<number, ReadonlySet<number>> {
  const found = new Map<number, Set<number>>();
  for (const piece of pieces) {
    const symbols = Array.from(piece, (symbol) => symbol.codePointAt(0) as number);
    for (const [i, symbol] of symbols.slice(1).entries()) {
      const left = symbols[i] as number;
      const behind = found.get(left) ?? new Set();
      found.set(left, behind.add(symbol));
    }
  }
  return found;
}

function symbolsOf(word: string, { tokens, otherwise }: Pieces): number[] {
  const found: number[] = [];
  for (const symbol of word) {
    const token = tokens.get(symbol);
    if (token !== undefined) {
      found.push(token);
      continue;
    }
    const others = otherwise(symbol);
    if (others === undefined) throw { unknown: symbol } satisfies Unknown;
    found.push(...others);
  }
  return found;
}

/** A pair that may be joined, where its first token stood when it was found. */
interface Candidate extends Merge {
  readonly at: number;
  readonly left: number;
  readonly right: number;
}

const isBefore = (a: Candidate, b: Candidate): boolean => a.rank < b.rank || (a.rank === b.rank && a.at < b.at);

/** Joins what can be joined. The tokens are a chain, the candidates a heap: n tokens take n log n steps. */
function joined(tokens: number[], merges: ReadonlyMap<number, Merge>): readonly number[] {
  const count = tokens.length;
  const next = Int32Array.from({ length: count }, (_, i) => i + 1);
  const before = Int32Array.from({ length: count }, (_, i) => i - 1);
  const heap: Candidate[] = [];
  const offer = (at: number): void => {
    const other = next[at] ?? count;
    if (at < 0 || other >= count) return;
    const [left, right] = [tokens[at] as number, tokens[other] as number];
    const merge = merges.get(pairKey(left, right));
    if (merge !== undefined) push(heap, { ...merge, at, left, right });
  };
  for (let at = 0; at + 1 < count; at++) offer(at);
  for (let best = pop(heap); best !== undefined; best = pop(heap)) {
    const { at, left, right, token } = best;
    const other = next[at] as number;
    // A token that was joined since then is -1, or stands for more.
    if (tokens[at] !== left || other >= count || tokens[other] !== right) continue;
    tokens[at] = token;
    tokens[other] = -1;
    const behind = next[other] as number;
    next[at] = behind;
    if (behind < count) before[behind] = at;
    offer(before[at] as number);
    offer(at);
  }
  return tokens.filter((token) => token >= 0);
}

function push(heap: Candidate[], one: Candidate): void {
  let at = heap.length;
  heap.push(one);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Candidate;
    if (!isBefore(one, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = one;
}

function pop(heap: Candidate[]): Candidate | undefined {
  const best = heap[0];
  const one = heap.pop();
  if (one === undefined || heap.length === 0) return best;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && isBefore(heap[below + 1] as Candidate, heap[below] as Candidate)) below++;
    const child = heap[below] as Candidate;
    if (!isBefore(child, one)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = one;
  return best;
}
