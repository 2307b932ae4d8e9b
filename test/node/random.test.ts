// Random numbers: Philox as published, pure functions of stream and place, uniform or normal as they promise, no word in two
// streams, and shuffles that lose nothing.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normal, permutation, philox, randomFrom, stream, uniform, word } from "../../src/random.ts";
import { normalCdf } from "../reference/normal.ts";

const key = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Pearson's statistic of counts that should all be equal; close to the number of counts, with deviation sqrt(2 n). */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

const expectEven = (counts: readonly number[]): void =>
  expect(unevenness(counts)).toBeLessThan(counts.length + 5 * Math.sqrt(2 * counts.length));

/** The largest distance between the distribution of values and `cdf`, times the root of their number (Kolmogorov). */
function kolmogorov(values: Float64Array, cdf: (x: number) => number): number {
  let most = 0;
  for (const [i, value] of values.sort().entries()) {
    const expected = cdf(value);
    most = Math.max(most, expected - i / values.length, (i + 1) / values.length - expected);
  }
  return most * Math.sqrt(values.length);
}

/** Beyond it with odds of 4e-6. */
const MOST_DISTANCE = 2.55;

/** Names and shapes of GPT-2's weights with 124 million numbers. */
const gpt2: readonly (readonly [name: string, length: number])[] = [
  ["wte.weight", 50257 * 768],
  ["wpe.weight", 1024 * 768],
  ...Array.from({ length: 12 }, (_, i): [string, number][] => [
    [`h.${i}.ln_1.weight`, 768],
    [`h.${i}.attn.c_attn.weight`, 768 * 2304],
    [`h.${i}.attn.c_proj.weight`, 768 * 768],
    [`h.${i}.ln_2.weight`, 768],
    [`h.${i}.mlp.c_fc.weight`, 768 * 3072],
    [`h.${i}.mlp.c_proj.weight`, 3072 * 768],
  ]).flat(),
  ["ln_f.weight", 768],
];

describe("Philox4x32-10", () => {
  // The known answers of Random123 1.14, kat_vectors: counter, key, result.
  test.each([
    ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("of %s is as published", (counter, key, result) => {
    const wordsOf = (text: string) => text.split(" ").map((hex) => Number.parseInt(hex, 16));
    const [k0, k1] = wordsOf(key) as [number, number];
    const [c0, c1, c2, c3] = wordsOf(counter) as [number, number, number, number];
    expect([...philox(k0, k1, c0, c1, c2, c3)]).toEqual(wordsOf(result));
  });

  test("agrees with products of 64 bits for any key and counter", () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word, word, word), ([k0, k1, ...counter]) => {
        let [a, b, c, d] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
        let [key0, key1] = [BigInt(k0), BigInt(k1)];
        for (let round = 0; round < 10; round++) {
          const [p0, p1] = [a * 0xd2511f53n, c * 0xcd9e8d57n];
          [a, b, c, d] = [(p1 >> 32n) ^ b ^ key0, p1 & 0xffffffffn, (p0 >> 32n) ^ d ^ key1, p0 & 0xffffffffn];
          [key0, key1] = [(key0 + 0x9e3779b9n) & 0xffffffffn, (key1 + 0xbb67ae85n) & 0xffffffffn];
        }
        expect([...philox(k0, k1, ...counter)]).toEqual([a, b, c, d].map(Number));
      }),
    );
  });
});

