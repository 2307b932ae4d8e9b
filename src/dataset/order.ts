// The order of an epoch: a function of seed, epoch and group alone, so that a run which goes on in the midst of an epoch finds it again.

/** Words of 32 bits of a stream for each list of keys, by sfc32 (Doty-Humphrey): 96 bits that the keys fill, and a counter. */
function words(keys: readonly number[]): () => number {
  let [a, b, c, counter] = [0, 0, 0, 1];
  const next = (): number => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // Each key is mixed into all of the state before the next one comes.
  for (const key of keys) {
    a ^= key;
    c ^= Math.floor(key / 2 ** 32);
    for (let i = 0; i < 12; i++) next();
  }
  return next;
}

/** A permutation of 0 .. count-1 for these keys (Fisher and Yates). */
export function permutation(count: number, ...keys: readonly number[]): Uint32Array<ArrayBuffer> {
  const next = words(keys);
  const order = inOrder(count);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(((next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53) * (i + 1));
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
  return order;
}

/** The numbers from 0 to before `count`. */
export const inOrder = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);

/** Rows that stand in memory together. */
export interface Group {
  /** Their numbers, ascending. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Which of `rows` comes when. */
  readonly order: Uint32Array<ArrayBuffer>;
}

/** What decides the order of all epochs. */
export interface Course {
  readonly count: number;
  /** Rows that are neighbours in the file and stay together in the order of blocks. */
  readonly block: number;
  /** Blocks that stand in memory together. */
  readonly window: number;
  readonly seed: number;
  readonly shuffle: boolean;
}

/** The groups of an epoch, one after the other: blocks in a drawn order, so many at a time, and of these all rows in a drawn order. */
export function* groupsOf({ count, block, window, seed, shuffle }: Course, epoch: number): Generator<Group> {
  const blocks = Math.ceil(count / block);
  const order = shuffle ? permutation(blocks, seed, epoch) : inOrder(blocks);
  for (let at = 0; at < blocks; at += window) {
    const own = order.subarray(at, at + window).toSorted();
    const last = own.at(-1) as number;
    const rows = new Uint32Array(own.length * block - Math.max(0, (last + 1) * block - count));
    // The last block of the file may be short, and is the last one here too.
    for (let i = 0; i < rows.length; i++) rows[i] = (own[Math.floor(i / block)] as number) * block + (i % block);
    yield { rows, order: shuffle ? permutation(rows.length, seed, epoch, at + 1) : inOrder(rows.length) };
  }
}
