// Data as the user gives it: what is packed, and every way in which it can be wrong, with the place of the first error
// and both numbers.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Demand, isBatches, pack, packInputs, type Samples } from "../../src/data/dataset.ts";

const labels: Demand = { features: 4, targets: 1, classes: 3 };
const targets: Demand = { features: 4, targets: 2, classes: undefined };
const two = [0, 1, 2, 3, 4, 5, 6, 7];

const refusal = (samples: unknown, demand: Demand = labels): string => {
  try {
    pack("fit", samples as Samples, demand);
    return "accepted";
  } catch (error) {
    return String(error);
  }
};

describe("samples with labels", () => {
  test("are packed as f32 and u32", () => {
    expect(pack("fit", { x: two, y: [2, 0] }, labels)).toEqual({
      count: 2,
      format: { bytes: false, scale: 1, shift: 0 },
      x: Float32Array.from(two),
      y: Uint32Array.of(2, 0),
    });
  });

  test("stay bytes where they are bytes, in whole words", () => {
    const demand = { ...labels, features: 3 };
    const { x, format } = pack("fit", { x: Uint8Array.of(1, 2, 3), y: [0] }, demand);
    expect(x).toEqual(Uint8Array.of(1, 2, 3, 0));
    expect(format).toEqual({ bytes: true, scale: 1 / 255, shift: 0 });
  });

  test("are shifted and scaled as v -> (v - mean) / std, bytes from [0, 1]", () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.double({ min: 0.1, max: 9, noNaN: true }),
        (v, mean, std) => {
          const one = { ...labels, features: 1 };
          const bytes = pack("fit", { x: Uint8Array.of(v), y: [0], mean, std }, one).format;
          expect(v * bytes.scale + bytes.shift).toBeCloseTo((v / 255 - mean) / std, 10);
          const floats = pack("fit", { x: [v], y: [0], mean, std }, one).format;
          expect(v * floats.scale + floats.shift).toBeCloseTo((v - mean) / std, 8);
        },
      ),
    );
  });

  test("are not the user's own memory", () => {
    const x = Float32Array.from(two);
    const packed = pack("fit", { x, y: [0, 0] }, labels);
    x.fill(9);
    expect(packed.x[1]).toBe(1);
  });
});

describe("samples with targets", () => {
  test("keep them as f32", () => {
    expect(pack("fit", { x: two, y: [0.5, 1, 2, 3] }, targets).y).toEqual(Float32Array.of(0.5, 1, 2, 3));
  });
});

test("samples for prediction have no y", () => {
  const { count, x } = packInputs("predict", { x: two }, labels);
  expect([count, x.length]).toEqual([2, 8]);
});