describe("streams", () => {
  test("are fixed for all time: other numbers would be other trainings", () => {
    expect([stream(0, "head.weight").path, stream(1, "epoch 1", 3)]).toMatchInlineSnapshot(`
      [
        [
          72544126,
          3034321488,
        ],
        {
          "draw": 3,
          "path": [
            2724302345,
            3134352223,
          ],
          "seed": 1,
        },
      ]
    `);
    expect([0, 1, 5].map((i) => word(stream(7, "x"), i))).toMatchInlineSnapshot(`
      [
        668756095,
        3659051996,
        712434507,
      ]
    `);
  });

  test("count on beyond 32 bits", () => {
    const from = stream(7, "x");
    expect(word(from, 4 * 2 ** 32 + 1)).toBe(philox(7, 0, ...from.path, 0, 1)[1]);
  });

  test("differ by seed, draw and path in what Philox is given, so that no two are parts of one sequence", () => {
    const paths = new Set(gpt2.map(([name]) => stream(0, name).path.join()));
    expect(paths.size).toBe(gpt2.length);
    const all = Array.from({ length: 20 }, (_, seed) =>
      Array.from({ length: 20 }, (_, draw) => JSON.stringify(stream(seed, "a", draw))),
    );
    expect(new Set(all.flat()).size).toBe(400);
  });

  test("share no run of words: neither tensors of GPT-2's shapes nor neighbouring seeds", () => {
    const seen = new Set<bigint>();
    let drawn = 0;
    for (const seed of [0, 1, 2]) {
      for (const [name, length] of gpt2) {
        const from = stream(seed, name);
        const many = Math.min(1000, length);
        for (let i = 0; i < many; i++, drawn++) {
          const at = Math.floor((i / many) * length);
          seen.add((BigInt(word(from, at)) << 32n) | BigInt(word(from, at + 1)));
        }
      }
    }
    expect(seen.size).toBe(drawn);
  });

  test("of two hundred thousand names have hashes of their own, as even as chance in each half", () => {
    const names = Array.from({ length: 100_000 }, (_, i) => [
      `blocks.${i >> 3}.${i & 7}.weight`,
      `layer${i}.bias`,
    ]).flat();
    const hashes = names.map((name) => stream(0, name).path);
    expect(new Set(hashes.map(([a, b]) => a * 2 ** 21 + (b >>> 11))).size).toBe(names.length);
    for (const half of [0, 1] as const) {
      const counts = Array<number>(256).fill(0);
      for (const path of hashes) counts[path[half] >>> 24]!++;
      expectEven(counts);
      // Pairs that fall together among 2^32: 4.7 are expected.
      expect(names.length - new Set(hashes.map((path) => path[half])).size).toBeLessThan(20);
    }
  });

  test("of neighbouring keys have nothing to do with one another", () => {
    const n = 4000;
    const neighbours = [stream(0, "a"), stream(1, "a"), stream(0, "a", 1), stream(0, "b"), stream(0, "")];
    for (const [at, one] of neighbours.entries()) {
      for (const other of neighbours.slice(at + 1)) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += (uniform(one, i) - 0.5) * (uniform(other, i) - 0.5);
        expect(Math.abs(sum / n) * 12).toBeLessThan(5 / Math.sqrt(n));
      }
    }
  });
});

describe("drawing one after the other", () => {
  test("gives the numbers of the stream in order", () => {
    const from = stream(3, "x");
    const [first, second] = [randomFrom(from), randomFrom(from)];
    expect(Array.from({ length: 9 }, first.uniform)).toEqual(Array.from({ length: 9 }, (_, i) => uniform(from, i)));
    expect(Array.from({ length: 9 }, second.normal)).toEqual(Array.from({ length: 9 }, (_, i) => normal(from, i)));
  });

  test("in turn, of both kinds, takes no word twice", () => {
    const { uniform, normal } = randomFrom(stream(3, "x"));
    const n = 20_000;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += normal() * (uniform() - 0.5);
    expect(Math.abs(sum / n) * Math.sqrt(12)).toBeLessThan(5 / Math.sqrt(n));
  });
});

describe("uniform", () => {
  test("is in [0, 1)", () => {
    fc.assert(
      fc.property(key, fc.nat(), (k, i) => {
        const value = uniform(k, i);
        expect(value >= 0 && value < 1).toBe(true);
      }),
    );
  });

  test("falls into all parts alike, also by pairs", () => {
    const counts = Array<number>(64).fill(0);
    const pairs = Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) {
      const [a, b] = [uniform(stream(3, "x"), i), uniform(stream(3, "x"), i + 1)];
      counts[Math.floor(a * 64)]!++;
      pairs[8 * Math.floor(a * 8) + Math.floor(b * 8)]!++;
    }
    expectEven(counts);
    expectEven(pairs);
    const values = Float64Array.from({ length: 200_000 }, randomFrom(stream(4, "u")).uniform);
    expect(kolmogorov(values, (x) => x)).toBeLessThan(MOST_DISTANCE);
  });
});

