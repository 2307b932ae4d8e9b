// Models that are written as ONNX files: onnxruntime gives what they give here, the checker of python3-onnx accepts them, and read again they
// are the same networks.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { lora } from "../../src/adapter/index.ts";
import {
  conv2d,
  cut,
  defineElementwise,
  dense,
  functional,
  type Model,
  OptionError,
  ops,
  relu,
  sequential,
} from "../../src/index.ts";
import { readModel } from "../../src/onnx/file.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { forms } from "../../src/onnx-out/forms.ts";
import { toOnnx } from "../../src/onnx-out/index.ts";
import { traced } from "../../src/onnx-out/trace.ts";
import { ruleNumbers } from "../golden/python-forms.ts";
import golden from "../golden/to-onnx.json" with { type: "json" };
import { inputsOf, type OnnxCase, onnxCases, ruleInputs, ruleWeights, sampled } from "../golden/to-onnx.ts";
import { relativeError } from "../reference/golden-data.ts";
import { randomLayer } from "../reference/random-layer.ts";
import { type Given, type Made, runModel, type Start } from "../reference/run-model.ts";
import "../reference/keras-cases.ts";

interface Tried {
  readonly sha256: string;
  readonly outputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly numbers: readonly number[] }>
  >;
}

type Numbers = Readonly<
  Record<
    string,
    { readonly shape: readonly number[]; readonly values: ArrayLike<number>; readonly classes?: number | undefined }
  >
>;

/** What a model makes of inputs whose shapes have the samples first. */
function ran(model: Model, given: Numbers, weights: Start): ReadonlyMap<string, Made> {
  const inputs = Object.entries(given).map(([name, { shape, values, classes }]): [string, Given] => [
    name,
    { shape: shape.slice(1), data: values, classes },
  ]);
  return runModel(model, new Map(inputs), weights).outputs;
}

const files = golden.files as unknown as Readonly<Record<string, Tried>>;

test("as many files were checked and run as there are networks", () => {
  expect(Object.keys(files)).toEqual(Object.keys(onnxCases));
  expect([golden.checker, golden.runtime]).toEqual(["onnx 1.12.0", "onnxruntime-node 1.30.0"]);
});

describe.each(Object.entries(onnxCases))("%s", (own, one) => {
  const { sha256, outputs: tried } = files[own] as Tried;
  const [weights, given] = [ruleWeights(one), ruleInputs(one)];
  const nameOf = (name: string): string => (name !== "" && Object.hasOwn(given, name) ? `${name}_out` : name);

  test("is what onnxruntime ran, goes out and comes back", async () => {
    const bytes = await toOnnx(weights, one.model, { input: one.input, ...one.options });
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    const outputs = ran(one.model, given, weights);
    for (const [name, { shape, data }] of outputs) {
      const there = tried[name === "" ? "output" : nameOf(name)];
      expect(there?.shape).toEqual(shape);
      expect(relativeError(sampled(data), there!.numbers)).toBeLessThan(1e-5);
    }
    const back = await fromOnnx(bytes, { channelsLast: one.options?.layout === "NCHW" });
    const again = ran(back.model, given, back.weights);
    expect([...again.keys()]).toEqual([...outputs.keys()].map(nameOf));
    for (const [name, { shape, data }] of outputs) {
      const made = again.get(nameOf(name));
      expect(made?.shape).toEqual(shape);
      expect(relativeError(made?.data as Float64Array, data)).toBeLessThan(1e-6);
    }
  });
});

test("no form is without a network that has its op", () => {
  const used = Object.values(onnxCases).flatMap((one) => {
    const inputs = inputsOf(one);
    return traced(one.model, inputs, inputs[0]?.name === "", undefined).uses.map(({ op }) => op);
  });
  expect(Object.keys(forms).filter((name) => !used.includes(name))).toEqual([]);
});

/** Weights by the rule, of a model of one input. */
const weightsOf = (model: Model, input: readonly number[], batch?: number) => {
  const { owns } = traced(model, [{ name: "", shape: input }], true, batch);
  return new Map(
    [...owns.values()].map(({ path, shape }, i) => {
      const count = shape.reduce((all, one) => all * one, 1);
      return [path, { shape, data: ruleNumbers(count, 100 * i, false) }] as const;
    }),
  );
};

test.each(Array.from({ length: 40 }, (_, seed) => seed))("random layer %d goes out and comes back", async (seed) => {
  const { model, input, batch } = randomLayer(seed);
  const weights = weightsOf(model, input, batch);
  const shape = [batch, ...input];
  const values = ruleNumbers(
    shape.reduce((all, one) => all * one, 1),
    7,
    false,
  );
  const outputs = ran(model, { "": { shape, values } }, weights);
  // It is made for as many samples, which are one for the reader.
  const back = await fromOnnx(await toOnnx(weights, model, { input, batch }), { batch: "none" });
  const again = ran(back.model, { "": { shape: [1, ...shape], values } }, back.weights);
  expect(relativeError(again.get("")!.data, outputs.get("")!.data)).toBeLessThan(1e-5);
});

