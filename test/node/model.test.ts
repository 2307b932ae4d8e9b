// Models while they are built: names and paths, initial values, and the texts of errors. These texts are part of the
// product: where: what is wrong, with both numbers. What to do.

import { describe, expect, test } from "vitest";
import {
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  flatten,
  functional,
  type InitializerName,
  type Layer,
  maxPool2d,
  meanSquaredError,
  ops,
  relu,
  residual,
  sequential,
} from "../../src/index.ts";
import { initializer, initialValues } from "../../src/initializer.ts";
import { programOf } from "./program.ts";

type Options = Parameters<typeof programOf>[1];

const namesOf = (model: Layer, options?: Options): string[] =>
  programOf(model, options).parameters.map(({ name, shape }) => `${name} [${shape}]`);

const refusal = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    return String(error);
  }
  return "accepted";
};

describe("names", () => {
  test("are paths of groups, places and tensors", () => {
    const model = sequential({
      stem: [conv2d(4), relu(), maxPool2d(2), flatten()],
      body: residual([dense(36), relu(), residual({ inner: dense(36, { bias: false }) })]),
      head: dense(3),
    });
    expect(namesOf(model, { input: [8, 8, 1] })).toEqual([
      "stem.0.weight [3,3,1,4]",
      "stem.0.bias [4]",
      "body.0.weight [36,36]",
      "body.0.bias [36]",
      "body.2.inner.weight [36,36]",
      "head.weight [36,3]",
      "head.bias [3]",
    ]);
  });

  test("of an array are its places, of a lone layer its tensors", () => {
    expect(namesOf(sequential([relu(), dense(2)]))).toEqual(["1.weight [6,2]", "1.bias [2]"]);
    expect(namesOf(dense(2))).toEqual(["weight [6,2]", "bias [2]"]);
  });

  test("that are used twice share their weights", () => {
    const shared = dense(6);
    const model = functional((x, { use }) => use("head", dense(2), use("twice", shared, use("twice", shared, x))));
    expect(namesOf(model)).toEqual(["twice.weight [6,6]", "twice.bias [6]", "head.weight [6,2]", "head.bias [2]"]);
  });

  test("are the same in every mode, and a layer record may stand in two models", () => {
    const layer = dense(4);
    const model = sequential({ a: layer, b: layer });
    const options = { loss: meanSquaredError() };
    expect(namesOf(model, { ...options, mode: "predict" })).toEqual(namesOf(model, options));
    expect(namesOf(sequential({ c: layer }))).toEqual(["c.weight [6,4]", "c.bias [4]"]);
  });
});

describe("shapes", () => {
  const outputOf = (model: Layer, input: readonly number[]): readonly number[] =>
    programOf(model, { input, batch: 2, mode: "predict" }).outputs[0]!.shape;

  test.each([
    [conv2d(5), [9, 8, 3], [2, 7, 6, 5]],
    [conv2d(5, { kernel: [1, 3], stride: [2, 1] }), [9, 8, 3], [2, 5, 6, 5]],
    [conv2d(5, { padding: "same", stride: 2 }), [9, 8, 3], [2, 5, 4, 5]],
    [conv2d(6, { dilation: 2, groups: 3 }), [9, 8, 3], [2, 5, 4, 6]],
    [conv2d(6, { dilation: [1, 3], padding: "same", stride: 2 }), [9, 8, 3], [2, 5, 4, 6]],
    [conv2dTranspose(5, { stride: 2, padding: "same" }), [4, 5, 3], [2, 8, 10, 5]],
    [conv2dTranspose(5, { stride: [2, 3], kernel: [3, 2] }), [4, 5, 3], [2, 9, 15, 5]],
    [conv2dTranspose(6, { dilation: 2, groups: 3 }), [4, 5, 3], [2, 8, 9, 6]],
    [conv1d(5, { kernel: 4, stride: 2 }), [9, 3], [2, 3, 5]],
    [conv1d(6, { dilation: 2, groups: 3, padding: "same" }), [9, 3], [2, 9, 6]],
    [sequential([conv2d(3, { kernel: 1 }), maxPool2d(2)]), [9, 8, 3], [2, 4, 4, 3]],
    [sequential([conv2d(3, { kernel: 1 }), maxPool2d(3, { stride: 1, padding: "same" })]), [9, 8, 3], [2, 9, 8, 3]],
    [sequential([conv2d(3, { kernel: 1 }), flatten()]), [2, 2, 1], [2, 12]],
    [dense(5), [9, 8, 3], [2, 9, 8, 5]],
    [dense(5, { bias: false }), [9, 3], [2, 9, 5]],
  ])("of windows are TensorFlow's, of dense layers Keras'", (model, input, output) => {
    expect(outputOf(model, input)).toEqual(output);
  });
});

