// Counter-based random numbers: the i-th number of a stream is a pure function of (stream, i), so nothing has to be
// stored or restored to continue a stream, and tensors or epochs cannot disturb each other's numbers.

/** A 32-bit stream key from a seed and a word, for example a tensor's name or an epoch's number. */
export function stream(seed: number, word: string | number): number {
  let hash = mix(seed >>> 0);
  for (const letter of String(word)) hash = mix(hash ^ letter.charCodeAt(0));
  return hash;
}

/** The i-th 32-bit word of a stream. */
export function word(key: number, i: number): number {
  return mix((Math.imul(i, 0x9e3779b1) + key) >>> 0);
}

/** The i-th number of a stream, uniform in [0, 1). */
export function uniform(key: number, i: number): number {
  return word(key, i) / 2 ** 32;
}

/** The i-th number of a stream, normal with mean 0 and deviation 1 (Box and Muller 1958). */
export function normal(key: number, i: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(key, 2 * i)));
  return radius * Math.cos(2 * Math.PI * uniform(key, 2 * i + 1));
}

/** A permutation of 0 .. count-1 (Fisher and Yates), one for each key. */
export function permutation(count: number, key: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform(key, i) * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}

/** A bijection of 32-bit words with good avalanche (the `lowbias32` constants found by C. Wellons). */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
