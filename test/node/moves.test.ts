// What moves numbers, images between pixels and embeddings: values and gradients against PyTorch, both in f64; how many kernels they
// take; and what is refused, in which words.

import { describe, expect, test } from "vitest";
import { pack } from "../../src/data/pack.ts";
import { differentiate } from "../../src/graph/backward.ts";
import { fuse } from "../../src/graph/fuse.ts";
import { plainFormat, type Stream } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import {
  concatenate,
  cropping2d,
  dense,
  depthToSpace,
  embedding,
  functional,
  type Layer,
  meanSquaredError,
  ops,
  permute,
  positionEmbedding,
  relu,
  reshape,
  sequential,
  sinusoidalPositions,
  spaceToDepth,
  upSampling2d,
  type Value,
  zeroPadding2d,
} from "../../src/index.ts";
import { initialValues } from "../../src/initializer.ts";
import { type GoldenMove, goldenMoves, tied } from "../golden/moves.ts";
import { meanLoss } from "../reference/gradient.ts";
import { interpret } from "../reference/interpret.ts";
import { exact } from "../reference/twin.ts";

/** The largest difference of two lists, relative to the largest number. */
const apart = (got: ArrayLike<number>, wanted: readonly number[]): number =>
  Math.max(...wanted.map((value, i) => Math.abs(got[i]! - value))) / Math.max(...wanted.map(Math.abs));

function traced(model: Layer, input: Stream, batch: number) {
  const made = trace(model, {
    inputs: [input],
    ...{ batch, loss: meanSquaredError(), format: plainFormat([input]), mode: "train" },
  });
  const { graph, objective, parameterIds } = made;
  const gradients = differentiate(graph, objective!.losses, new Set(parameterIds));
  return { ...made, gradients };
}

describe("agree with PyTorch", () => {
  test.each(goldenMoves.map((one) => [one.name, one] as const))("%s", (_, one: GoldenMove) => {
    const { name: __, model, batch, shape, classes, x, target, weights, y, loss, gradients: wanted } = one;
    const input = { name: "", shape, ...(classes !== undefined && { classes }) };
    const { graph, gradients, parameters, parameterIds, states, stateIds, objective, outputs } = traced(
      model,
      input,
      batch,
    );
    const data: Readonly<Record<string, ArrayLike<number>>> = {
      "data.x": x,
      "data.y": target,
      "data.order": [...Array(batch).keys()],
      "data.norm": [],
    };
    const given = new Map(
      graph.tensors.flatMap(({ id, name, role }) =>
        role === "data" ? [[id, Float64Array.from(data[name]!)] as const] : [],
      ),
    );
    for (const [i, { name, shape: own }] of parameters.entries()) {
      const start = weights[name] ?? new Float64Array(own.reduce((a, b) => a * b, 1));
      given.set(parameterIds[i]!, Float64Array.from(start));
    }
    for (const [i, state] of states.entries()) {
      given.set(stateIds[i]!, Float64Array.from(initialValues(state, state.initializer, 0)));
    }
    const values = interpret(graph, given, { step: 1, start: 0, count: batch }, exact);
    // A state is kept in f32.
    const tolerance = states.length > 0 ? 1e-7 : 1e-12;
    expect(apart(values.get(outputs[0]!.id)!, y)).toBeLessThan(tolerance);
    expect(meanLoss(values, objective!.losses[0]!, { step: 1, start: 0, count: batch })).toBeCloseTo(loss, 6);
    const names = parameters.map(({ name }) => name);
    expect(names.sort()).toEqual(Object.keys(wanted).sort());
    for (const [i, { name }] of parameters.entries()) {
      const id = gradients.get(parameterIds[i]!)!;
      expect(apart(values.get(id)!, wanted[name]!), name).toBeLessThan(tolerance);
    }
  });
});

/** Ops of a step in order, what is at their ends behind them, from the gather to the loss and from there back. */
function kernels(model: Layer, input: Stream, batch = 4): string[] {
  const { graph } = traced(model, input, batch);
  return fuse(graph, new Set()).nodes.flatMap(({ op, epilogue, outputs }) =>
    op.kernel === undefined || outputs.length === 0
      ? []
      : [[op.name, ...epilogue.map((step) => step.op.name)].join("+")],
  );
}

