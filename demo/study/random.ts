// Random numbers of the study, each a pure function of its place: the same run draws the same, whatever ran before it.

/** Uniform in [0, 1), by a bijection of 32-bit words. */
function uniform(i: number): number {
  let x = Math.imul(i + 1, 0x9e3779b1) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

/** Mean 0, deviation 1 (Box and Muller 1958). */
export function normal(i: number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1));
}

/** In the order of a seed (Fisher and Yates). */
export function shuffled<T>(values: readonly T[], seed: number): T[] {
  const order = [...values];
  const start = Math.floor(uniform(seed) * 2 ** 32);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(uniform(start + i) * (i + 1));
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}
