// A checksum of samples, of every byte of them, so that arrays that changed in place are noticed and equal content is known
// again. Four lanes of words, each step a bijection of lane and word: one changed word always changes its lane.

import { isRecord } from "../option.ts";
import { described, isList, MOST_AXES } from "./numbers.ts";

/** Numbers of a plain array that are copied at a time. */
const CHUNK = 8192;

/**
 * 128 bits of x, y, weight, mean, std and scale, as text. Equal content in arrays of one type gives equal text, wherever it lies in
 * memory. Nothing is checked: what `pack` refuses has a fingerprint too, and never that of numbers.
 */
export function fingerprint(samples: unknown): string {
  const lanes = Int32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
  const doubles = new Float64Array(CHUNK);
  const encoder = new TextEncoder();

  /** Four words at a time, the last ones filled up with zeros. */
  const mixBytes = (given: Uint8Array): void => {
    const { buffer, byteOffset, length } = given.byteOffset % 4 === 0 ? given : given.slice();
    const whole = length - (length % 16);
    const rest = new Uint8Array(16);
    rest.set(new Uint8Array(buffer, byteOffset + whole, length - whole));
    mixWords(lanes, new Uint32Array(buffer, byteOffset, whole / 4));
    if (length > whole) mixWords(lanes, new Uint32Array(rest.buffer));
  };
  const mixText = (text: string): void => mixBytes(encoder.encode(text));
  const mixList = (given: ArrayLike<unknown>, depth: number): void => {
    for (let at = 0; at < given.length; ) {
      let i = 0;
      while (i < doubles.length && typeof given[at] === "number") doubles[i++] = given[at++] as number;
      mixBytes(new Uint8Array(doubles.buffer, 0, i * 8));
      if (i === 0) mix(given[at++], depth + 1);
    }
  };
  const mix = (given: unknown, depth = 0): void => {
    mixText(`${described(given)};`);
    if (ArrayBuffer.isView(given)) mixBytes(new Uint8Array(given.buffer, given.byteOffset, given.byteLength));
    else if (isList(given) && depth < MOST_AXES) mixList(given, depth);
    else if (isRecord(given) && depth === 0) {
      for (const [name, part] of Object.entries(given)) {
        mixText(name);
        mix(part, 1);
      }
    }
  };

  const { x, y, weight, mean, std, scale } = Object(samples) as Readonly<Record<string, unknown>>;
  for (const entry of [x, y, weight, mean, std, scale]) mix(entry);
  return lanes.join();
}

function mixWords(lanes: Int32Array, words: Uint32Array): void {
  let [a, b, c, d] = lanes as unknown as [number, number, number, number];
  for (let i = 0; i < words.length; i += 4) {
    a = turn(a, words[i] as number);
    b = turn(b, words[i + 1] as number);
    c = turn(c, words[i + 2] as number);
    d = turn(d, words[i + 3] as number);
  }
  lanes.set([a, b, c, d]);
}

/** The rotation brings the highest bits, such as signs, to where a product spreads them. */
function turn(lane: number, word: number): number {
  const product = Math.imul(lane ^ word, 0x9e3779b1);
  return (product << 15) | (product >>> 17);
}
