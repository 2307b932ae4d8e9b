// Models that are written as TensorFlow.js layers-models: read again they have the same weights by the same names and give the same values,
// and what Keras has not is refused by name.

import { describe, expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import {
  averagePool1d,
  averagePool2d,
  batchNorm,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  dropout,
  embedding,
  flatten,
  functional,
  gelu,
  globalMaxPool2d,
  graph,
  gru,
  layerNorm,
  leakyRelu,
  lstm,
  type Model,
  maxPool1d,
  maxPool2d,
  OptionError,
  permute,
  relu6,
  reshape,
  residual,
  separableConv2d,
  sequential,
  softmax,
  tanh,
  upSampling2d,
  zeroPadding2d,
} from "../../src/index.ts";
import { fromKeras, type NamedWeights, toKeras } from "../../src/keras/index.ts";
import { shapedValue, tracedPart } from "../../src/keras/traced-part.ts";
import values from "../golden/to-keras.json" with { type: "json" };
import { relativeError, ruleInput } from "../reference/golden-data.ts";
import { inputsOf, kerasCases, sourceOf } from "../reference/keras-cases.ts";
import { type KerasNetwork, kerasNetworks } from "../reference/keras-networks.ts";
import { type Given, only, runModel } from "../reference/run-model.ts";

const run = (model: Model, inputs: ReadonlyMap<string, Given>, weights: NamedWeights) =>
  [...runModel(model, inputs, weights).outputs.values()].flatMap(({ data }) => [...data]);

const { activations: _, ...cases } = kerasCases;

test.each(Object.entries(cases))("%s go out and come back", async (_, one) => {
  const { model, weights, input } = await fromKeras(sourceOf(one));
  const back = await fromKeras(toKeras(model, weights, { input: input! }));
  expect(back.input === undefined ? undefined : Object.values(back.input)).toEqual(Object.values(input!));
  expect([...back.weights].sort()).toEqual([...weights].sort());
  const names = [...inputsOf(one).keys()];
  expect(run(back.model, inputsOf(one), back.weights)).toEqual(run(model, inputsOf(one), weights));
  expect(names.length).toBeGreaterThan(0);
});

const networks: readonly KerasNetwork[] = ["doodlenet", "cvae", "resnet8", "wakeWord", "anomaly"].map(
  (name) => kerasNetworks[name as keyof typeof kerasNetworks],
);

test.each(networks)("$net goes out and comes back, in both forms of files", async (network) => {
  const { model, weights, input } = await network.read(dataFile);
  const back = await fromKeras(toKeras(model, weights, { input: input! }));
  expect([...back.weights.keys()].sort()).toEqual([...weights.keys()].sort());
  const shape = Array.isArray(input) ? [1, ...input] : [];
  const inputs = network.inputs(shape);
  expect(relativeError(run(back.model, inputs, back.weights), run(model, inputs, weights))).toBeLessThan(1e-12);
});

type OneInput = readonly number[] | { readonly shape: readonly number[]; readonly classes: number };

/** Weights of a model by a rule, as a trainer would give them. */
function weightsOf(model: Model, input: OneInput) {
  const value = "shape" in input ? shapedValue([2, ...input.shape], input.classes) : shapedValue([2, ...input]);
  return new Map(
    [...tracedPart(model, value).tensors].map(([name, shape]) => {
      const scaled = (x: number): number => (name.endsWith("movingVariance") ? x + 0.5 : 2 * x - 1);
      return [name, { shape, data: Float32Array.from(ruleInput(shape, scaled)) }];
    }),
  );
}

const own: Readonly<Record<string, readonly [Model, OneInput]>> = {
  images: [
    sequential({
      stem: [conv2d(4, { stride: 2, padding: "same", bias: false }), batchNorm({ momentum: 0.8, eps: 1e-3 }), relu6()],
      depths: [
        depthwiseConv2d({ padding: "same" }),
        leakyRelu({ slope: 0.2 }),
        depthwiseConv2d({ kernel: [2, 1], depthMultiplier: 2, bias: false }),
      ],
      up: [upSampling2d({ size: [2, 1] }), conv2dTranspose(3, { stride: 2 })],
      around: [
        zeroPadding2d([
          [1, 0],
          [2, 1],
        ]),
        cropping2d([1, 2]),
        separableConv2d(5, { dilation: 2 }),
        gelu(),
      ],
      pools: [maxPool2d(3, { stride: 2, padding: "same" }), averagePool2d(2, { padding: "same" }), dropout(0.25)],
      head: [globalMaxPool2d(), dense(3), softmax()],
    }),
    [8, 9, 2],
  ],
  words: [
    sequential([
      embedding(11, 4),
      conv1d(6, { kernel: 3, dilation: 2, padding: "same" }),
      layerNorm({ eps: 1e-4 }),
      maxPool1d(2),
      averagePool1d(2, { stride: 1, padding: "same" }),
      lstm(5, { returnSequences: true }),
      permute([2, 1]),
      reshape([4, -1]),
      flatten(),
      dense(2, { bias: false }),
      tanh(),
    ]),
    { shape: [8], classes: 11 },
  ],
  // TensorFlow.js takes other places between pixels than Keras.
  smooth: [sequential([conv2d(2), upSampling2d({ size: 3, interpolation: "bilinear" })]), [4, 5, 1]],
  signals: [
    sequential([conv1d(3, { kernel: 3, dilation: 2, padding: [4, 0] }), gru(2, { resetAfter: false })]),
    [7, 2],
  ],
};

test.each(Object.entries(own))(
  "layers of %s that were made here go out and come back, and TensorFlow.js reads them",
  async (name, [model, input]) => {
    const weights = weightsOf(model, input);
    const written = toKeras(model, weights, { input });
    const back = await fromKeras({ json: JSON.stringify(written.json), weights: written.weights });
    await expect(`${JSON.stringify(written.json)}\n`).toMatchFileSnapshot(`../golden/to-keras-${name}.json`);
    expect(back.input).toEqual(input);
    expect([...back.weights].sort()).toEqual([...weights].sort());
    const { shape, classes } = "shape" in input ? input : { shape: input, classes: undefined };
    const given = ruleInput([2, ...shape], (x) => (classes === undefined ? 2 * x - 1 : Math.floor(x * classes)));
    const inputs = only(shape, given, classes);
    const [y, z] = [run(model, inputs, weights), run(back.model, inputs, back.weights)];
    expect(relativeError(z, y)).toBeLessThan(1e-12);
    expect(Math.max(...y) - Math.min(...y)).toBeGreaterThan(1e-3);
    // What TensorFlow.js makes of the file, where it has all layers.
    const there = (values as Readonly<Record<string, readonly number[]>>)[name];
    if (name in values) expect(relativeError(y, there ?? [])).toBeLessThan(1e-5);
  },
);

describe("what cannot be written is refused by name", () => {
  const weights = new Map([["fc.weight", { shape: [3, 2], data: new Float32Array(6) }]]);
  const of =
    (model: Model, input: unknown = [3], given: unknown = weights) =>
    () =>
      toKeras(model, given as never, { input } as never);
  const refused: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
    "a layer of its own": [of(sequential({ own: functional((x) => x) })), /functional "own": Keras has no such layer/],
    "a bypass": [of(sequential({ block: residual([dense(3)]) })), /residual "block"/],
    "padding in numbers": [
      of(sequential({ c: conv2d(2, { padding: 1 }) }), [4, 4, 1]),
      /conv2d "c": its padding is \[1,1,1,1\]/,
    ],
    "the other gelu": [of(sequential({ g: gelu({ approximate: true }) })), /gelu "g"/],
    groups: [of(sequential({ c: conv2d(2, { groups: 2 }) }), [4, 4, 2]), /conv2d "c": it has 2 groups/],
    "no weights": [of(sequential({ fc: dense(2) }), [3], {}), /weights are/],
    "a weight that is missing": [of(sequential({ fc: dense(2) })), /there is no weight "fc.bias"/],
    "no input": [of(sequential({ fc: dense(2) }), null), /the input is null/],
    "an image where there is none": [of(sequential({ c: conv2d(2) })), /conv2d "c": .*it must be an image/],
    "an unknown source": [of(graph([["fc", dense(2), "stem"]])), /takes "stem"/],
  };
  test.each(Object.entries(refused))("%s", (_, [make, text]) => {
    expect(make).toThrow(OptionError);
    expect(make).toThrow(text);
  });
});
