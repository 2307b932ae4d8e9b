// Data as the user gives it: what is packed, and every way in which it can be wrong, with the place of the first error
// and both numbers.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBatches, type Samples } from "../../src/data/dataset.ts";
import type { Numbers } from "../../src/data/numbers.ts";
import { DataError } from "../../src/errors.ts";
import type { Streams } from "../../src/graph/stream.ts";
import { demandOf, pack, packBatch, packInputs } from "../reference/streams.ts";

const labels = demandOf([4], [3], true);
const targets = demandOf([4], [2], false);
const two = [0, 1, 2, 3, 4, 5, 6, 7];

const refusal = (samples: unknown, demand: Streams = labels): string => {
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
      format: { bytes: false, period: 0 },
      targets: [],
      x: Float32Array.from(two),
      y: Uint32Array.of(2, 0),
      norm: new Float32Array(0),
    });
  });

  test("stay bytes where they are bytes, in whole words", () => {
    const { x, format } = pack("fit", { x: Uint8Array.of(1, 2, 3), y: [0] }, demandOf([3], [3], true));
    expect(x).toEqual(Uint8Array.of(1, 2, 3, 0));
    expect(format).toEqual({ bytes: true, period: 4 });
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

  test("keep bytes, which count as those of x, and leave both where the user says so", () => {
    const echo = demandOf([4], [4], false);
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const one = [{ name: "", factor: 1 }];
    const scaled = pack("fit", { x: bytes, y: bytes }, echo);
    expect([scaled.y, scaled.targets]).toEqual([bytes, [{ name: "", factor: scaled.norm[0] }]]);
    const counts = pack("fit", { x: bytes, y: bytes, scale: false }, echo);
    expect([counts.y, counts.targets, counts.format]).toEqual([bytes, one, { bytes: true, period: 0 }]);
    const floats = { x: Float32Array.from(bytes), y: bytes };
    expect(refusal(floats, echo)).toMatch(
      /DataError: fit: data.y is bytes and data.x is not.*scale: false or scale: true/,
    );
    expect(pack("fit", { ...floats, scale: false }, echo).targets).toEqual(one);
    expect(pack("fit", { ...floats, scale: true }, echo).targets).toEqual(scaled.targets);
    expect(pack("fit", floats, echo, { scale: false }).targets).toEqual(one);
  });

  test("never scale labels", () => {
    const y = Uint8Array.of(2, 1);
    for (const scale of [true, false]) {
      expect(pack("fit", { x: Uint8Array.from(two), y, scale }, labels).y).toEqual(Uint32Array.of(2, 1));
    }
  });
});

describe("numbers are taken", () => {
  const half = globalThis as unknown as { Float16Array?: { from(values: readonly number[]): ArrayLike<number> } };
  const shared = new Float32Array(new SharedArrayBuffer(32));
  shared.set(two);
  const kinds: Readonly<Record<string, unknown>> = {
    "an array": two,
    Int8Array: Int8Array.from(two),
    Int16Array: Int16Array.from(two),
    Uint16Array: Uint16Array.from(two),
    Int32Array: Int32Array.from(two),
    Uint32Array: Uint32Array.from(two),
    Float64Array: Float64Array.from(two),
    ...(half.Float16Array && { Float16Array: half.Float16Array.from(two) }),
    "shared memory": shared,
    "the middle of an array": Float32Array.of(9, ...two, 9).subarray(1, 9),
    "an array-like": { ...two, length: 8 },
    rows: [two.slice(0, 4), two.slice(4)],
    "typed rows": [Float32Array.from(two.slice(0, 4)), Float64Array.from(two.slice(4))],
  };
  test.each(Object.entries(kinds))("from %s", (_, x) => {
    const samples = { x, y: [0, 0] } as Samples;
    expect(pack("fit", samples, labels).x).toEqual(Float32Array.from(two));
    expect(packInputs("predict", samples.x, labels).x).toEqual(Float32Array.from(two));
    expect(packInputs("predict", samples, labels).x).toEqual(Float32Array.from(two));
    expect(packInputs("predict", { x: samples.x }, labels).x).toEqual(Float32Array.from(two));
    const echo = pack("fit", { x: two, y: samples.x }, demandOf([4], [4], false));
    expect(echo.y).toEqual(Float32Array.from(two));
  });

  test("nested as the input is, or a row a sample", () => {
    const demand = demandOf([2, 1, 2], [3], true);
    const x = [
      [[[0, 1]], [[2, 3]]],
      [[[4, 5]], [[6, 7]]],
    ];
    for (const given of [x, [two.slice(0, 4), two.slice(4)]]) {
      expect(pack("fit", { x: given, y: [[2], [1]] }, demand)).toMatchObject({ count: 2, x: Float32Array.from(two) });
    }
    expect(pack("fit", { x, y: [[2], [1]] }, demand).y).toEqual(Uint32Array.of(2, 1));
    const bytes = [Uint8Array.of(0, 1, 2, 3), Uint8Array.of(4, 5, 6, 7)];
    expect(packInputs("predict", bytes, demand)).toMatchObject({ format: { bytes: true }, x: Uint8Array.from(two) });
    expect(
      pack(
        "fit",
        {
          x: two,
          y: [
            [0.5, 1],
            [2, 3],
          ],
        },
        targets,
      ).y,
    ).toEqual(Float32Array.of(0.5, 1, 2, 3));
  });
});

