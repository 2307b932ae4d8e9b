// Random numbers by Philox4x32-10 (Salmon et al. 2011): number i of a stream is a pure function of seed, draw, path and i,
// so nothing is stored or restored to continue, and no two streams are windows of one sequence. The key is (seed, draw), the
// counter (hash of the path, block of four numbers). Only exact operations: the same bits on every engine; normals within
// 1e-6 of shaders/parts/philox.wgsl, words and uniforms equal to it.

/** Where random numbers come from. All parts are 32-bit words. */
export interface Stream {
  readonly seed: number;
  /** Which draw of the same path and seed, for what is drawn again and again. */
  readonly draw: number;
  /** The path's hash of 64 bits, as two words. */
  readonly path: readonly [number, number];
}

/** Numbers of one stream, one after the other: what an initializer draws from. */
export interface Random {
  /** The next number, uniform in [0, 1), a multiple of 2^-24. */
  readonly uniform: () => number;
  /** The next number, normal with mean 0 and deviation 1. */
  readonly normal: () => number;
}

/** The stream of a path under a seed, for example of a tensor's name; one stream for each `draw`. */
export const stream = (seed: number, path: string | number, draw = 0): Stream => ({
  seed: seed >>> 0,
  draw: draw >>> 0,
  path: hashOf(String(path)),
});

/** A bare number stands for the stream of that seed without a path. */
const streamOf = (from: Stream | number): Stream =>
  typeof from === "number" ? { seed: from >>> 0, draw: 0, path: [0, 0] } : from;

/** The i-th 32-bit word of a stream. */
export function word(from: Stream | number, i: number): number {
  fillBlock(streamOf(from), Math.floor(i / 4));
  return block[i % 4] as number;
}

/** The i-th number of a stream, uniform in [0, 1), a multiple of 2^-24. */
export const uniform = (from: Stream | number, i: number): number => unit(word(from, i));

/** The i-th number of a stream, normal with mean 0 and deviation 1. */
export function normal(from: Stream | number, i: number): number {
  fillBlock(streamOf(from), Math.floor(i / 4));
  fillNormals();
  return normals[i % 4] as number;
}

/** Draws from the start of a stream. What is uniform and what is normal never shares a word. */
export function randomFrom(from: Stream): Random {
  const found = new Float64Array(4);
  let blocks = 0;
  let lane = 4;
  let isNormal = false;
  const next = (wanted: boolean): number => {
    if (lane === 4 || wanted !== isNormal) {
      fillBlock(from, blocks++);
      if (wanted) fillNormals();
      for (let i = 0; i < 4; i++) found[i] = wanted ? normals[i]! : unit(block[i]!);
      isNormal = wanted;
      lane = 0;
    }
    return found[lane++] as number;
  };
  return { uniform: () => next(false), normal: () => next(true) };
}

/**
 * A permutation of 0 .. count-1, one for each stream (Fisher and Yates). Each choice has 53 bits of its own, so the odds of
 * two orders differ by less than count^2 / 2^53 of themselves.
 */
export function permutation(count: number, from: Stream | number): Uint32Array<ArrayBuffer> {
  const source = streamOf(from);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    if (i % 2 === 1 || i === count - 1) fillBlock(source, i >> 1);
    const lane = 2 * (i % 2);
    const choice = ((block[lane]! >>> 5) * 2 ** 26 + (block[lane + 1]! >>> 6)) / 2 ** 53;
    const j = Math.floor(choice * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}

/** The last block of words and what became of it: kept here, so that no number costs an allocation. */
const block = new Uint32Array(4);
const normals = new Float64Array(4);

const unit = (bits: number): number => (bits >>> 8) * 2 ** -24;

function fillBlock({ seed, draw, path }: Stream, at: number): void {
  philox(seed, draw, path[0], path[1], at, Math.floor(at / 2 ** 32));
}

/** Ten rounds over the counter (c0, c1, c2, c3) under the key (k0, k1), into `block`. */
export function philox(k0: number, k1: number, c0: number, c1: number, c2: number, c3: number): Uint32Array {
  let a = c0 | 0;
  let b = c1 | 0;
  let c = c2 | 0;
  let d = c3 | 0;
  let key0 = k0 | 0;
  let key1 = k1 | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(a, 0xd251, 0x1f53);
    const high1 = highProduct(c, 0xcd9e, 0x8d57);
    const low0 = Math.imul(a, 0xd2511f53);
    a = high1 ^ b ^ key0;
    b = Math.imul(c, 0xcd9e8d57);
    c = high0 ^ d ^ key1;
    d = low0;
    key0 = (key0 + 0x9e3779b9) | 0;
    key1 = (key1 + 0xbb67ae85) | 0;
  }
  block[0] = a;
  block[1] = b;
  block[2] = c;
  block[3] = d;
  return block;
}

