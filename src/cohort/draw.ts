// Numbers that a race draws: each a pure function of the seed and of where it is used, so that a race repeats.

/** Uniform in [0, 1), by a bijection of 32-bit words for each word in turn. */
export function uniform(...words: readonly number[]): number {
  const bits = words.reduce((hash, word) => {
    let x = Math.imul((hash ^ word) + 1, 0x9e3779b1) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  }, 0x243f6a88);
  return bits / 2 ** 32;
}

/** A range of rates. */
export type Range = readonly [lo: number, hi: number];

/** A number for each copy, log-uniform: each part of the range that is 1 / copies of it has one of them. */
export function spreadOver([lo, hi]: Range, copies: number, seed: number, group: number): number[] {
  const order = Array.from({ length: copies }, (_, k) => k);
  for (let i = copies - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, group, 0, i) * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order.map((part, k) => lo * (hi / lo) ** ((part + uniform(seed, group, 1, k)) / copies));
}

/** A factor from 1 / jitter to jitter, log-uniform. */
export const jittered = (jitter: number, ...words: readonly number[]): number => jitter ** (2 * uniform(...words) - 1);
