// Numbers by tensor name, as setWeights, applyGradients and transfer take them: records and Maps, flat, nested or with their
// shape; and everything else refused by the name of the tensor and the place in it.

import { describe, expect, test } from "vitest";
import { weightsOf } from "../../src/io/checkpoint.ts";
import { encodeSafetensors } from "../../src/io/safetensors.ts";
import { fittingWeights, type NamedNumbers, type NumberBounds, placedNumbers } from "../../src/network/named.ts";
import { layOut } from "../../src/plan/layout.ts";

const { tensors } = layOut([
  { name: "stem.weight", shape: [2, 3], layer: "stem" },
  { name: "stem.bias", shape: [3], layer: "stem" },
  { name: "head.weight", shape: [3, 1], layer: "head" },
]);
const six = [0, 1, 2, 3, 4, 5];
const shaped = (shape: readonly number[], data: readonly number[]) => ({ shape, data: Float32Array.from(data) });

const thrown = (use: () => unknown): string => {
  try {
    use();
    return "accepted";
  } catch (error) {
    return String(error);
  }
};
const refusal = (given: unknown, bounds: NumberBounds = {}): string =>
  thrown(() => placedNumbers("setWeights", tensors, given as NamedNumbers, bounds));

describe("are taken", () => {
  test.each<[string, unknown]>([
    ["an object of arrays", { "stem.weight": six }],
    ["a Map of arrays", new Map([["stem.weight", six]])],
    [
      "rows",
      {
        "stem.weight": [
          [0, 1, 2],
          [3, 4, 5],
        ],
      },
    ],
    ["whole numbers", { "stem.weight": Int32Array.from(six) }],
    ["bytes, which are numbers here", { "stem.weight": Uint8Array.from(six) }],
    ["a tensor with its shape", { "stem.weight": shaped([2, 3], six) }],
    ["a Map of tensors, as weights() gives", new Map([["stem.weight", shaped([2, 3], six)]])],
    ["an object without a prototype", Object.assign(Object.create(null), { "stem.weight": six })],
  ])("%s", (_, given) => {
    const [one, ...others] = placedNumbers("setWeights", tensors, given as NamedNumbers);
    expect([one?.placed.name, one?.values, others]).toEqual(["stem.weight", Float32Array.from(six), []]);
  });

  test("any number, where the caller lets a guard judge", () => {
    const given = { "stem.bias": [1, Number.NaN, Number.NEGATIVE_INFINITY] };
    expect(placedNumbers("applyGradients", tensors, given, { anyNumber: true })[0]?.values).toEqual(
      Float32Array.from(given["stem.bias"]),
    );
    expect(refusal({ "stem.bias": [1, null, 3] }, { anyNumber: true })).toContain('"stem.bias"[1] is null');
  });
});

describe("are refused", () => {
  test.each<[unknown, string]>([
    [undefined, "DataError: setWeights: it was given undefined. Give an object or a Map of numbers by tensor name."],
    [null, "DataError: setWeights: it was given null. Give"],
    ["head", 'DataError: setWeights: it was given the text "head". Give'],
    [[six], "DataError: setWeights: it was given an Array of 1. Give"],
    [new Uint8Array(8), "DataError: setWeights: it was given an Uint8Array of 8. Give".replace("an U", "a U")],
    [new ArrayBuffer(8), "DataError: setWeights: it was given an ArrayBuffer. Give"],
    [new Set(six), "DataError: setWeights: it was given a Set. Give"],
    [
      { "stem.wieght": six },
      'NameError: setWeights: there is no tensor "stem.wieght". Did you mean "stem.weight"? Tensors: ',
    ],
    [new Map([[3, six]]), 'NameError: setWeights: there is no tensor "3".'],
    [{ "stem.bias": [1, 2] }, 'ShapeError: setWeights: "stem.bias" of shape [3] has 3 numbers, 2 were given.'],
    [
      { "stem.weight": shaped([3, 2], six) },
      'ShapeError: setWeights: "stem.weight" has shape [2,3], numbers of shape [3,2] were given.',
    ],
    [
      { "stem.weight": shaped([6], six) },
      'ShapeError: setWeights: "stem.weight" has shape [2,3], numbers of shape [6] were given.',
    ],
    [
      {
        "stem.weight": [
          [0, 1],
          [2, 3],
          [4, 5],
        ],
      },
      'ShapeError: setWeights: "stem.weight" has shape [2,3], numbers of shape [3,2] were given.',
    ],
    [
      { "stem.bias": [1, null, 3] },
      'DataError: setWeights: "stem.bias"[1] is null. JSON writes NaN as null. Every value must',
    ],
    [{ "stem.bias": [1, 2, "3"] }, 'DataError: setWeights: "stem.bias"[2] is the text "3". Every value'],
    [{ "stem.bias": [true, 2, 3] }, 'DataError: setWeights: "stem.bias"[0] is true. Every value'],
    [{ "stem.bias": [1, 2n, 3] }, 'DataError: setWeights: "stem.bias"[1] is 2n. Every value'],
    [
      { "stem.bias": new BigInt64Array(3) },
      'DataError: setWeights: "stem.bias" is a BigInt64Array of 3. Give an array or',
    ],
    [{ "stem.bias": null }, 'DataError: setWeights: "stem.bias" is null. Give'],
    [{ "stem.bias": "123" }, 'DataError: setWeights: "stem.bias" is the text "123". Give'],
    [{ "stem.bias": { shape: [3], data: null } }, 'DataError: setWeights: "stem.bias" is null. Give'],
    [
      { "stem.bias": [1, 2, Number.NaN] },
      'DataError: setWeights: "stem.bias"[2] is NaN. Every number must be finite in f32.',
    ],
    [
      { "stem.bias": [1, 1e39, 3] },
      'DataError: setWeights: "stem.bias"[1] is 1e+39. Every number must be finite in f32.',
    ],
    [
      {
        "stem.weight": [
          [0, 1, 2],
          [3, -1e39, 5],
        ],
      },
      'DataError: setWeights: "stem.weight"[1][1] is -1e+39. Every number must be finite in f32.',
    ],
  ])("%o", (given, message) => {
    expect(refusal(given)).toContain(message);
  });

  test("beyond a bound of the caller", () => {
    const bound = { most: 1e15 };
    expect(refusal({ "stem.bias": [1, -1e16, 3] }, bound)).toBe(
      'DataError: setWeights: "stem.bias"[1] is -10000000000000000. Every number must be finite in f32, and at most 1000000000000000 in size.',
    );
    expect(refusal({ "stem.bias": [1, -1e15, 3] }, bound)).toBe("accepted");
  });

  test("before any is used: a bad last one among good ones", () => {
    expect(refusal({ "stem.weight": six, "stem.bias": [0, 0, 0], "head.weight": [1, 2, Number.NaN] })).toContain(
      '"head.weight"[2]',
    );
  });
});