test("an iterable is batches, anything else is samples", () => {
  expect([[], new Set(), (async function* () {})()].map((data) => isBatches(data as Iterable<Samples>))).toEqual([
    true,
    true,
    true,
  ]);
  expect([{ x: [], y: [] }, null, undefined, 3].map((data) => isBatches(data as Samples))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

describe("data that cannot be trained on says where and why", () => {
  test("x is missing", () => {
    expect(refusal({ y: [0] })).toMatchInlineSnapshot(
      `"DataError: fit: data.x is missing. Give { x, y } with arrays of numbers, or an iterable of those."`,
    );
    expect(refusal({ x: null, y: [0] })).toBe(refusal({ y: [0] }));
    expect(refusal({ x: 3, y: [0] })).toBe(refusal({ y: [0] }));
    expect(refusal(undefined)).toBe(refusal({ y: [0] }));
  });

  test("y is missing", () => {
    expect(refusal({ x: two })).toMatchInlineSnapshot(
      `"DataError: fit: data.y is missing. Give { x, y } with a label or target for each sample."`,
    );
    expect(refusal({ x: two, y: null })).toBe(refusal({ x: two }));
  });

  test("there is nothing", () => {
    expect(refusal({ x: [], y: [] })).toMatchInlineSnapshot(
      `"DataError: fit: the data is empty. Give at least one sample."`,
    );
  });

  test("x is no whole number of samples", () => {
    expect(refusal({ x: two.slice(1), y: [0, 0] })).toMatchInlineSnapshot(
      `"ShapeError: fit: data.x has 7 numbers, which is no multiple of the model's input of 4. Check the input shape."`,
    );
  });

  test("y has another count than x", () => {
    expect(refusal({ x: two, y: [0] })).toMatchInlineSnapshot(
      `"ShapeError: fit: data.y has 1 values, 2 samples with 1 each need 2. Correct its length."`,
    );
    expect(refusal({ x: two, y: [0, 0, 0] }, targets)).toMatchInlineSnapshot(
      `"ShapeError: fit: data.y has 3 values, 2 samples with 2 each need 4. Correct its length."`,
    );
  });

  test("a number of x is not finite, or too large for f32", () => {
    expect(refusal({ x: two.with(5, Number.NaN), y: [0, 0] })).toMatchInlineSnapshot(
      `"DataError: fit: data.x[5] is NaN, in sample 1. Every number must be finite in f32."`,
    );
    expect(refusal({ x: two.with(3, 1e39), y: [0, 0] })).toMatchInlineSnapshot(
      `"DataError: fit: data.x[3] is 1e+39, in sample 0. Every number must be finite in f32."`,
    );
    expect(refusal({ x: Float64Array.from(two).fill(Number.POSITIVE_INFINITY, 2), y: [0, 0] })).toMatchInlineSnapshot(
      `"DataError: fit: data.x[2] is Infinity, in sample 0. Every number must be finite in f32."`,
    );
  });

  test("a label is out of range, or no label", () => {
    expect(refusal({ x: two, y: [0, 3] })).toMatchInlineSnapshot(
      `"DataError: fit: data.y[1] is 3, the model has classes 0 to 2. Correct the label or widen the last layer."`,
    );
    expect(refusal({ x: two, y: [-1, 0] })).toMatchInlineSnapshot(
      `"DataError: fit: data.y[0] is -1, the model has classes 0 to 2. Correct the label or widen the last layer."`,
    );
    expect(refusal({ x: two, y: [0, 0.5] })).toMatchInlineSnapshot(
      `"DataError: fit: data.y[1] is 0.5, the model has classes 0 to 2. Correct the label or widen the last layer."`,
    );
    expect(refusal({ x: two, y: [0, undefined] })).toMatchInlineSnapshot(
      `"DataError: fit: data.y[1] is undefined, the model has classes 0 to 2. Correct the label or widen the last layer."`,
    );
  });

  test("a target is not finite", () => {
    expect(refusal({ x: two, y: [0, 1, Number.NaN, 3] }, targets)).toMatchInlineSnapshot(
      `"DataError: fit: data.y[2] is NaN. Every number must be finite in f32."`,
    );
  });

  test("mean or std cannot be", () => {
    expect(refusal({ x: two, y: [0, 0], std: 0 })).toMatchInlineSnapshot(
      `"OptionError: fit: mean is 0 and std is 0. Both must be finite, and std above 0."`,
    );
    expect(refusal({ x: two, y: [0, 0], mean: Number.NaN })).toMatchInlineSnapshot(
      `"OptionError: fit: mean is NaN and std is 1. Both must be finite, and std above 0."`,
    );
  });

  test("names the first of several", () => {
    const index = fc.nat(7);
    fc.assert(
      fc.property(fc.array(index, { minLength: 1, maxLength: 4 }), (at) => {
        const x = two.map((value, i) => (at.includes(i) ? Number.NaN : value));
        const first = Math.min(...at);
        expect(refusal({ x, y: [0, 0] })).toContain(`data.x[${first}] is NaN, in sample ${Math.floor(first / 4)}.`);
      }),
    );
  });
});