describe("a model that does not fit together says where, what and what to do", () => {
  const image = { input: [4, 5, 2] };
  const line = (): Layer => ({
    kind: "line",
    apply: (scope, x) => scope.op(ops.reshape, { x }, { shape: [x.shape.reduce((a, b) => a * b)] }).y,
  });
  const cases: Readonly<Record<string, () => unknown>> = {
    "dense on one axis": () => programOf(sequential({ line: line(), head: dense(3) }), image),
    "dense with other inputs": () => programOf(sequential({ head: dense(3, { inputs: 128 }) })),
    "conv2d on a vector": () => programOf(sequential({ stem: [conv2d(3)] })),
    "a window larger than its image": () => programOf(sequential({ stem: [conv2d(3, { kernel: 5 })] }), image),
    "a dilated window larger than its image": () => programOf(conv2d(3, { kernel: 2, dilation: 4 }), image),
    "channels that groups do not divide": () => programOf(conv2d(3, { kernel: 1, groups: 3 }), image),
    "filters that groups do not divide": () => conv2d(4, { groups: 3 }),
    "half a group": () => conv2dTranspose(4, { groups: 0.5 }),
    "conv2dTranspose on a vector": () => programOf(conv2dTranspose(3)),
    "conv1d on an image": () => programOf(conv1d(3), image),
    "a pair for one length": () => conv1d(3, { kernel: [1, 3] as never }),
    "a window longer than its line": () => programOf(conv1d(3, { kernel: 3, dilation: 3 }), { input: [6, 2] }),
    "pooling an image away": () => programOf(sequential([maxPool2d(2), maxPool2d(2), maxPool2d(2)]), image),
    "a residual block that changes the shape": () => programOf(residual({ up: dense(8) })),
    "adding different shapes": () =>
      programOf(functional((x, { use, add }) => add(use("a", dense(4), x), use("b", dense(3), x)))),
    "one name for two shapes": () => programOf(functional((x, { use }) => use("a", dense(4), use("a", dense(4), x)))),
    "a function that returns nothing": () => programOf(functional(() => undefined as never)),
    "a function that returns a layer": () => programOf(functional(() => relu() as never)),
    "a factory instead of its layer": () => sequential({ act: relu as never }),
    "a factory in a functional model": () => programOf(functional((x, { use }) => use("act", relu as never, x))),
    "no layers": () => sequential([]),
    "a name with a dot": () => sequential({ "a.b": relu() }),
    "a name with a dot, below": () =>
      programOf(sequential({ part: functional((x, { use }) => use("a b", relu(), x)) })),
    "nothing to train": () => programOf(sequential([relu()])),
    "crossEntropy with one class": () => programOf(dense(1)),
    "half a unit": () => dense(2.5),
    "a kernel of 0": () => conv2d(4, { kernel: [3, 0] }),
    "no size of a window": () => maxPool2d(undefined as never),
    "an unknown padding": () => conv2d(4, { padding: "full" as "same" }),
    "an unknown initializer": () => dense(4, { initializer: "glorot" as InitializerName }),
    "an initializer that every object has": () => dense(4, { initializer: "toString" as InitializerName }),
  };

  test("in these words", () => {
    const texts = Object.fromEntries(Object.entries(cases).map(([what, make]) => [what, refusal(make)]));
    expect(texts).toMatchInlineSnapshot(`
      {
        "a dilated window larger than its image": "ShapeError: conv2d: input is 4 x 5, the window 5 x 5. Use a smaller window or padding "same".",
        "a factory in a functional model": "OptionError: functional: "act" is no layer, it is a function. Call it, for example relu() and not relu.",
        "a factory instead of its layer": "OptionError: sequential: "act" is no layer, it is a function. Call it, for example relu() and not relu.",
        "a function that returns a layer": "OptionError: functional: its function returned {"kind":"relu"}, which is no value. Return what use(), add() or scope.op() gave.",
        "a function that returns nothing": "OptionError: functional: its function returned undefined, which is no value. Return what use(), add() or scope.op() gave.",
        "a kernel of 0": "OptionError: conv2d: kernel is 0, it must be a whole number of at least 1.",
        "a name with a dot": "NameError: model: "a.b" cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.",
        "a name with a dot, below": "NameError: layer "part": "a b" cannot be a name. Use letters, digits, "_" and "-", and no word that every object has.",
        "a pair for one length": "OptionError: conv1d: kernel is [1,3], it must be a whole number of at least 1.",
        "a residual block that changes the shape": "ShapeError: residual: its layers turn [32,6] into [32,8], but both are added. Make them keep the shape.",
        "a window larger than its image": "ShapeError: conv2d "stem.0": input is 4 x 5, the window 5 x 5. Use a smaller window or padding "same".",
        "a window longer than its line": "ShapeError: conv1d: input is 1 x 6, the window 1 x 7. Use a smaller window or padding "same".",
        "adding different shapes": "ShapeError: add: it was given [32,4] and [32,3]. From the last axis on, lengths must be equal or 1.",
        "an initializer that every object has": "OptionError: dense: there is no initializer "toString". Use one of zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, uniform, orthogonal, or a function.",
        "an unknown initializer": "OptionError: dense: there is no initializer "glorot". Use one of zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, uniform, orthogonal, or a function.",
        "an unknown padding": "OptionError: conv2d: padding is "full", it must be "same" or "valid".",
        "channels that groups do not divide": "ShapeError: conv2d: input has 2 channels, they cannot be divided into 3 groups.",
        "conv1d on an image": "ShapeError: conv1d: input has shape [32,4,5,2], it must be [batch, length, channels]. Give compile an input of two lengths, or use conv2d().",
        "conv2d on a vector": "ShapeError: conv2d "stem.0": input has shape [32,6], it must be an image [batch, height, width, channels]. Give compile an input of three lengths, or use dense().",
        "conv2dTranspose on a vector": "ShapeError: conv2dTranspose: input has shape [32,6], it must be an image [batch, height, width, channels]. Give compile an input of three lengths, or use dense().",
        "crossEntropy with one class": "ShapeError: crossEntropy: the model ends in 1 class, it needs at least 2. Use meanSquaredError() for a single number.",
        "dense on one axis": "ShapeError: dense "head": input has shape [1280], it must be [batch, .., features]. Give it one more axis.",
        "dense with other inputs": "ShapeError: dense "head": input has 6 features, weight expects 128. Remove "inputs" or set it to 6.",
        "filters that groups do not divide": "OptionError: conv2d: 4 filters cannot be divided into 3 groups.",
        "half a group": "OptionError: conv2dTranspose: groups is 0.5, it must be a whole number of at least 1.",
        "half a unit": "OptionError: dense: units is 2.5, it must be a whole number of at least 1.",
        "no layers": "OptionError: sequential: there are no layers. Give at least one.",
        "no size of a window": "OptionError: maxPool2d: size is undefined, it must be a number or [height, width].",
        "nothing to train": "OptionError: model: no layer has weights, so there is nothing to train. Add a dense() or conv2d().",
        "one name for two shapes": "ShapeError: layer "a": it is used twice, with "weight" as [6,4] and as [4,4]. Give the two uses different names, or inputs of one shape.",
        "pooling an image away": "ShapeError: maxPool2d "2": input is 1 x 1, the window 2 x 2. Use a smaller window or padding "same".",
      }
    `);
  });

  test("and never as a mistake of ours", () => {
    for (const [what, make] of Object.entries(cases)) expect(refusal(make), what).not.toMatch(/internal|TypeError/);
  });

  test("also where an initializer gives too few numbers", () => {
    const tensor = { name: "head.weight", shape: [2, 3] };
    expect(refusal(() => initialValues(tensor, () => new Float32Array(5), 0))).toMatchInlineSnapshot(
      `"ShapeError: initializer of "head.weight": it gave 5 numbers, shape [2,3] needs 6. Return as many, row by row."`,
    );
  });
});