describe("of another model", () => {
  const source = {
    "stem.weight": shaped([2, 3], six),
    "stem.bias": [7, 8, 9],
    "head.weight": shaped([3, 2], six),
    "tail.bias": [1],
  };
  const whole = { loaded: ["stem.weight", "stem.bias"], missing: ["head.weight"], excepted: [] };

  test("go over where name and shape fit, from an object, a Map, or the bytes of a file", () => {
    const found = fittingWeights(tensors, source);
    expect(found.result).toEqual({ ...whole, unexpected: ["head.weight", "tail.bias"] });
    expect([...found.weights.keys()]).toEqual(whole.loaded);
    expect(fittingWeights(tensors, new Map(Object.entries(source))).result).toEqual(found.result);
    const stored = new Map([["stem.bias", shaped([3], [7, 8, 9])]]);
    const bytes = encodeSafetensors({ tensors: stored, metadata: {} });
    expect(weightsOf(bytes).size).toBe(1);
    for (const file of [bytes, bytes.buffer])
      expect(fittingWeights(tensors, file).result.loaded).toEqual(["stem.bias"]);
  });

  test("but for what is left out", () => {
    const left = (except: string | string[]) => fittingWeights(tensors, source, { except }).result;
    expect(left("head")).toEqual({ ...whole, missing: [], unexpected: ["tail.bias"], excepted: ["head.weight"] });
    expect(left("**.bias")).toEqual({
      loaded: ["stem.weight"],
      missing: ["head.weight"],
      unexpected: ["head.weight"],
      excepted: ["stem.bias", "tail.bias"],
    });
    expect(left(["tail", "stem.bias"]).excepted).toEqual(["stem.bias", "tail.bias"]);
    expect(thrown(() => left(["head", "haed"]))).toMatch(
      /^NameError: transfer: except: "haed" .* Did you mean "head"\?/,
    );
    expect(thrown(() => left("stem"))).toMatch(/^CheckpointError: transfer: no tensor fits by name and shape/);
    expect(thrown(() => left([3] as unknown as string[]))).toMatch(/^OptionError: transfer: except: 3 is no pattern/);
    expect(thrown(() => fittingWeights(tensors, source, { exept: "head" } as object))).toMatch(
      /^OptionError: transfer: it has no "exept". Did you mean "except"\?/,
    );
  });

  test("are checked as all numbers are", () => {
    const { weights } = fittingWeights(tensors, { ...source, "stem.bias": null } as unknown as NamedNumbers);
    expect(thrown(() => placedNumbers("transfer", tensors, weights))).toContain(
      'DataError: transfer: "stem.bias" is null.',
    );
    expect(thrown(() => fittingWeights(tensors, [] as unknown as NamedNumbers))).toContain(
      "DataError: transfer: it was given an Array of 0.",
    );
  });
});
