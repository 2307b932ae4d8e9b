// What x is scaled and shifted by: one number or one a channel, by samples or by the trainer, and what cannot be.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Samples } from "../../src/data/dataset.ts";
import {
  mergeNormalization,
  type Normalization,
  type OneNormalization,
  scalingOf,
} from "../../src/data/normalization.ts";
import { pack as packStreams } from "../../src/data/pack.ts";
import { demandOf, pack } from "../reference/streams.ts";

const image = demandOf([2, 2, 3], [2], true);
const pixels = Float32Array.from({ length: 12 }, (_, i) => i);

const refusal = (given: unknown, channels = 3): string => {
  try {
    scalingOf("fit", given as OneNormalization, false, channels);
    return "accepted";
  } catch (error) {
    return String(error);
  }
};

test("is v -> (v - mean) / std for each channel, bytes from [0, 1] or as counts", () => {
  const real = (least: number, most: number) => fc.double({ min: least, max: most, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom("f32", "bytes", "counts"),
      fc.infiniteStream(real(0.1, 9)),
      (channels, kind, random) => {
        const next = (): number => random.next().value as number;
        const [mean, std] = [0, 1].map(() => Array.from({ length: channels }, next)) as [number[], number[]];
        const { period, norm } = scalingOf("fit", { mean, std, scale: kind !== "counts" }, kind !== "f32", channels);
        expect([period % 4, period % channels, norm.length]).toEqual([0, 0, period * 2]);
        for (let i = 0; i < period; i++) {
          const [v, c] = [i * 3, i % channels];
          const expected = ((kind === "bytes" ? v / 255 : v) - mean[c]!) / std[c]!;
          expect(v * norm[i]! + norm[period + i]!).toBeCloseTo(expected, 3);
        }
      },
    ),
  );
});

test("takes one number with a list, and typed arrays", () => {
  const lists = scalingOf("fit", { mean: [1, 1, 1], std: [2, 3, 4] }, false, 3);
  expect(scalingOf("fit", { mean: 1, std: Float64Array.of(2, 3, 4) }, false, 3)).toEqual(lists);
  expect(scalingOf("fit", { mean: Uint8Array.of(1, 1, 1), std: [2, 3, 4] }, false, 3)).toEqual(lists);
});

test("is nothing where nothing changes, so that such data needs no pass of it", () => {
  for (const given of [{}, { mean: 0, std: 1 }, { mean: [0, 0, 0], std: [1, 1, 1] }, { scale: false }]) {
    expect(scalingOf("fit", given, false, 3)).toEqual({ period: 0, norm: new Float32Array(0) });
  }
  expect(scalingOf("fit", { scale: false }, true, 3).period).toBe(0);
  expect(scalingOf("fit", {}, true, 3).period).toBe(4);
});

test("means and deviations are no part of the format, so that they share one program", () => {
  const of = (given: Normalization) => pack("fit", { x: pixels, y: [0], ...given }, image).format;
  expect(of({ mean: 1 })).toEqual(of({ mean: 2, std: 3 }));
  expect(of({ mean: [1, 2, 3] })).toEqual(of({ std: [4, 5, 6] }));
});

test("what samples say goes before what the trainer says, entry by entry", () => {
  expect(mergeNormalization({ mean: 1, std: 2, scale: false }, { mean: [3] }, {})).toEqual({
    mean: [3],
    std: 2,
    scale: false,
  });
  const trainer = { mean: [1, 2, 3], std: 2 };
  const packed = (samples: Omit<Samples, "x" | "y">, defaults: Normalization) =>
    pack("fit", { x: pixels, y: [0], ...samples }, image, defaults);
  expect(packed({}, trainer)).toEqual(packed(trainer, {}));
  expect(packed({ std: 4 }, trainer)).toEqual(packed({ mean: [1, 2, 3], std: 4 }, {}));
  expect(packed({ mean: 0, std: 1 }, trainer).format.period).toBe(0);
});

test.each<[unknown, string]>([
  [
    { std: 0 },
    "OptionError: fit: std is 0 and mean 0. Both must be finite in f32 when divided by std, and std above 0; 1 leaves a channel as it is.",
  ],
  [{ std: -1 }, "OptionError: fit: std is -1 and mean 0."],
  [{ std: [1, 2, 0] }, "OptionError: fit: std, of channel 2, is 0 and mean 0."],
  [{ mean: [1, Number.NaN, 0] }, "OptionError: fit: std, of channel 1, is 1 and mean NaN."],
  [{ std: [1, 1e-50, 1] }, "OptionError: fit: std, of channel 1, is 1e-50 and mean 0."],
  [{ std: 1e39 * 1e10 }, "OptionError: fit: std is 1e+49 and mean 0."],
  [{ mean: Number.NaN }, "OptionError: fit: mean is NaN, it must be a finite number, or one for each channel."],
  [{ mean: null }, "OptionError: fit: mean is null, it must be a finite number"],
  [{ mean: "0.5" }, 'OptionError: fit: mean is "0.5", it must be a finite number'],
  [{ std: true }, "OptionError: fit: std is true, it must be a finite number"],
  [{ std: new Map() }, "OptionError: fit: std is a Map, it must be a finite number"],
  [{ std: new BigInt64Array(3) }, "OptionError: fit: std is a BigInt64Array of 3, it must be"],
  [{ mean: [1, null, 3] }, "DataError: fit: mean[1] is null. JSON writes NaN as null."],
  [
    { mean: [1, 2] },
    "ShapeError: fit: mean has 2 numbers, the input has 3 channels in its last axis. Give one number, or one for each channel.",
  ],
  [{ std: [] }, "ShapeError: fit: std has 0 numbers, the input has 3 channels"],
  [{ std: [[1, 2, 3]] }, "ShapeError: fit: std has shape [1,3], the input has 3 channels"],
  [{ scale: 0 }, "OptionError: fit: scale is 0, it must be true or false."],
])("%o is refused", (given, message) => {
  expect(refusal(given)).toContain(message);
});

test("is said of each of several inputs by name, or of all at once", () => {
  const inputs = [
    { name: "near", shape: [2] },
    { name: "far", shape: [3] },
  ];
  const streams = { inputs, targets: [{ name: "", shape: [] }], weights: [] };
  const x = { near: Uint8Array.of(1, 2), far: [1, 2, 3] };
  const packed = (how: Normalization) => packStreams("fit", { x, y: [0], ...how }, streams);
  const normOf = (how: Normalization, name: string) => packed(how).streams.get(`data.norm.${name}`)?.values;
  const one = { mean: { near: [1, 2], far: 3 }, scale: { near: false } };
  expect(normOf(one, "near")).toEqual(scalingOf("fit", { mean: [1, 2], scale: false }, true, 2).norm);
  expect(normOf(one, "far")).toEqual(scalingOf("fit", { mean: 3 }, false, 3).norm);
  expect(normOf({ std: 2 }, "far")).toEqual(normOf({ std: { near: 2, far: 2 } }, "far"));
  expect(packed({ mean: { near: 1 } }).format.inputs[1]).toEqual({ bytes: false, period: 0 });
  const wrong = () => packed({ mean: { nigh: 1 } });
  expect(wrong).toThrow('fit: mean has no "nigh". It may have near, far.');
  expect(() => pack("fit", { x: pixels, y: [0], mean: { x: 1 } }, image)).toThrow("mean is an Object");
});