describe("take as many kernels as they say", () => {
  const images = { name: "", shape: [4, 6, 4] };

  test("what moves is one each way, and takes in what follows", () => {
    const model = sequential([dense(4), permute([2, 1, 3]), relu(), spaceToDepth(2), upSampling2d(), dense(2)]);
    const found = kernels(model, images).join(" ");
    expect(found).toContain("matmul+bias permute+relu permute tile matmul+bias");
    expect(found).toContain("sumOver permute+reluBackward permute matmul");
  });

  test.each([2, 3, 4, 5, 8, 9])("%i values together are half as many", (count) => {
    const model = functional((x: Value, { use, scope }) => {
      const parts = Array.from({ length: count }, (_, i) => use(`part${i}`, dense(2), x));
      return concatenate(scope, parts);
    });
    const found = kernels(model, { name: "", shape: [3] });
    expect(found.filter((name) => name.startsWith("concat"))).toHaveLength(Math.ceil((count - 1) / 2));
  });

  test("an embedding is one, and its gradient two, three where its sums are cut", () => {
    const tokens = { name: "", shape: [8], classes: 5 };
    const model = sequential([embedding(5, 4), dense(2)]);
    expect(kernels(model, tokens)).toContain("embedding");
    expect(kernels(model, tokens).slice(-2)).toEqual(["tokenChains", "embeddingBackward"]);
    expect(kernels(model, tokens, 50).slice(-3)).toEqual(["tokenChains", "embeddingBackward", "sumPartials"]);
    // Both gradients of a table that serves twice are added where the second is stored.
    const twice = kernels(tied(5, 4, 8), tokens);
    expect(twice.filter((name) => /^(copy|add)/.test(name))).toEqual([]);
    expect(twice.filter((name) => name.startsWith("embeddingBackward"))).toEqual(["embeddingBackward+add"]);
  });
});

const refusal = (use: () => unknown): string => {
  try {
    use();
  } catch (error) {
    return String(error);
  }
  return "nothing is refused";
};

