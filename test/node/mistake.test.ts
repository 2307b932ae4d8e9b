// What a user can get wrong in building a model, in plain JavaScript too: each mistake is refused by a typed error that names
// the layer, never by one of JavaScript's own or by a wrong kernel in silence. And what is meant is taken.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as gradus from "../../src/index.ts";
import {
  conv2d,
  dense,
  flatten,
  functional,
  GradusError,
  gelu,
  type Layer,
  maxPool2d,
  relu,
  residual,
  type Scope,
  sequential,
  type Value,
} from "../../src/index.ts";
import { initialValues } from "../../src/initializer.ts";
import { programOf } from "./program.ts";

// biome-ignore lint/suspicious/noExplicitAny: plain JavaScript has no types.
const any = (value: unknown): any => value;

/** The message of a typed error; fails for any other outcome. */
function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (!(error instanceof GradusError)) return `untyped: ${error}`;
    return `${error.name}: ${error.message}`;
  }
  return "accepted";
}

const textsOf = (cases: Readonly<Record<string, () => unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(cases).map(([what, make]) => [what, refusal(make)]));

const tensorsOf = (model: Layer, input: readonly number[] = [6]): string[] =>
  programOf(model, { input }).parameters.map(({ name }) => name);

describe("a factory refuses by name", () => {
  const cases: Readonly<Record<string, () => unknown>> = {
    "an option of Keras": () => dense(8, any({ activation: "relu" })),
    "an option that is misspelt": () => conv2d(8, any({ kernal: 3 })),
    "options that are none": () => dense(8, any("relu")),
    "null for options": () => conv2d(8, any(null)),
    "another library's options": () => dense(any({ units: 8 })),
    "a size as text": () => dense(any("8")),
    "inputs as text": () => dense(8, any({ inputs: "4" })),
    "a bias that is a number": () => dense(8, any({ bias: 0 })),
    "three lengths of a window": () => conv2d(8, any({ kernel: [3, 3, 3] })),
    "padding in other letters": () => conv2d(8, any({ padding: "SAME" })),
    "an initializer in other letters": () => dense(8, any({ initializer: "he_normal" })),
    "an initializer that is a number": () => dense(8, any({ initializer: 0.1 })),
    "an option of another layer": () => maxPool2d(2, any({ kernel: 2 })),
    "a slope of relu": () => any(relu)(0.1),
    "gelu's other form": () => any(gelu)({ approximate: "tanh" }),
    "a value for flatten": () => any(flatten)([1, 2]),
    "one layer": () => sequential(any(relu())),
    "layers that are no list": () => any(sequential)(dense(2), relu()),
    "a second list": () => any(sequential)([dense(2)], [relu()]),
    "a set": () => sequential(any(new Set([relu()]))),
    "an empty map": () => sequential(new Map()),
    "a number": () => sequential(any(5)),
    "a text": () => residual(any("dense")),
    nothing: () => any(sequential)(),
    "a layer that is a number": () => sequential(any([5])),
    "a layer that was not called": () => residual(any([relu])),
    "a promise of a layer": () => sequential(any({ head: Promise.resolve(dense(2)) })),
    "keys that are whole numbers": () => sequential({ "2": dense(2), "1": relu() }),
    "a key of every object": () => sequential({ constructor: dense(2) } as never),
    "the prototype as a key": () => sequential(JSON.parse('{ "__proto__": { "kind": "x" } }')),
    "a layer as prototype": () => sequential({ __proto__: dense(2) } as never),
    "an empty name": () => sequential({ "": dense(2) }),
    "a name twice": () => sequential([["a", dense(2)] as const, ["a", relu()] as const]),
    "no function": () => any(functional)(),
    "a layer for a function": () => functional(any(dense(2))),
  };

  test("in these words", () =>
    expect(textsOf(cases)).toMatchInlineSnapshot(`
      {
        "a bias that is a number": "OptionError: dense: bias is 0, it must be true or false.",
        "a key of every object": "NameError: model: "constructor" cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.",
        "a layer as prototype": "OptionError: sequential: its argument is one layer, no list of layers. Write sequential([layer, ...]) or sequential({ name: layer, ... }).",
        "a layer for a function": "OptionError: functional: its argument is {"kind":"dense"}, it must be a function.",
        "a layer that is a number": "OptionError: sequential: "0" is no layer, it is 5. Give a layer, for example dense(10).",
        "a layer that was not called": "OptionError: residual: "0" is no layer, it is a function. Call it, for example relu() and not relu.",
        "a name twice": "NameError: sequential: "a" stands twice. Give each part a name of its own.",
        "a number": "OptionError: sequential: its argument is 5, no list of layers. Write sequential([layer, ...]) or sequential({ name: layer, ... }).",
        "a promise of a layer": "OptionError: sequential: "head" is no layer, it is [object Promise]. Give a layer, for example dense(10).",
        "a second list": "OptionError: sequential: it takes one list of layers, 2 came. Write sequential([layer, ...]) or sequential({ name: layer, ... }).",
        "a set": "OptionError: sequential: its argument is [object Set], no list of layers. Write sequential([layer, ...]) or sequential({ name: layer, ... }).",
        "a size as text": "OptionError: dense: units is "8", it must be a whole number of at least 1.",
        "a slope of relu": "OptionError: relu: it was given 0.1, but it has no options. Write relu().",
        "a text": "OptionError: residual: its argument is "dense", no list of layers. Write residual([layer, ...]) or residual({ name: layer, ... }).",
        "a value for flatten": "OptionError: flatten: it was given [1,2], but it has no options. Write flatten().",
        "an empty map": "OptionError: sequential: there are no layers. Give at least one.",
        "an empty name": "NameError: model: "" cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.",
        "an initializer in other letters": "OptionError: dense: there is no initializer "he_normal". Did you mean "heNormal"? Use one of zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, uniform, orthogonal, or a function.",
        "an initializer that is a number": "OptionError: dense: there is no initializer 0.1. Use one of zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, uniform, orthogonal, or a function.",
        "an option of Keras": "OptionError: dense: it has no "activation". Put a layer after it, for example relu().",
        "an option of another layer": "OptionError: maxPool2d: it has no "kernel". It may have stride, padding.",
        "an option that is misspelt": "OptionError: conv2d: it has no "kernal". Did you mean "kernel"? It may have kernel, stride, padding, dilation, groups, bias, initializer.",
        "another library's options": "OptionError: dense: units is {"units":8}, it must be a whole number of at least 1.",
        "gelu's other form": "OptionError: gelu: approximate is "tanh", it must be true or false.",
        "inputs as text": "OptionError: dense: inputs is "4", it must be a whole number of at least 1.",
        "keys that are whole numbers": "OptionError: sequential: the key "1" is a whole number, and JavaScript puts those first. Give a list of pairs: [["1", ...], ...].",
        "layers that are no list": "OptionError: sequential: it takes one list of layers, 2 came. Write sequential([layer, ...]) or sequential({ name: layer, ... }).",
        "no function": "OptionError: functional: its argument is undefined, it must be a function.",
        "nothing": "OptionError: sequential: its argument is undefined, no list of layers. Write sequential([layer, ...]) or sequential({ name: layer, ... }).",
        "null for options": "OptionError: conv2d: its options are null, they must be an object. Write conv2d(16, { kernel: 3 }).",
        "one layer": "OptionError: sequential: its argument is one layer, no list of layers. Write sequential([layer, ...]) or sequential({ name: layer, ... }).",
        "options that are none": "OptionError: dense: its options are "relu", they must be an object. Write dense(10, { bias: false }).",
        "padding in other letters": "OptionError: conv2d: padding is "SAME", it must be "same" or "valid".",
        "the prototype as a key": "NameError: model: "__proto__" cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.",
        "three lengths of a window": "OptionError: conv2d: kernel is [3,3,3], it must be a number or [height, width].",
      }
    `));

  test("whatever it is given", () => {
    const factories = ["dense", "conv2d", "maxPool2d", "relu", "gelu", "tanh", "sigmoid", "flatten", "sequential"];
    const odd = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
      fc.constantFrom(Symbol("x"), () => 1, relu, new Proxy({}, {}), Number.NaN, -0),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...factories, "residual", "functional"),
        fc.array(odd, { maxLength: 3 }),
        (name, given) => {
          const text = refusal(() => any(gradus)[name](...given));
          expect(text, name).toMatch(/^accepted|^(Option|Name|Shape)Error: /);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("what is meant is taken", () => {
  const layers = { stem: [dense(4), relu()], head: dense(2) };
  const names = ["stem.0.weight", "stem.0.bias", "head.weight", "head.bias"];

  test.each([
    ["a record", layers],
    ["a record without a prototype", Object.assign(Object.create(null), layers)],
    ["a list of pairs", Object.entries(layers)],
    ["a map", new Map(Object.entries(layers))],
  ])("%s of parts", (_, given) => expect(tensorsOf(sequential(given))).toEqual(names));

  test("pairs keep their order, whole numbers too, and lists may stand in lists", () => {
    const pairs = [["2", dense(4)] as const, ["1", dense(2)] as const];
    expect(tensorsOf(sequential(pairs))).toEqual(["2.weight", "2.bias", "1.weight", "1.bias"]);
    expect(tensorsOf(sequential([[dense(4), relu()], dense(2)]))).toEqual([
      "0.0.weight",
      "0.0.bias",
      "1.weight",
      "1.bias",
    ]);
  });

  test("one layer record in two models and twice in one", () => {
    const layer = dense(6);
    expect(tensorsOf(sequential([layer, layer]))).toHaveLength(4);
    expect(tensorsOf(sequential({ other: layer }))).toEqual(["other.weight", "other.bias"]);
  });

  test("undefined for an option is its default", () => {
    expect(tensorsOf(dense(2, any({ bias: undefined, inputs: undefined, initializer: undefined })))).toHaveLength(2);
  });

  const start = (values: (shape: readonly number[]) => unknown): string =>
    refusal(() => initialValues({ name: "head.weight", shape: [2, 3] }, any(values), 0));

  test.each([
    ["Float64Array", () => Float64Array.of(1, 2, 3, 4, 5, 6)],
    ["a list", () => [1, 2, 3, 4, 5, 6]],
    ["Uint8Array", () => Uint8Array.of(1, 2, 3, 4, 5, 6)],
  ])("%s of an initializer", (_, values) => {
    const found = initialValues({ name: "w", shape: [2, 3] }, values, 0);
    expect(found).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  test("and what an initializer must not give is refused with the place", () => {
    const texts = {
      "one too few": start(() => [1, 2, 3, 4, 5]),
      NaN: start(() => [1, 2, Number.NaN, 4, 5, 6]),
      "more than f32 holds": start(() => Float64Array.of(1, 2, 3, 4, 5, 1e39)),
      rows: start(() =>
        [
          [1, 2, 3],
          [4, 5, 6],
        ].concat([[], [], [], []]),
      ),
      null: start(() => [1, null, 3, 4, 5, 6]),
      "a hole": start(() => Object.assign([1], { length: 6 })),
      text: start(() => "123456"),
      "whole numbers of 64 bits": start(() => new BigInt64Array(6)),
      nothing: start(() => undefined),
      "a promise": start(async () => [1]),
    };
    expect(texts).toMatchInlineSnapshot(`
      {
        "NaN": "OptionError: initializer of "head.weight": number 2 is NaN. Return numbers that are finite in f32, in one flat list.",
        "a hole": "OptionError: initializer of "head.weight": number 1 is undefined. Return numbers that are finite in f32, in one flat list.",
        "a promise": "OptionError: initializer of "head.weight": it gave [object Promise]. Return a list of numbers, for example a Float32Array.",
        "more than f32 holds": "OptionError: initializer of "head.weight": number 5 is 1e+39. Return numbers that are finite in f32, in one flat list.",
        "nothing": "OptionError: initializer of "head.weight": it gave undefined. Return a list of numbers, for example a Float32Array.",
        "null": "OptionError: initializer of "head.weight": number 1 is null. Return numbers that are finite in f32, in one flat list.",
        "one too few": "ShapeError: initializer of "head.weight": it gave 5 numbers, shape [2,3] needs 6. Return as many, row by row.",
        "rows": "OptionError: initializer of "head.weight": number 0 is [1,2,3]. Return numbers that are finite in f32, in one flat list.",
        "text": "OptionError: initializer of "head.weight": it gave "123456". Return a list of numbers, for example a Float32Array.",
        "whole numbers of 64 bits": "OptionError: initializer of "head.weight": number 0 is 0n. Return numbers that are finite in f32, in one flat list.",
      }
    `);
  });

  test("an initializer draws what is uniform and normal from the stream of its tensor", () => {
    const draw = (name: string, seed = 0) =>
      initialValues({ name, shape: [4] }, (_, { uniform, normal }) => [uniform(), normal(), normal(), uniform()], seed);
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));
    expect(draw("a")).not.toEqual(draw("a", 1));
  });
});

const { ops } = gradus;

describe("a custom layer that asks for what there is not", () => {
  let kept: Value | undefined;
  const custom =
    (apply: (scope: Scope, x: Value) => unknown, input: readonly number[] = [6]) =>
    () =>
      programOf(sequential({ part: { kind: "custom", apply } as Layer, head: dense(2) }), { input });
  const twice = (use: () => unknown) => (): unknown => [use(), use()];
  const weight = (scope: Scope, ...shape: number[]): Value => scope.parameter(`w${shape.join("x")}`, shape, "zeros");
  const cases: Readonly<Record<string, () => unknown>> = {
    "the name of an op": custom((s, x) => s.op(any("gelu"), any([x]))),
    "a layer for an op": custom((s, x) => s.op(any(gradus.relu()), any({ x }))),
    "an op that there is not": custom((s, x) => s.op(any(ops).gelo, any({ x }))),
    "too few values": custom((s, x) => s.op(ops.add, any({ x }))),
    "too many values": custom((s, x) => s.op(ops.relu, any({ x, y: x }))),
    "a value of another name": custom((s, x) => s.op(ops.matmul, any({ a: x, weight: x }))),
    "a list of values": custom((s, x) => s.op(ops.relu, any([x]))),
    "no record of values": custom((s) => s.op(ops.relu, any(5))),
    "no value": custom((s) => s.op(ops.relu, any({ x: undefined }))),
    "a number for a value": custom((s, x) => s.op(ops.add, any({ x, y: 1 }))),
    "a value of another model": twice(
      custom((s, x) => {
        const other = kept ?? x;
        kept = x;
        return s.op(ops.add, { x, y: other }).z;
      }),
    ),
    "a copy of a value": custom((s, x) => s.op(ops.relu, { x: { ...x } })),
    "shapes that do not fit": custom((s, x) => s.op(ops.add, { x, y: weight(s, 5) }).z),
    "axes that are a number": custom((s, x) => s.op(ops.sum, { x }, { axes: 1 }).y),
    "no axes": custom((s, x) => s.op(ops.mean, { x }).y),
    "an axis that is not there": custom((s, x) => s.op(ops.sum, { x }, { axes: [2] }).y),
    "an axis twice": custom((s, x) => s.op(ops.sum, { x }, { axes: [1, -1] }).y),
    "a sum over an axis 0 that may be the batch": custom((s, x) => s.op(ops.sum, { x }, { axes: [0] }).y),
    "a bias for another axis": custom((s, x) => s.op(ops.bias, { x, b: weight(s, 5) })),
    "a product of other terms": custom((s, x) => s.op(ops.matmul, { a: x, b: weight(s, 5, 6) })),
    "a transposed product of other terms": custom((s, x) =>
      s.op(ops.matmul, { a: x, b: weight(s, 6, 5) }, { transposeB: true }),
    ),
    "a product of images": custom((s, x) => s.op(ops.matmul, { a: x, b: weight(s, 4, 2) }), [3, 3, 4]),
    "a switch that is text": custom((s, x) => s.op(ops.matmul, { a: x, b: weight(s, 6, 5) }, { transposeA: "no" })),
    "an attribute that there is not": custom((s, x) =>
      s.op(ops.matmul, { a: x, b: weight(s, 6, 5) }, { transpose: true }),
    ),
    "parts of a sum": custom((s, x) => s.op(ops.matmul, { a: x, b: weight(s, 6, 5) }, { splits: 2 })),
    "attributes that are none": custom((s, x) => s.op(ops.relu, { x }, any(null))),
    "another number of numbers": custom((s, x) => s.op(ops.reshape, { x }, { shape: [32, 5] })),
    "a shape as text": custom((s, x) => s.op(ops.reshape, { x }, { shape: "32x6" })),
    "no shape": custom((s, x) => s.op(ops.reshape, { x })),
    "a filter of other channels": custom((s, x) => s.op(ops.conv2d, { a: x, b: weight(s, 2, 2, 3, 1) }), [4, 4, 2]),
    "three strides": custom(
      (s, x) => s.op(ops.conv2d, { a: x, b: weight(s, 2, 2, 2, 1) }, { stride: [1, 1, 1] }),
      [4, 4, 2],
    ),
    "a window larger than its image": custom((s, x) => s.op(ops.conv2d, { a: x, b: weight(s, 5, 5, 2, 1) }), [4, 4, 2]),
    "pooling of rows": custom((s, x) => s.op(ops.maxPool2d, { x }, { kernel: [2, 2] })),
    "pooling without a window": custom((s, x) => s.op(ops.maxPool2d, { x }), [4, 4, 2]),
    "a weight with half a length": custom((s, x) => s.op(ops.add, { x, y: s.parameter("w", [2.5], "zeros") })),
    "a weight without a shape": custom((s) => s.parameter("w", any(6), "zeros")),
    "a weight without a start": custom((s) => any(s).parameter("w", [6])),
    "a weight with a dot": custom((s) => s.parameter("a.b", [6], "zeros")),
    "a part without a name": custom((s, x) => dense(2).apply(any(s).child(), x)),
    "a result that is none": custom(() => undefined),
    "a promise of a result": custom(async (_, x) => x),
    "a result of another model": twice(
      custom((_, x) => {
        const other = kept ?? x;
        kept = x;
        return other;
      }),
    ),
    "a result without the batch": () =>
      programOf({ kind: "custom", apply: (s) => weight(s, 3, 4) }, { loss: gradus.meanSquaredError() }),
    "adding what is no value": () => programOf(functional((x, { add }) => add(x, any(1)))),
    "values by name for a layer of one": () => gradus.summary(sequential([dense(2)]), { input: { a: [3], b: [4] } }),
    "a layer without its input": () => programOf(functional((_, { use }) => any(use)("head", dense(2)))),
    "a layer before its name": () => programOf(functional((x, { use }) => any(use)(dense(2), "head", x))),
  };

  test("is told where, what and what to do", () =>
    expect(textsOf(cases)).toMatchInlineSnapshot(`
      {
        "a bias for another axis": "ShapeError: bias "part": it was given [32,6] and [5]. From the last axis on, lengths must be equal or 1.",
        "a copy of a value": "OptionError: relu "part": a value comes from another model or from an earlier call. Give what this call of apply was given, or what its scope gave.",
        "a filter of other channels": "ShapeError: conv2d "part": it was given [32,4,4,2] and [2,2,3,1]. The second must be [height, width, 2, filters].",
        "a layer before its name": "OptionError: functional: {"kind":"dense"} is no layer, it is "head". Give a layer, for example dense(10).",
        "a layer for an op": "OptionError: layer "part": {"kind":"relu"} is no op. Give one of ops, for example ops.matmul.",
        "a layer without its input": "OptionError: dense "head": its input is undefined, it must be a value. Give x, or what use() or add() gave.",
        "a list of values": "OptionError: relu "part": its inputs are a list, they must be { x }.",
        "a number for a value": "OptionError: add "part": 1 is no value. Give what this call of apply was given, or what its scope gave.",
        "a part without a name": "NameError: layer "part": undefined cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.",
        "a product of images": "ShapeError: matmul "part": it was given [32,3,3,4] and [4,2]. Give matrices, with as many columns in the first as rows in the second once they are transposed.",
        "a product of other terms": "ShapeError: matmul "part": it was given [32,6] and [5,6]. Give matrices, with as many columns in the first as rows in the second once they are transposed.",
        "a promise of a result": "OptionError: custom "part": its function returned [object Promise], which is no value. Return what use(), add() or scope.op() gave.",
        "a result of another model": "OptionError: matmul "head": a value comes from another model or from an earlier call. Give what this call of apply was given, or what its scope gave.",
        "a result that is none": "OptionError: custom "part": its function returned undefined, which is no value. Return what use(), add() or scope.op() gave.",
        "a result without the batch": "ShapeError: model: it ends in shape [3,4], but a batch has 32 samples. Keep the first axis as it is.",
        "a shape as text": "OptionError: reshape "part": shape is "32x6", it must be a list of lengths, for example [32, 10].",
        "a sum over an axis 0 that may be the batch": "ShapeError: sum "part": it was given [32,6]. Say batch: true where axis 0 counts samples, so that rows beyond a short batch are left out, or batch: false where it does not.",
        "a switch that is text": "OptionError: matmul "part": transposeA is "no", it must be true or false.",
        "a transposed product of other terms": "ShapeError: matmul "part": it was given [32,6] and [6,5]. Give matrices, with as many columns in the first as rows in the second once they are transposed.",
        "a value of another model": "OptionError: add "part": a value comes from another model or from an earlier call. Give what this call of apply was given, or what its scope gave.",
        "a value of another name": "OptionError: matmul "part": its inputs are { a, weight }, they must be { a, b }.",
        "a weight with a dot": "NameError: layer "part": "a.b" cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.",
        "a weight with half a length": "OptionError: layer "part": a length of "w" is 2.5, it must be a whole number of at least 1.",
        "a weight without a shape": "OptionError: layer "part": the shape of "w" is 6, it must be a list.",
        "a weight without a start": "OptionError: layer "part": there is no initializer undefined. Use one of zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, uniform, orthogonal, or a function.",
        "a window larger than its image": "ShapeError: conv2d "part": input is 4 x 4, the window 5 x 5. Use a smaller window or padding "same".",
        "adding what is no value": "OptionError: add: 1 is no value. Give what this call of apply was given, or what its scope gave.",
        "an attribute that there is not": "OptionError: matmul "part": it has no "transpose". Did you mean "transposeA"? It may have transposeA, transposeB.",
        "an axis that is not there": "ShapeError: sum "part": it was given [32,6]. It has no axis 2; axes count from 0, or back from -1.",
        "an axis twice": "ShapeError: sum "part": it was given [32,6]. Named twice is axis -1; axes count from 0, or back from -1.",
        "an op that there is not": "OptionError: layer "part": undefined is no op. Give one of ops, for example ops.matmul.",
        "another number of numbers": "ShapeError: reshape "part": it was given [32,6]. The new shape is [32,5], it must hold 192 numbers.",
        "attributes that are none": "OptionError: relu "part": its options are null, they must be an object. Write { name: value } or nothing.",
        "axes that are a number": "OptionError: sum "part": axes is 1, it must be a list of axes, for example [1, 2] or [-1].",
        "no axes": "OptionError: mean "part": axes is undefined, it must be a list of axes, for example [1, 2] or [-1].",
        "no record of values": "OptionError: relu "part": its inputs are 5, they must be { x }.",
        "no shape": "OptionError: reshape "part": shape is undefined, it must be a list of lengths, for example [32, 10].",
        "no value": "OptionError: relu "part": undefined is no value. Give what this call of apply was given, or what its scope gave.",
        "parts of a sum": "OptionError: matmul "part": it has no "splits". It may have transposeA, transposeB.",
        "pooling of rows": "ShapeError: maxPool2d "part": input has shape [32,6], it must be an image [batch, height, width, channels]. Give compile an input of three lengths, or use dense().",
        "pooling without a window": "OptionError: maxPool2d "part": kernel is undefined, it must be two whole numbers of at least 1, for example [2, 2].",
        "shapes that do not fit": "ShapeError: add "part": it was given [32,6] and [5]. From the last axis on, lengths must be equal or 1.",
        "the name of an op": "OptionError: layer "part": "gelu" is no op. Give one of ops, for example ops.matmul.",
        "three strides": "OptionError: conv2d "part": stride is [1,1,1], it must be two whole numbers of at least 1, for example [2, 2].",
        "too few values": "OptionError: add "part": its inputs are { x }, they must be { x, y }.",
        "too many values": "OptionError: relu "part": its inputs are { x, y }, they must be { x }.",
        "values by name for a layer of one": "OptionError: sequential: its input is values by name, a, b, it takes one value. Take them apart in functional(), or let a layer of your own say takesValues: true.",
      }
    `));
});
