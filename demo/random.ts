// Random numbers that a text decides, such as a seed and a step: the same run draws the same, whatever was drawn before.

/** Uniform in [0, 1), one after the other (mulberry32, from the FNV-1a hash of the text). */
export function uniforms(text: string): () => number {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mean 0, deviation 1 (Box and Muller 1958). */
export function normals(count: number, text: string): Float32Array<ArrayBuffer> {
  const next = uniforms(text);
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

/** The numbers below `count` in an order that the text decides (Fisher and Yates). */
export function permutation(count: number, text: string): Uint32Array<ArrayBuffer> {
  const next = uniforms(text);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
