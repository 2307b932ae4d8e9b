// Bytes of a file, read in order: every length is held against what is left before it is used.

import type { Refuse } from "./refuse.ts";

export interface ByteReader {
  /** The place of the next byte. */
  readonly at: () => number;
  readonly left: () => number;
  readonly byte: (what: string) => number;
  /** Little-endian, without a sign. */
  readonly unsigned: (bytes: 2 | 4, what: string) => number;
  readonly int32: (what: string) => number;
  /** Little-endian without a sign, refused beyond 2^53. */
  readonly unsigned64: (what: string) => number;
  /** Big-endian, as pickles have them. */
  readonly float64: (what: string) => number;
  /** A view, no copy. */
  readonly bytes: (count: number, what: string) => Uint8Array;
  /** Up to the next line end, which is passed over. */
  readonly line: (what: string) => string;
  readonly text: (count: number, what: string) => string;
}

/** Reads `bytes` from `start` on. `refuse` is told the byte. */
export function byteReader(bytes: Uint8Array, refuse: Refuse, start = 0): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let at = start;
  const take = (count: number, what: string): number => {
    if (count > bytes.length - at)
      refuse(`byte ${at}: ${what} needs ${count} bytes, the file has ${Math.max(0, bytes.length - at)} more`);
    at += count;
    return at - count;
  };
  const textOf = (part: Uint8Array, what: string): string => {
    try {
      return decoder.decode(part);
    } catch {
      return refuse(`byte ${at - part.length}: ${what} is no UTF-8 text`);
    }
  };
  return {
    at: () => at,
    left: () => bytes.length - at,
    byte: (what) => view.getUint8(take(1, what)),
    unsigned: (count, what) =>
      count === 2 ? view.getUint16(take(2, what), true) : view.getUint32(take(4, what), true),
    int32: (what) => view.getInt32(take(4, what), true),
    unsigned64(what) {
      const from = take(8, what);
      const number = view.getBigUint64(from, true);
      if (number > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`byte ${from}: ${what} is ${number}, beyond 2^53`);
      return Number(number);
    },
    float64: (what) => view.getFloat64(take(8, what)),
    bytes(count, what) {
      const from = take(count, what);
      return bytes.subarray(from, from + count);
    },
    line(what) {
      const end = bytes.indexOf(10, at);
      if (end < 0) refuse(`byte ${at}: ${what} has no line end`);
      const part = bytes.subarray(at, end);
      at = end + 1;
      return textOf(part, what);
    },
    text(count, what) {
      const from = take(count, what);
      return textOf(bytes.subarray(from, from + count), what);
    },
  };
}