test("what does not fit is refused in words", () => {
  const asked = (op: keyof typeof ops, shape: readonly number[], attributes: object): (() => unknown) => {
    const layer: Layer = {
      kind: "asking",
      apply: (scope, x) => scope.op(ops[op] as typeof ops.slice, { x }, attributes as never).y,
    };
    return () => traced(layer, { name: "", shape }, 4);
  };
  /** Of a value and of its first number in each row, which has an axis less. */
  const joinedRanks = (axis: number) => (): unknown =>
    traced(
      functional((x: Value, { use, scope }) =>
        concatenate(scope, [x, use("first", reshape([-1]), use("a", dense(1), x))], axis),
      ),
      { name: "", shape: [3, 5] },
      4,
    );
  const joined = (one: number, other: number, axis: unknown): (() => unknown) => {
    const model = functional((x: Value, { use, scope }) =>
      concatenate(scope, [use("a", dense(one), x), use("b", dense(other), x)], axis as number),
    );
    return () => traced(model, { name: "", shape: [3, 5] }, 4);
  };
  const layer = (made: () => Layer, shape: readonly number[], classes?: number) => () =>
    traced(sequential({ here: made() }), { name: "", shape, ...(classes !== undefined && { classes }) }, 4);
  const image = [4, 6, 3];
  const refused = [
    () => permute([0, 1]),
    () => permute([1, 1]),
    layer(() => permute([2, 1]), image),
    () => reshape([-1, -1]),
    () => reshape([0.5]),
    layer(() => reshape([5, -1]), image),
    () => zeroPadding2d(-1),
    () => zeroPadding2d([1, [2, 3, 4]] as never),
    layer(() => zeroPadding2d(1), [4, 6]),
    () => cropping2d("2" as never),
    layer(() => cropping2d(2), image),
    layer(
      () =>
        cropping2d([
          [0, 0],
          [1, 7],
        ]),
      image,
    ),
    () => upSampling2d(2 as never),
    () => upSampling2d({ size: 0 }),
    () => upSampling2d({ interpolation: "cubic" as never }),
    () => upSampling2d({ alignCorners: true }),
    layer(() => upSampling2d(), [4]),
    () => spaceToDepth(0),
    layer(() => spaceToDepth(4), image),
    layer(() => depthToSpace(2), image),
    () => embedding(0, 4),
    () => embedding(5, 4, { initializer: "unifrom" as never }),
    () => embedding(5, 4, { units: 3 } as never),
    layer(() => embedding(5, 4), [3]),
    layer(() => embedding(5, 4), [3], 6),
    () => positionEmbedding(2.5),
    layer(() => positionEmbedding(3), [4, 2]),
    layer(() => positionEmbedding(3), [4]),
    () => sinusoidalPositions({ wavelength: 1 }),
    layer(() => sinusoidalPositions(), [4]),
    asked("permute", [3], { axes: [0, 2] }),
    asked("permute", [3], { axes: 1 }),
    asked("slice", [3], { begin: [0, 0, 0] }),
    asked("slice", [3], { begin: [0, 2], end: [4, 1] }),
    asked("slice", [3], { stride: [1, 0] }),
    asked("slice", [3], { end: [1.5] }),
    asked("pad", [3], { before: [1], after: [0, 1] }),
    asked("pad", [3], { before: [0, -1], after: [0, 1] }),
    asked("pad", [3], { before: [0, 1], after: [0, 1], value: Number.NaN }),
    asked("tile", [3], { repeats: [1, 2, 3] }),
    asked("tile", [3], { repeats: [1, 0] }),
    joined(4, 6, 1),
    joined(4, 6, 3),
    joined(4, 6, "last"),
    joinedRanks(1),
    () =>
      traced(
        functional((_: Value, { scope }) => concatenate(scope, [])),
        { name: "", shape: [3] },
        4,
      ),
  ];
  expect(refused.map(refusal)).toMatchInlineSnapshot(`
    [
      "OptionError: permute: its axes are [0,1], they must be those of a sample from 1 on, each once, for example [2, 1].",
      "OptionError: permute: its axes are [1,1], they must be those of a sample from 1 on, each once, for example [2, 1].",
      "ShapeError: permute "here": it was given [4,4,6,3]. axes is [0,2,1], it must name each of 4 axes once, from 0, or back from -1.",
      "OptionError: reshape: the shape is [-1,-1], it must be a list of lengths, of which one may be -1, for example [7, 7, -1].",
      "OptionError: reshape: the shape is [0.5], it must be a list of lengths, of which one may be -1, for example [7, 7, -1].",
      "ShapeError: reshape "here": a sample of its input is [4,6,3], which is 72 numbers, the shape is [5,-1]. Give a shape of as many.",
      "OptionError: zeroPadding2d: padding is -1, it must be a whole number of at least 0, two of them, or two pairs, for example 1, [1, 2] or [[0, 1], [0, 1]].",
      "OptionError: zeroPadding2d: padding is [1,[2,3,4]], it must be a whole number of at least 0, two of them, or two pairs, for example 1, [1, 2] or [[0, 1], [0, 1]].",
      "ShapeError: zeroPadding2d "here": input has shape [4,4,6], it must be [batch, height, width, channels]. Give images.",
      "OptionError: cropping2d: cropping is "2", it must be a whole number of at least 0, two of them, or two pairs, for example 1, [1, 2] or [[0, 1], [0, 1]].",
      "ShapeError: cropping2d "here": input has shape [4,4,6,3], of which it cuts 2 + 2 rows and 2 + 2 columns. Leave some.",
      "ShapeError: cropping2d "here": input has shape [4,4,6,3], of which it cuts 0 + 0 rows and 1 + 7 columns. Leave some.",
      "OptionError: upSampling2d: its options are 2, they must be an object. Write upSampling2d({ size: 2 }).",
      "OptionError: upSampling2d: size is 0, it must be a whole number of at least 1.",
      "OptionError: upSampling2d: interpolation is "cubic", it must be "nearest" or "bilinear".",
      "OptionError: upSampling2d: alignCorners is true, which is for interpolation "bilinear" alone. Set that, or leave it out.",
      "ShapeError: upSampling2d "here": input has shape [4,4], it must be [batch, height, width, channels]. Give images.",
      "OptionError: spaceToDepth: block is 0, it must be a whole number of at least 1.",
      "ShapeError: spaceToDepth "here": input has shape [4,4,6,3], height and width must be multiples of 4.",
      "ShapeError: depthToSpace "here": input has shape [4,4,6,3], its channels must be a multiple of 2 x 2.",
      "OptionError: embedding: vocabulary is 0, it must be a whole number of at least 1.",
      "OptionError: embedding: there is no initializer "unifrom". Did you mean "uniform"? Use one of zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, uniform, orthogonal, or a function.",
      "OptionError: embedding: it has no "units". It may have initializer.",
      "ShapeError: embedding "here": "ids" is of f32, it must be of u32. Give whole numbers, such as an input with classes.",
      "ShapeError: embedding "here": its input has classes 0 to 5, the table 5 rows. Give a row for each class.",
      "OptionError: positionEmbedding: length is 2.5, it must be a whole number of at least 1.",
      "ShapeError: positionEmbedding "here": its input has 4 places, it has rows for 3. Set length to 4.",
      "ShapeError: positionEmbedding "here": input has shape [4,4], it must be [batch, length, features]. Give sequences.",
      "OptionError: sinusoidalPositions: wavelength is 1, it must be greater than 1.",
      "ShapeError: sinusoidalPositions "here": input has shape [4,4], it must be [batch, length, features]. Give sequences.",
      "ShapeError: permute: it was given [4,3]. axes is [0,2], it must name each of 2 axes once, from 0, or back from -1.",
      "OptionError: permute: axes is 1, it must be a list of axes, for example [0, 2, 1].",
      "ShapeError: slice: it was given [4,3]. It has 2 axes, and 3 are cut.",
      "ShapeError: slice: it was given [4,3]. Nothing is left of axis 1. Let it end behind where it begins.",
      "OptionError: slice: stride is [1,0], it must be a list of whole numbers other than 0, for example [1, 2].",
      "OptionError: slice: end is [1.5], it must be a list of whole numbers, for example [0, -2]; Infinity goes to the end.",
      "ShapeError: pad: it was given [4,3]. It has 2 axes, before is [1]. Give a number for each axis, the batch included.",
      "OptionError: pad: before is [0,-1], it must be a list of whole numbers of at least 0, one for each axis.",
      "OptionError: pad: value is NaN, it must be a finite number.",
      "ShapeError: tile: it was given [4,3]. It has 2 axes, repeats is [1,2,3]. Give a number for each axis, the batch included.",
      "OptionError: tile: repeats is [1,0], it must be a list of whole numbers of at least 1, one for each axis.",
      "ShapeError: concat: it was given [4,3,4] and [4,3,6]. All axes but axis 1 must be equally long.",
      "ShapeError: concat: it was given [4,3,4] and [4,3,6]. There is no axis 3; axes count from 0, or back from -1.",
      "OptionError: concat: axis is "last", it must be an axis, for example -1, the last one.",
      "ShapeError: concat: it was given [4,3,5] and [4,3]. All axes but axis 1 must be equally long.",
      "OptionError: concatenate: its values are [], they must be a list of at least one value.",
    ]
  `);
});

test("a token that is out of range is refused with its place", () => {
  const streams = {
    inputs: [{ name: "", shape: [3], classes: 5 }],
    targets: [{ name: "", shape: [1] }],
    weights: [],
  };
  const given = (x: readonly number[]) => refusal(() => pack("fit", { x: [...x], y: [1, 2] }, streams));
  expect(given([0, 1, 2, 3, 4, 4])).toBe("nothing is refused");
  expect(given([0, 1, 2, 3, 5, 4])).toContain("[4] is 5, the model has classes 0 to 4.");
  expect(given([0, -1, 2, 3, 5, 4])).toContain("[1] is -1,");
});