test("low-rank adapters go out beside what they are on, and a model without its head goes out as that", async () => {
  const model = sequential({ body: [dense(6), relu()], head: dense(3) });
  const given = { "": { shape: [2, 4], values: ruleNumbers(8, 7, false) } };
  for (const one of [lora(model, { layers: "**", rank: 2 }), cut(model, "body")]) {
    const weights = weightsOf(one, [4]);
    const bytes = await toOnnx(weights, one, { input: [4] });
    expect(
      readModel(bytes)
        .graph.initializer.map(({ name }) => name)
        .sort(),
    ).toEqual([...weights.keys()].sort());
    const back = await fromOnnx(bytes);
    const [made, again] = [ran(one, given, weights), ran(back.model, given, back.weights)];
    expect(relativeError(again.get("")!.data, made.get("")!.data)).toBeLessThan(1e-6);
  }
});

const at = (name: string) => onnxCases[name] as OnnxCase;

test("names of a file that was read are those of the file that is written, and so is its layout", async () => {
  const one = at("vae");
  const first = await fromOnnx(await toOnnx(ruleWeights(one), one.model, { input: one.input, layout: "NCHW" }));
  const { graph } = readModel(await toOnnx(first.weights, first.model));
  const ends = (list: typeof graph.input) =>
    list.map(({ name, type }) => [name, ...(type?.tensor?.shape?.dim ?? []).map(({ value, param }) => value ?? param)]);
  expect(ends(graph.input)).toEqual([
    ["image", "batch", 1, 28, 28],
    ["noise", "batch", 16],
  ]);
  expect(ends(graph.output)).toEqual([
    ["image_out", "batch", 1, 28, 28],
    ["mean", "batch", 16],
    ["logVariance", "batch", 16],
  ]);
});

test("weights have the model's names, and no order of axes changes twice", async () => {
  const one = at("resnet20");
  const write = async (layout: "NHWC" | "NCHW") =>
    readModel(await toOnnx(ruleWeights(one), one.model, { input: one.input, layout })).graph;
  const { node, initializer } = await write("NCHW");
  expect(initializer.map(({ name }) => name).sort()).toEqual([...ruleWeights(one).keys()].sort());
  const count = (nodes: typeof node, name: string): number => nodes.filter(({ op }) => op === name).length;
  const ofConvolution = { Conv: 7, BatchNormalization: 7, Relu: 7, Add: 4 };
  for (const [op, times] of Object.entries(ofConvolution)) expect([op, count(node, op)]).toEqual([op, times]);
  expect(count(node, "Transpose")).toBe(0);
  expect(count((await write("NHWC")).node, "Transpose")).toBe(1);
});

const head = sequential({ head: dense(3) });
const three = new Map([
  ["head.weight", { shape: [2, 3], data: new Float32Array(6) }],
  ["head.bias", { shape: [3], data: new Float32Array(3) }],
]);
const drawn = functional((x, { scope }) => scope.op(ops.add, { x, y: scope.draw("noise", "normal", x.shape) }).z);
const own = defineElementwise({ name: "twice", inputs: ["x"], expression: "2 * x" });
const twice = functional((x, { scope }) => scope.op(own, { x }).z);

const counts = functional((x, { scope }) => scope.op(ops.pow, { x }, { exponent: x.shape[0] as number }).z);

test("what depends on the number of samples goes out for one number", async () => {
  const { graph } = readModel(await toOnnx(three, counts, { input: [2], batch: 4 }));
  expect(graph.input[0]?.type?.tensor?.shape?.dim.map(({ value }) => value)).toEqual([4, 2]);
});

test.each([
  ["a weight that is missing", () => toOnnx(new Map(), head, { input: [2] }), /no weight "head.weight"/],
  ["weights of another model", () => toOnnx(three, head, { input: [4] }), /"head.weight" is \[2,3\].* has \[4,3\]/],
  [
    "random numbers",
    () => toOnnx(three, sequential({ drawn }), { input: [2] }),
    /"add" of "drawn" takes random numbers/,
  ],
  [
    "an op of one's own",
    () => toOnnx(three, sequential({ twice }), { input: [2] }),
    /"twice" of "twice" is one, which/,
  ],
  ["no input", () => toOnnx(three, head), /the input is undefined. Give the shape of a sample/],
  ["no shape", () => toOnnx(three, head, { input: { a: ["b"] } as never }), /the input "a" is \["b"\]/],
  [
    "inputs by name that are not told",
    () => toOnnx(new Map(), at("vae").model, { input: [4] }),
    /Give the option input/,
  ],
  ["what depends on the samples", () => toOnnx(three, counts, { input: [2] }), /"pow" of "" depends on the number/],
  ["an input that does not fit", () => toOnnx(three, sequential([conv2d(2)]), { input: [2] }), /cannot be applied/],
  ["another layout", () => toOnnx(three, head, { layout: "CHW" as never }), /layout is "CHW", it must be "NHWC" or/],
  [
    "another option",
    () => toOnnx(three, head, { opset: 9 } as never),
    /no option "opset". Options: input, layout, batch/,
  ],
  ["no batch", () => toOnnx(three, head, { batch: 0 }), /batch is 0, it must be a whole number/],
  ["no trainer", () => toOnnx({} as never, head), /first argument is no trainer, network, or Map/],
  ["no model", () => toOnnx(three, {} as never), /second argument is no model/],
])("%s is refused", async (_, given, message) => {
  const error: unknown = await given().then(
    () => "nothing",
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OptionError);
  expect((error as Error).message).toMatch(message);
});