test("the type of numbers is what is taken, and no more", () => {
  const taken: Numbers[] = [[1], [[1], [2]], Float64Array.of(1), [Uint8Array.of(1)], { length: 1, 0: 1 }];
  for (const x of taken) expect(packInputs("predict", x, demandOf([1], [1], false)).count).toBe(x.length);
  const refused: Numbers[] = [
    // @ts-expect-error
    "1",
    // @ts-expect-error
    [null],
    // @ts-expect-error
    ["1"],
    // @ts-expect-error
    [true],
    // @ts-expect-error
    BigInt64Array.of(1n),
    // @ts-expect-error
    new ArrayBuffer(1),
    // @ts-expect-error
    new Map([[0, 1]]),
  ];
  for (const x of refused) expect(() => packInputs("predict", x, demandOf([1], [1], false))).toThrow(DataError);
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
  expect(
    [{ x: [], y: [] }, null, undefined, 3, "text", new Float32Array(3)].map((data) => isBatches(data as Samples)),
  ).toEqual([false, false, false, false, false, false]);
});

describe("data that cannot be trained on says where and why", () => {
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "DataError: fit: the data is undefined, where samples are asked for. Give { x, y }."],
    ["null", null, "DataError: fit: the data is null, where samples are asked for. Give { x, y }."],
    ["text", "abc", 'DataError: fit: the data is the text "abc", where samples are asked for. Give { x, y }.'],
    ["numbers alone", new Float32Array(8), "DataError: fit: the data is a Float32Array of 8, where samples"],
    ["batches", [{ x: two, y: [0, 0] }], "DataError: fit: the data is an Array of 1, where samples are asked for."],
    ["a Map", new Map([["x", two]]), "DataError: fit: the data is a Map, where samples are asked for."],
    [
      "no x",
      { y: [0] },
      "DataError: fit: data.x is missing. Give { x, y } with numbers, and a label or target for each sample.",
    ],
    [
      "no y",
      { x: two },
      "DataError: fit: data.y is missing. Give { x, y } with numbers, and a label or target for each sample.",
    ],
    [
      "x never set",
      { x: undefined, y: [0] },
      "DataError: fit: data.x is undefined. Give an array or a typed array of n",
    ],
    [
      "y null",
      { x: two, y: null },
      "DataError: fit: data.y is null. Give an array or a typed array of numbers, such as",
    ],
    ["x a number", { x: 3, y: [0] }, "DataError: fit: data.x is 3. Give an array or a typed array of numbers, such as"],
    ["x true", { x: true, y: [0] }, "DataError: fit: data.x is true. Give"],
    ["x text", { x: "0,1", y: [0] }, 'DataError: fit: data.x is the text "0,1". Give an array'],
    ["x an object", { x: { a: 1 }, y: [0] }, "DataError: fit: data.x is an Object. Give an array"],
    ["x a Map", { x: new Map(), y: [0] }, "DataError: fit: data.x is a Map. Give an array"],
    ["x a Set", { x: new Set([1]), y: [0] }, "DataError: fit: data.x is a Set. Give an array"],
    ["x a function", { x: () => two, y: [0] }, "DataError: fit: data.x is the function x. Give an array"],
    ["x a tensor", { x: { shape: [8], data: two }, y: [0] }, "DataError: fit: data.x is an Object. Give an array or"],
    [
      "bigints",
      { x: new BigInt64Array(8), y: [0] },
      "DataError: fit: data.x is a BigInt64Array of 8. Give an array or",
    ],
    [
      "bigints",
      { x: new BigUint64Array(8), y: [0] },
      "DataError: fit: data.x is a BigUint64Array of 8. Give an array or",
    ],
    [
      "a view",
      { x: new DataView(new ArrayBuffer(8)), y: [0] },
      "DataError: fit: data.x is a DataView. Give an array or",
    ],
    ["a buffer", { x: new ArrayBuffer(8), y: [0] }, "DataError: fit: data.x is an ArrayBuffer. Give an array or"],
    ["a shared buffer", { x: new SharedArrayBuffer(8), y: [0] }, "DataError: fit: data.x is a SharedArrayBuffer. Give"],
    [
      "other names",
      { xs: two, ys: [0] },
      'OptionError: fit: the data has no "xs". Did you mean "x"? It may have x, y, weight, mean, std, scale.',
    ],
    [
      "weights for other samples",
      { x: two, y: [0, 0], weight: [1, 2, 3] },
      "ShapeError: fit: data.weight has 3 values, 2 samples need 2, or one for each value of the loss: [2]. Correct its length.",
    ],
    [
      "a weight below 0",
      { x: two, y: [0, 0], weight: [1, -2] },
      'DataError: fit: data.weight[1] is -2, weights of a mean must be at least 0. Correct it, or give the loss reduction: "count", which divides by the number of values.',
    ],
    ["a weight that is NaN", { x: two, y: [0, 0], weight: [1, Number.NaN] }, "DataError: fit: data.weight[1] is NaN."],
    ["nothing in x", { x: [], y: [] }, "DataError: fit: the data is empty. Give at least one sample."],
  ])("%s", (_, samples, message) => {
    expect(refusal(samples)).toContain(message);
  });

  test.each<[string, unknown, string]>([
    [
      "null",
      null,
      "is null, in sample 1. JSON writes NaN as null. Every value must be a number that is finite in f32.",
    ],
    ["undefined", undefined, "is undefined, in sample 1. Every"],
    ["text", "3", 'is the text "3", in sample 1. Every'],
    ["true", true, "is true, in sample 1. Every value"],
    ["a bigint", 5n, "is 5n, in sample 1. Every value"],
    ["an object", { v: 1 }, "is an Object, in sample 1. Every value"],
    ["a list", [1], "is an Array of 1, in sample 1. Every value"],
    ["a date", new Date(0), "is a Date, in sample 1. Every value"],
  ])("a number that is %s", (_, value, message) => {
    const odd: unknown[] = [...two];
    odd[6] = value;
    expect(refusal({ x: odd, y: [0, 0] })).toContain(`DataError: fit: data.x[6] ${message}`);
    expect(refusal({ x: [odd.slice(0, 4), odd.slice(4)], y: [0, 0] })).toContain(
      `DataError: fit: data.x[1][2] ${message}`,
    );
    const plain = message.replace(", in sample 1", "");
    expect(refusal({ x: [...two, ...two, ...two, ...two], y: odd }, targets)).toContain(
      `DataError: fit: data.y[6] ${plain}`,
    );
    expect(refusal({ x: two, y: [0, value] })).toContain(`DataError: fit: data.y[1] ${plain}`);
    const first = [value, ...two.slice(1)];
    if (!Array.isArray(value)) expect(refusal({ x: first, y: [0, 0] })).toContain("DataError: fit: data.x[0] is ");
  });

  test("holes, and arrays that hold themselves or claim to be endless", () => {
    const holes = [...two];
    delete holes[3];
    expect(refusal({ x: holes, y: [0, 0] })).toContain("data.x[3] is undefined, in sample 0. Every value");
    const self: unknown[] = [];
    self.push(self);
    expect(refusal({ x: self, y: [0] })).toMatch(/^DataError: fit: data.x(\[0\])+ is an Array of 1/);
    expect(refusal({ x: { length: 1e15 }, y: [0] })).toContain("data.x[0] is undefined");
    expect(refusal({ x: { length: -1 }, y: [0] })).toContain("data.x is an Object of -1. Give an array");
  });

  test("rows of other shapes", () => {
    expect(
      refusal({
        x: [
          [0, 1, 2, 3],
          [4, 5, 6],
        ],
        y: [0, 0],
      }),
    ).toBe(
      "ShapeError: fit: data.x[1] has 3 entries, data.x[0] has 4. Give rows of one length.".replace(
        ", data",
        ", fit: data",
      ),
    );
    expect(refusal({ x: [[0, 1, 2, 3], 4], y: [0, 0] })).toContain("DataError: fit: data.x[1][0] is 4, in sample 1.");
    expect(
      refusal({
        x: [
          [0, 1],
          [2, 3],
          [4, 5],
          [6, 7],
        ],
        y: [0, 0],
      }),
    ).toBe(
      "ShapeError: fit: data.x is nested as [4,2], samples of the model's input are [4]. Give [count, 4], or one flat array.",
    );
    expect(refusal({ x: [Uint8Array.of(1, 2, 3, 4), [1, 2, 3, 4]], y: [0, 0] })).toBe(
      "DataError: fit: data.x has rows of bytes beside others. Give all of them as bytes, or none.",
    );
  });

  test("one-hot labels, and labels in rows of none", () => {
    const advice =
      "Rows of one-hot labels are not taken: give one class number a sample, such as y.map((row) => row.indexOf(1)).";
    expect(
      refusal({
        x: two,
        y: [
          [1, 0, 0],
          [0, 1, 0],
        ],
      }),
    ).toBe(`ShapeError: fit: data.y is nested as [2,3], 2 samples with 1 each need [2]. ${advice}`);
    expect(refusal({ x: two, y: Float32Array.of(1, 0, 0, 0, 1, 0) })).toContain(advice);
    expect(refusal({ x: two, y: [[0, 1]] })).toContain(
      "data.y is nested as [1,2], 2 samples with 1 each need [2]. Correct",
    );
  });

  test("a batch is too large", () => {
    expect(() => packBatch("fit: batch 3", { x: two, y: [0, 0] }, labels, 1)).toThrow(
      "fit: batch 3: a batch has 2 samples, compile was told 1. Split it.",
    );
    expect(packBatch("fit: batch 3", { x: two, y: [0, 0] }, labels, 2).count).toBe(2);
  });

  test("numbers for a prediction", () => {
    const refused = (given: unknown): string => {
      try {
        packInputs("predict", given as [], labels);
        return "accepted";
      } catch (error) {
        return String(error);
      }
    };
    expect(refused(new BigInt64Array(4))).toContain("DataError: predict: x is a BigInt64Array of 4.");
    expect(refused(undefined)).toContain(
      "DataError: predict: x is undefined. Give an array or a typed array of numbers, such as",
    );
    expect(refused({ shape: [1, 4], data: two })).toContain("predict: x is an Object. Give an array");
    expect(refused({ x: two, mena: 1 })).toContain(
      'OptionError: predict: the data has no "mena". Did you mean "mean"?',
    );
    expect(refused([1, 2, null, 4])).toContain(
      "DataError: predict: x[2] is null, in sample 0. JSON writes NaN as null.",
    );
    expect(refused({ x: two.slice(3) })).toContain("ShapeError: predict: data.x has 5 numbers");
    expect(refused({ x: two, y: "not asked for" })).toBe("accepted");
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
  });

  test("a target is not finite", () => {
    expect(refusal({ x: two, y: [0, 1, Number.NaN, 3] }, targets)).toMatchInlineSnapshot(
      `"DataError: fit: data.y[2] is NaN. Every number must be finite in f32."`,
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