describe("normal", () => {
  const n = 1_000_000;
  const { normal: next } = randomFrom(stream(5, "n"));
  const values = Float64Array.from({ length: n }, next);

  test("has the moments of a normal distribution", () => {
    const spread = 5 / Math.sqrt(n);
    const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / n;
    // The deviations of these means: the root of the (2 power)-th moment less the square of the power-th.
    for (const [power, expected, deviation] of [
      [1, 0, 1],
      [2, 1, Math.sqrt(2)],
      [3, 0, Math.sqrt(15)],
      [4, 3, Math.sqrt(96)],
      [6, 15, Math.sqrt(10395 - 225)],
    ] as const) {
      expect(Math.abs(moment(power) - expected), `moment ${power}`).toBeLessThan(spread * deviation);
    }
  });

  test("has its distribution, in the middle and in the tails", () => {
    expect(kolmogorov(values.slice(), normalCdf)).toBeLessThan(MOST_DISTANCE);
    for (const limit of [2, 3, 4, 4.5]) {
      const expected = n * normalCdf(-limit);
      for (const sign of [-1, 1]) {
        const found = values.reduce((count, value) => count + (sign * value > limit ? 1 : 0), 0);
        expect(Math.abs(found - expected), `beyond ${sign * limit}`).toBeLessThan(5 * Math.sqrt(expected) + 1);
      }
    }
  });

  test("is even by pairs: radius and angle of neighbours", () => {
    const angles = new Float64Array(n / 2).map((_, i) => Math.atan2(values[2 * i + 1]!, values[2 * i]!));
    const squares = new Float64Array(n / 2).map((_, i) => values[2 * i]! ** 2 + values[2 * i + 1]! ** 2);
    expect(kolmogorov(angles, (a) => a / (2 * Math.PI) + 0.5)).toBeLessThan(MOST_DISTANCE);
    expect(kolmogorov(squares, (s) => 1 - Math.exp(-s / 2))).toBeLessThan(MOST_DISTANCE);
    // Across the blocks: a number and the one four places on.
    let sum = 0;
    for (let i = 4; i < n; i++) sum += values[i]! * values[i - 4]!;
    expect(Math.abs(sum / n)).toBeLessThan(5 / Math.sqrt(n));
  });

  test("is the radius and the angle of its words, to 1e-7", () => {
    const from = stream(9, "n");
    for (let i = 0; i < 40_000; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((word(from, i) + 0.5) / 2 ** 32));
      const angle = (2 * Math.PI * ((word(from, i + 1) & ~63) + 32)) / 2 ** 32;
      expect(Math.abs(normal(from, i) - radius * Math.cos(angle))).toBeLessThan(1e-7);
      expect(Math.abs(normal(from, i + 1) - radius * Math.sin(angle))).toBeLessThan(1e-7);
    }
  });

  test("is finite for every key", () => {
    fc.assert(fc.property(key, fc.nat(), (k, i) => Number.isFinite(normal(k, i))));
  });
});

describe("permutation", () => {
  test("holds every number once", () => {
    fc.assert(
      fc.property(fc.nat(300), key, (count, k) => {
        const order = permutation(count, k);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  test("is the same for the same key and another for another", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(permutation(50, a)).toEqual(permutation(50, a));
        if (a !== b) expect(permutation(50, a)).not.toEqual(permutation(50, b));
      }),
    );
  });

  test("puts every number in every place alike", () => {
    const size = 8;
    const counts = Array<number>(size * size).fill(0);
    for (let k = 0; k < 8000; k++) {
      for (const [place, value] of permutation(size, stream(k, "epoch 0")).entries()) counts[size * place + value]!++;
    }
    expectEven(counts);
  });

  test("gives each order of four alike", () => {
    const counts = new Map<string, number>();
    for (let k = 0; k < 24_000; k++) {
      const order = permutation(4, stream(1, `epoch ${k}`)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expectEven([...counts.values()]);
  });
});
