// Every byte counts: any change in place is noticed, and equal content is known again wherever it lies.

import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprint } from "../../src/data/fingerprint.ts";

const floats = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, (_, i) => Math.sin(i));

test("any bit of any number changes it, in any kind of array", () => {
  const kinds = [Uint8Array, Int16Array, Float32Array, Float64Array, Uint8ClampedArray] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.integer({ min: 1, max: 70_000 }),
      fc.nat(),
      fc.nat(7),
      (Kind, length, at, bit) => {
        const x = new Kind(Array.from({ length }, (_, i) => i % 251));
        const before = fingerprint({ x, y: [0] });
        const bytes = new Uint8Array(x.buffer);
        bytes[at % bytes.length]! ^= 1 << bit;
        expect(fingerprint({ x, y: [0] })).not.toBe(before);
        bytes[at % bytes.length]! ^= 1 << bit;
        expect(fingerprint({ x, y: [0] })).toBe(before);
      },
    ),
    { numRuns: 60 },
  );
});

test("changes that a plain product would lose: signs of two numbers of one lane, and two numbers that change places", () => {
  const x = floats(64);
  const of = (change: (y: Float32Array) => void): string => {
    const copy = x.slice();
    change(copy);
    return fingerprint({ x: copy });
  };
  const seen = new Set([fingerprint({ x })]);
  let count = 1;
  const take = (change: (y: Float32Array) => void): void => {
    seen.add(of(change));
    count++;
  };
  take((y) => y.set(y.map((value) => -value)));
  for (let i = 1; i < 60; i++) {
    take((y) => y.set([-y[i]!, y[i + 1]!, y[i + 2]!, y[i + 3]!, -y[i + 4]!].slice(0, 64 - i), i));
    take((y) => y.set([y[i + 4]!, y[i + 1]!, y[i + 2]!, y[i + 3]!, y[i]!].slice(0, 64 - i), i));
  }
  expect(seen.size).toBe(count);
});

test("equal content is equal, at odd places, in shared memory, and as fresh objects", () => {
  for (const length of [1, 7, 15, 16, 17, 65_535, 65_536, 65_553, 200_001]) {
    const x = Uint8Array.from({ length }, (_, i) => i % 253);
    const whole = fingerprint({ x, y: [1] });
    for (const start of [1, 2, 4, 16]) {
      const moved = new Uint8Array(length + 32);
      moved.set(x, start);
      expect(fingerprint({ y: [1], x: moved.subarray(start, start + length) })).toBe(whole);
    }
    const shared = new Uint8Array(new SharedArrayBuffer(length));
    shared.set(x);
    expect(fingerprint({ x: shared, y: [1] })).toBe(whole);
  }
});

test("kind, length, place and nesting are told apart, and what is no number", () => {
  const all: unknown[] = [
    { x: [], y: [] },
    { x: [0], y: [] },
    { x: [], y: [0] },
    { x: [0, 0] },
    { x: [[0], 0] },
    { x: [0, [0]] },
    { x: [[0, 0]] },
    { x: [[0], [0]] },
    { x: [null, 0] },
    { x: [0, null] },
    { x: [undefined, 0] },
    { x: ["0", 0] },
    { x: [false, 0] },
    { x: [-0, 0] },
    { x: new Uint8Array(8) },
    { x: new Uint8Array(9) },
    { x: new Uint8ClampedArray(8) },
    { x: new Float32Array(2) },
    { x: new Float64Array(1) },
    { x: [new Float32Array(1), new Float32Array(1)] },
    { x: [0, 0], mean: 0.5 },
    { x: [0, 0], std: 0.5 },
    { x: [0, 0], mean: [0.5] },
    { x: [0, 0], mean: "0.5" },
    { x: [0, 0], scale: false },
    { x: [0, 0], scale: true },
    undefined,
  ];
  const found = all.map(fingerprint);
  expect(new Set(found).size).toBe(all.length);
  for (const one of found) expect(one).toMatch(/^(-?\d{1,10},){3}-?\d{1,10}$/);
  expect(all.map(fingerprint)).toEqual(found);
});

test("plain arrays longer than what is copied at a time", () => {
  const x = Array.from({ length: 20_000 }, (_, i) => i / 3);
  const before = fingerprint({ x });
  for (const at of [0, 8191, 8192, 16_384, 19_999]) {
    const other = x.with(at, 0.1);
    expect(fingerprint({ x: other })).not.toBe(before);
    expect(fingerprint({ x: (other as unknown[]).with(at, null) })).not.toBe(fingerprint({ x: other.with(at, 0) }));
  }
});
