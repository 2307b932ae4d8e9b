// A checksum of samples, of every byte of them, so that arrays that changed in place are noticed and equal content is known
// again. Four lanes of words, each step a bijection of lane and word: one changed word always changes its lane.

import { described, isList } from "./numbers.ts";

/** Bytes that are copied at a time where they cannot be read as words. */
const CHUNK = 65_536;
const MOST_DEPTH = 12;

/**
 * 128 bits of x, y, mean, std and scale, as text. Equal content in arrays of one type gives equal text, wherever it lies in
 * memory. Nothing is checked: what `pack` refuses has a fingerprint too, and never that of numbers.
 */
export function fingerprint(samples: unknown): string {
  const lanes = Int32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
  const bytes = new Uint8Array(CHUNK);
  const doubles = new Float64Array(bytes.buffer);

  const copied = (length: number): void => {
    const words = Math.ceil(length / 16) * 4;
    bytes.fill(0, length, words * 4);
    mixWords(lanes, new Uint32Array(bytes.buffer, 0, words));
  };
  const text = (word: string): void =>
    mixWords(
      lanes,
      Uint32Array.from({ length: word.length + 1 }, (_, i) => word.charCodeAt(i) || word.length),
    );
  const view = (given: ArrayBufferView): void => {
    const { buffer, byteOffset, byteLength } = given;
    text(`${Object.prototype.toString.call(given)} ${byteLength}`);
    const whole = byteOffset % 4 === 0 ? byteLength - (byteLength % 16) : 0;
    mixWords(lanes, new Uint32Array(buffer, byteOffset - (byteOffset % 4), whole / 4));
    for (let at = whole; at < byteLength; at += CHUNK) {
      const length = Math.min(CHUNK, byteLength - at);
      bytes.set(new Uint8Array(buffer, byteOffset + at, length));
      copied(length);
    }
  };
  const list = (given: ArrayLike<unknown>, depth: number): void => {
    text(`list ${given.length}`);
    for (let at = 0; at < given.length; ) {
      let i = 0;
      while (i < doubles.length && at < given.length && typeof given[at] === "number")
        doubles[i++] = given[at++] as number;
      copied(i * 8);
      if (i > 0 || at >= given.length) continue;
      mix(given[at], depth + 1);
      at++;
    }
  };
  const mix = (given: unknown, depth: number): void => {
    if (ArrayBuffer.isView(given)) view(given);
    else if (isList(given) && depth < MOST_DEPTH) list(given, depth);
    else text(described(given));
  };

  const entries = Object(samples) as Readonly<Record<string, unknown>>;
  for (const key of ["x", "y", "mean", "std", "scale"]) {
    text(key);
    mix(entries[key], 0);
  }
  return [...lanes].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Mixes words into the lanes by turns. */
function mixWords(lanes: Int32Array, words: Uint32Array): void {
  let [a, b, c, d] = lanes as unknown as [number, number, number, number];
  const whole = words.length - (words.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a = turn(a, words[i] as number);
    b = turn(b, words[i + 1] as number);
    c = turn(c, words[i + 2] as number);
    d = turn(d, words[i + 3] as number);
  }
  for (let i = whole; i < words.length; i++) {
    const next = turn(a, words[i] as number);
    [a, b, c, d] = [b, c, d, next];
  }
  lanes.set([a, b, c, d]);
}

/** The rotation brings the highest bits, such as signs, to where a product spreads them. */
function turn(lane: number, word: number): number {
  const product = Math.imul(lane ^ word, 0x9e3779b1);
  return (product << 15) | (product >>> 17);
}