/** The upper word of the product of two words, the second one given by halves: products of halves fit into a word. */
function highProduct(a: number, high: number, low: number): number {
  const upper = a >>> 16;
  const lower = a & 0xffff;
  const middle = (Math.imul(upper, low) + (Math.imul(lower, low) >>> 16)) | 0;
  const other = (Math.imul(lower, high) + (middle & 0xffff)) | 0;
  return (Math.imul(upper, high) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** A hash of 64 bits: Philox over four letter pairs at a time, keyed by what came before and at first by the length. */
export function hashOf(text: string): [number, number] {
  let hash: [number, number] = [text.length, 0];
  for (let at = 0; at < text.length; at += 8) {
    const pair = (i: number): number => text.charCodeAt(at + i) | (text.charCodeAt(at + i + 1) << 16);
    const [first, second] = philox(hash[0], hash[1], pair(0), pair(2), pair(4), pair(6));
    hash = [first as number, second as number];
  }
  return hash;
}

/** `block` as four normal numbers (Box and Muller 1958): two words give a radius and an angle, these two numbers. */
function fillNormals(): void {
  for (let lane = 0; lane < 4; lane += 2) {
    const radius = Math.sqrt(minusTwoLog(block[lane]!));
    // The angle in quarter turns: the nearest whole one, and the rest in 24 bits, which is never 0.
    const bits = block[lane + 1]!;
    const x = (((bits << 2) >> 8) + 0.5) * 2 ** -24;
    const z = x * x;
    const sine = x * (1.57079637 + z * (-0.64596349 + z * (0.079680033 + z * -0.00460165786)));
    const cosine = 1 + z * (-1.23370051 + z * (0.253669202 + z * (-0.0208600722 + z * 0.000903631677)));
    const quarter = (bits + 0x20000000) >>> 30;
    const turned = quarter < 2 ? radius : -radius;
    const isOdd = (quarter & 1) === 1;
    normals[lane] = turned * (isOdd ? -sine : cosine);
    normals[lane + 1] = turned * (isOdd ? cosine : sine);
  }
}

/** -2 ln(u) of u = (bits + 1/2) / 2^32, to 1e-8 of itself. Near 1, u is taken from above, where 1 - u is exact. */
function minusTwoLog(bits: number): number {
  let f = (-0.5 - (~bits >>> 0)) * 2 ** -32;
  let exponent = 0;
  if (bits < 0xb504f333) {
    exponent = Math.clz32(bits) + 1;
    f = (bits + 0.5) * 2 ** (exponent - 32);
    // From [1, 2) to [sqrt(1/2), sqrt(2)), so that the polynomial is short.
    if (f >= Math.SQRT2) {
      f *= 0.5;
      exponent--;
    }
    f -= 1;
  }
  let p = 0.152422443;
  p = p * f - 0.258093297;
  p = p * f + 0.264869213;
  p = p * f - 0.283636689;
  p = p * f + 0.332180262;
  p = p * f - 0.400039375;
  p = p * f + 0.50003171;
  p = p * f - 0.666666508;
  p = p * f + 0.999999762;
  p = p * f - 2;
  return exponent * 1.38629436 + p * f;
}