describe("initial values", () => {
  const valuesOf = (name: InitializerName, shape: readonly number[], seed = 1, tensor = "a.weight"): Float32Array =>
    initialValues({ name: tensor, shape }, initializer("test", name), seed);
  const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
  const variance = (values: Float32Array): number => mean(values.map((value) => value * value)) - mean(values) ** 2;

  test("are the same for the same seed and name, and others for another", () => {
    for (const name of ["glorotUniform", "heNormal"] as const) {
      const values = valuesOf(name, [8, 8]);
      expect(valuesOf(name, [8, 8])).toEqual(values);
      expect(valuesOf(name, [8, 8], 2)).not.toEqual(values);
      expect(valuesOf(name, [8, 8], 1, "b.weight")).not.toEqual(values);
    }
  });

  test("of two tensors have nothing to do with one another", () => {
    const [a, b] = ["a.weight", "b.weight"].map((tensor) => valuesOf("glorotNormal", [100, 100], 1, tensor));
    const together = mean((a as Float32Array).map((value, i) => value * ((b as Float32Array)[i] as number)));
    expect(Math.abs(together) / variance(a as Float32Array)).toBeLessThan(0.05);
  });

  test("do not change where a layer is added", () => {
    const short = programOf(sequential({ one: dense(6), head: dense(3) })).parameters;
    const long = programOf(sequential({ one: dense(6), two: dense(6), head: dense(3) })).parameters;
    const start = (parameters: typeof short, name: string) => {
      const found = parameters.find((parameter) => parameter.name === name);
      return found && initialValues(found, found.initializer, 5);
    };
    for (const name of ["one.weight", "head.weight"]) expect(start(long, name)).toEqual(start(short, name));
  });

  const deviations: readonly [InitializerName, shape: readonly number[], variance: number][] = [
    ["glorotUniform", [300, 100], 2 / 400],
    ["glorotNormal", [300, 100], 2 / 400],
    ["heUniform", [300, 100], 2 / 300],
    ["heNormal", [300, 100], 2 / 300],
    ["glorotUniform", [3, 3, 32, 64], 2 / (9 * 96)],
    ["heNormal", [3, 3, 32, 64], 2 / (9 * 32)],
  ];

  test.each(deviations)("of %s for %j have mean 0 and variance %d", (name, shape, expected) => {
    const values = valuesOf(name, shape);
    expect(Math.abs(mean(values))).toBeLessThan(4 * Math.sqrt(expected / values.length));
    expect(variance(values) / expected).toBeGreaterThan(0.95);
    expect(variance(values) / expected).toBeLessThan(1.05);
    const limit = name.endsWith("Uniform") ? Math.sqrt(3 * expected) : Number.POSITIVE_INFINITY;
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(limit);
  });

  test("of zeros and ones are zeros and ones, and a function is taken as it is", () => {
    expect(valuesOf("zeros", [3])).toEqual(new Float32Array(3));
    expect(valuesOf("ones", [3])).toEqual(Float32Array.of(1, 1, 1));
    expect(initialValues({ name: "a", shape: [2] }, () => Float32Array.of(4, 5), 0)).toEqual(Float32Array.of(4, 5));
  });

  test("of a bias are zeros", () => {
    for (const { name, shape, initializer } of programOf(dense(3)).parameters) {
      const zero = initialValues({ name, shape }, initializer, 0).every((value) => value === 0);
      expect(zero, name).toBe(name === "bias");
    }
  });
});
