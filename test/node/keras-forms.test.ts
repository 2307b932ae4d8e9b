// The forms in which files of Keras come, and what each says: shards in all ways, quantised ones, HDF5 old and new, the optimizer's
// state, models of recurrent layers, and what the report tells.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { summary } from "../../src/index.ts";
import { fromKeras } from "../../src/keras/index.ts";
import { stateOf } from "../../src/keras/optimizer.ts";
import type { Placed } from "../../src/keras/place.ts";
import { moments, relativeError } from "../reference/golden-data.ts";
import { inputsOf, kerasCases, sourceOf } from "../reference/keras-cases.ts";
import { kerasNetworks } from "../reference/keras-networks.ts";
import { npzOf } from "../reference/npz.ts";
import { type Given, only, runModel } from "../reference/run-model.ts";

const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(`test/golden/${name}`));
const { chain, merges, models } = kerasCases;

/** A chain of layers as JSON, with weights by a rule. */
function written(
  layers: readonly object[],
  shape: readonly (number | null)[],
  weights: Record<string, readonly number[]>,
) {
  const named = layers.map((one, i) => ({
    ...one,
    config: {
      name: `layer${i}`,
      ...(i === 0 && { batch_input_shape: [null, ...shape] }),
      ...(one as { config: object }).config,
    },
  }));
  const specs = Object.entries(weights).map(([name, own]) => ({ name, shape: own, dtype: "float32" }));
  const count = specs.reduce((sum, { shape: own }) => sum + own.reduce((all, length) => all * length, 1), 0);
  const numbers = Float32Array.from({ length: count }, (_, i) => (((i * 7919) % 1009) / 1009 - 0.5) * 1.2);
  return {
    json: {
      modelTopology: { class_name: "Sequential", config: { name: "net", layers: named } },
      weightsManifest: [{ paths: ["w.bin"], weights: specs }],
    },
    weights: new Uint8Array(numbers.buffer),
    numbers,
  };
}

const run = async (source: Parameters<typeof fromKeras>[0], inputs: ReadonlyMap<string, Given>): Promise<number[]> => {
  const { model, weights } = await fromKeras(source);
  const { outputs } = runModel(model, inputs, weights);
  return [...outputs.values()].flatMap(({ data }) => [...data]);
};

describe("shards", () => {
  const { json, weights } = sourceOf(chain);
  // Two groups, of which the first has two shards that part a tensor.
  const [{ weights: specs }] = json.weightsManifest;
  const cut = 4 * (3 * 3 * 2 * 3 + 3);
  json.weightsManifest = [
    { paths: ["deep/a", "deep/b"], weights: specs.slice(0, 2) },
    { paths: ["deep/c"], weights: specs.slice(2) },
  ];
  const parts = [weights.subarray(0, 30), weights.slice(30, cut).buffer, weights.subarray(cut)] as const;
  const [a, b, c] = parts;
  const forms = {
    "in one": weights,
    "in one buffer": weights.slice().buffer,
    "in order": parts,
    "by path": { "deep/a": a, "deep/b": b, "deep/c": c },
    "by name": { a, b, c },
    "in a Map": new Map<string, Uint8Array | ArrayBuffer>([
      ["deep/a", a],
      ["b", b],
      ["c", c],
    ]),
    "by a function": async (path: string) => ({ "deep/a": a, "deep/b": b, "deep/c": c })[path] as Uint8Array,
  };
  test.each(Object.entries(forms))("may come %s", async (_, given) => {
    const got = await run({ json: JSON.stringify(json), weights: given as Uint8Array }, inputsOf(chain));
    expect(relativeError(got, chain.outputs[0]!.values)).toBeLessThan(2e-6);
  });

  test.each([
    ["uint8", 1, 255],
    ["uint16", 2, 65_535],
  ] as const)("are read as numbers where they are quantised to %s", async (dtype, size, most) => {
    const plain = sourceOf(chain);
    const [{ weights: all }] = plain.json.weightsManifest;
    const values = new Float32Array(plain.weights.buffer);
    const [min, scale] = [-0.6, 1.2 / most];
    const whole = Array.from(values, (value) => Math.round((value - min) / scale));
    plain.json.weightsManifest[0].weights = all.map((one: object) => ({
      ...one,
      quantization: { dtype, min, scale, original_dtype: "float32" },
    }));
    const bytes = size === 1 ? Uint8Array.from(whole) : new Uint8Array(Uint16Array.from(whole).buffer);
    const { weights: read } = await fromKeras({ json: plain.json, weights: bytes });
    const got = [...read.values()].flatMap(({ data }) => [...data]);
    expect(got).toHaveLength(values.length);
    expect(got).toEqual(whole.map((one) => Math.fround(one * scale + min)));
  });

  test("are read as numbers where they are halves", async () => {
    const plain = sourceOf(chain);
    const bits = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0xbc01, 0x7bff, 0x3555];
    const expected = [0, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, -1 - 2 ** -10, 65_504, 0.333251953125];
    plain.json.weightsManifest[0].weights[0].quantization = { dtype: "float16", original_dtype: "float32" };
    const first = 3 * 3 * 2 * 3;
    const bytes = new Uint8Array(plain.weights.length - 2 * first);
    bytes.set(new Uint8Array(Uint16Array.from({ length: first }, (_, i) => bits[i % bits.length] as number).buffer));
    bytes.set(plain.weights.subarray(4 * first), 2 * first);
    const { weights: read } = await fromKeras({ json: plain.json, weights: bytes });
    expect([...read.values()][0]?.data.slice(0, 9)).toEqual(Float32Array.from(expected));
  });
});

describe.each(["keras.h5", "keras-new.h5"])("%s", (name) => {
  test("gives the values of the model that it was made of, with models in models and weights in three types", async () => {
    const { model, weights, report } = await fromKeras(golden(name));
    const { outputs } = runModel(model, inputsOf(models), weights);
    // The tensor in f16 has lost digits.
    expect(relativeError(outputs.get("")!.data, models.outputs[0]!.values)).toBeLessThan(1e-3);
    expect([...weights.keys()]).toContain("pair.tower.fc.weight");
    expect(report.leftOut).toEqual([]);
  });

  test("is read from a Buffer of Node as from plain bytes", async () => {
    const { weights } = await fromKeras(readFileSync(`test/golden/${name}`));
    expect(weights).toEqual((await fromKeras(golden(name))).weights);
  });

  test("gives what Adam kept, by the names of the model", async () => {
    const { state, weights } = await fromKeras(golden(name));
    expect(state?.optimizer).toBe("Adam");
    expect(state?.iterations).toBe(120);
    expect(state?.options).toMatchObject({ learning_rate: 0.002, beta_1: 0.9, beta_2: 0.99, epsilon: 1e-7 });
    const trained = [...weights.keys()].filter((one) => !one.includes("moving"));
    for (const slot of ["m", "v"]) expect([...state!.slots.get(slot)!.keys()].sort()).toEqual(trained.sort());
    const rule = (step: number) => [0, 1, 2].map((i) => Math.fround(((i * 7919 + step) % 1009) / 1009));
    expect([...state!.slots.get("m")!.get("pair.tower.fc.weight")!.data.slice(0, 3)]).toEqual(rule(1));
    expect([...state!.slots.get("v")!.get("pair.tower.fc.weight")!.data.slice(0, 3)]).toEqual(rule(7));
    for (const [at, { shape }] of state!.slots.get("v")!) expect(shape).toEqual(weights.get(at)!.shape);
    expect(state!.step).toBe(120);
    expect([...state!.tensors.keys()].sort()).toEqual(trained.sort());
    for (const [at, { step, moment1, moment2, moment3 }] of state!.tensors) {
      expect([step, moment3]).toEqual([120, undefined]);
      expect([moment1, moment2]).toEqual(["m", "v"].map((slot) => state!.slots.get(slot)!.get(at)));
    }
  });
});

test.each([
  ["resnet8", 781_500, 6.636851594521431e-6],
  ["person", 61_680, 0.0002500000118743628],
  ["wakeWord", 59_400, undefined],
  ["anomaly", 241_200, 0.0010000000474974513],
] as const)("what Adam kept of %s has a number for each trained weight", async (name, iterations, rate) => {
  const { state, weights } = await kerasNetworks[name].read(dataFile);
  expect(state?.iterations).toBe(iterations);
  if (rate !== undefined) expect(state?.options.learning_rate).toBe(rate);
  const trained = [...weights].filter(([one]) => !one.includes("moving"));
  for (const slot of ["m", "v"]) {
    const kept = state!.slots.get(slot)!;
    expect(trained.filter(([one, { shape }]) => String(kept.get(one)?.shape) !== String(shape))).toEqual([]);
    expect(kept.size).toBe(trained.length);
  }
  for (const { data } of state!.slots.get("v")!.values())
    expect(Math.min(...data.slice(0, 1000))).toBeGreaterThanOrEqual(0);
});

test("the momentum of SGD, which Keras adds to the weight, is what sgd({ lrInMomentum: true }) takes off it", () => {
  const tensor = (name: string, ...values: number[]) => ({
    ...{ name, shape: values.length === 1 ? [] : [values.length] },
    numbers: () => Float32Array.from(values),
  });
  const kept = [tensor("SGD/iter:0", 7), tensor("SGD/fc/bias/momentum:0", 1, -2)];
  const placed = [{ name: "fc.bias", tensor: tensor("fc/bias:0", 0, 0), leaf: {}, need: {} }] as unknown as Placed[];
  const training = { optimizer_config: { class_name: "SGD", config: { momentum: 0.9 } } };
  const { state } = stateOf(training, kept, placed)!;
  const moment1 = { shape: [2], data: Float32Array.of(-1, 2) };
  expect([...state.tensors]).toEqual([["fc.bias", { step: 7, moment1 }]]);
  const other = stateOf({ optimizer_config: { class_name: "Ftrl", config: {} } }, kept, placed)!;
  expect([other.state.tensors.size, other.state.slots.size]).toEqual([0, 1]);
});

describe("recurrent layers", () => {
  const units = 3;
  const values = Float64Array.from({ length: 16 }, (_, i) => ((i * 5) % 7) / 3 - 1);
  const x = only([4, 2], values);
  const gru = (config: object) => ({
    class_name: "GRU",
    config: { units, reset_after: true, return_sequences: true, recurrent_activation: "sigmoid", ...config },
  });
  const shapes = { "layer0/kernel": [2, 9], "layer0/recurrent_kernel": [3, 9], "layer0/bias": [2, 9] };

  test("GRU with reset_after is that of Keras' formula, with gates z r h", async () => {
    const source = written([gru({})], [4, 2], shapes);
    const w = source.numbers;
    const at = (row: number, column: number, from: number) => w[from + row * 9 + column] as number;
    const [recurrentAt, biasAt] = [18, 45];
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    const expected: number[] = [];
    for (let sample = 0; sample < 2; sample++) {
      let h = [0, 0, 0];
      for (let step = 0; step < 4; step++) {
        const given = [0, 1].map((c) => values[(sample * 4 + step) * 2 + c] as number);
        const a = Array.from(
          { length: 9 },
          (_, j) => at(0, j, biasAt) + given.reduce((sum, v, c) => sum + v * at(c, j, 0), 0),
        );
        const d = Array.from(
          { length: 9 },
          (_, j) => at(1, j, biasAt) + h.reduce((sum, v, c) => sum + v * at(c, j, recurrentAt), 0),
        );
        const old = h;
        h = old.map((before, j) => {
          const z = sigmoid(a[j]! + d[j]!);
          const r = sigmoid(a[3 + j]! + d[3 + j]!);
          return z * before + (1 - z) * Math.tanh(a[6 + j]! + r * d[6 + j]!);
        });
        expected.push(...h);
      }
    }
    expect(relativeError(await run(source, x), expected)).toBeLessThan(1e-6);
  });

  test("without a bias have one of zeros", async () => {
    const { weights, report } = await fromKeras(
      written([gru({ use_bias: false })], [4, 2], { "layer0/kernel": [2, 9], "layer0/recurrent_kernel": [3, 9] }),
    );
    expect([...weights.keys()]).toEqual([
      "layer0.weight",
      "layer0.recurrentWeight",
      "layer0.bias",
      "layer0.recurrentBias",
    ]);
    expect(weights.get("layer0.recurrentBias")!.data).toEqual(new Float32Array(9));
    expect(String(report)).toContain("it has no bias in the file");
  });
});

test("a causal convolution sees nothing of what comes", async () => {
  const config = { filters: 2, kernel_size: [3], dilation_rate: [2], padding: "causal" };
  const source = written([{ class_name: "Conv1D", config }], [null as never, 1], {
    "layer0/kernel": [3, 1, 2],
    "layer0/bias": [2],
  });
  const values = Float64Array.from({ length: 9 }, (_, i) => (i * 3) % 5);
  const whole = await run(source, only([9, 1], values));
  const begun = await run(source, only([6, 1], values.slice(0, 6)));
  expect(whole).toHaveLength(18);
  expect(relativeError(begun, whole.slice(0, 12))).toBeLessThan(1e-12);
});

test("separable filters with several for each channel, and borders as one number", async () => {
  const layers = [
    { class_name: "ZeroPadding2D", config: { padding: 1 } },
    { class_name: "SeparableConv2D", config: { filters: 2, kernel_size: 3, depth_multiplier: 2, use_bias: false } },
  ];
  const shapes = { "layer1/depthwise_kernel": [3, 3, 1, 2], "layer1/pointwise_kernel": [1, 1, 2, 2] };
  const source = written(layers, [1, 1, 1], shapes);
  const w = source.numbers;
  // Of one pixel only the middle tap sees anything.
  const expected = [0, 1].map(
    (filter) => [0, 1].reduce((sum, m) => sum + w[4 * 2 + m]! * w[18 + m * 2 + filter]!, 0) * 3,
  );
  expect(relativeError(await run(source, only([1, 1, 1], [3])), expected)).toBeLessThan(1e-6);
});

test("a name is Keras' own where it can be, and weights are found by what it was", async () => {
  const names = ["conv1/conv", "fc 1", "constructor"];
  const layers = names.map((name) => ({ class_name: "Dense", config: { units: 2, name } }));
  const shapes = Object.fromEntries(
    names.flatMap((name) => [
      [`${name}/kernel`, [2, 2]],
      [`${name}/bias:0`, [2]],
    ]),
  );
  const { model, weights, input } = await fromKeras(written(layers, [2], shapes));
  expect([...weights.keys()]).toEqual(
    ["conv1.conv", "fc_1", "constructor_"].flatMap((name) => [`${name}.weight`, `${name}.bias`]),
  );
  expect(summary(model, { input: input! }).layers.map(({ name }) => name)).toEqual([
    "conv1.conv",
    "fc_1",
    "constructor_",
  ]);
});

test("Keras 3 names sources and shapes in another way, and its hard sigmoid is another", async () => {
  const tensor = (name: string) => ({
    class_name: "__keras_tensor__",
    config: { shape: [null, 2], dtype: "float32", keras_history: [name, 0, 0] },
  });
  const layers = [
    { class_name: "InputLayer", config: { batch_shape: [null, 2], name: "in" }, inbound_nodes: [] },
    {
      class_name: "Activation",
      config: { name: "one", activation: "hard_sigmoid" },
      inbound_nodes: [{ args: [tensor("in")], kwargs: {} }],
    },
    {
      class_name: "Dense",
      config: { name: "fc", units: 1, use_bias: false },
      inbound_nodes: [{ args: [tensor("one")], kwargs: {} }],
    },
    {
      class_name: "Concatenate",
      config: { name: "both" },
      inbound_nodes: [{ args: [[tensor("one"), tensor("fc")]], kwargs: {} }],
    },
  ];
  const config = { name: "net", layers, input_layers: ["in", 0, 0], output_layers: ["both", 0, 0] };
  const at = (keras_version: string) => ({
    json: {
      modelTopology: { keras_version, model_config: { class_name: "Functional", config } },
      weightsManifest: [{ paths: ["w"], weights: [{ name: "fc/kernel", shape: [2, 1], dtype: "float32" }] }],
    },
    weights: new Uint8Array(Float32Array.of(1, 2).buffer),
  });
  const inputs = only([2], [1.5, -2]);
  const [one, two] = [0.75, 1 / 6];
  expect(relativeError(await run(at("3.4.1"), inputs), [one, two, one + 2 * two])).toBeLessThan(1e-9);
  expect((await run(at("2.15.0"), inputs)).slice(0, 2)).toEqual([expect.closeTo(0.8, 6), expect.closeTo(0.1, 6)]);
});

describe("the report", () => {
  test("tells inputs, frozen layers, and which losses take logits", async () => {
    const { json, weights } = sourceOf(merges);
    json.modelTopology.config.layers.find((layer: { name: string }) => layer.name === "left").config.trainable = false;
    const { report, input } = await fromKeras({ json, weights });
    expect(input).toEqual({ one: [5], two: [4] });
    expect(report.layers.filter(({ frozen }) => frozen).map(({ name }) => name)).toEqual(["left"]);
    expect(String(report)).toContain(
      "kind: the model ends with softmax. For training read it with { logits: true } and take crossEntropy()",
    );
    expect(String(report)).toContain(
      "size: the model ends with sigmoid. For training read it with { logits: true } and take binaryCrossEntropy()",
    );
  });

  test("says what logits left out, and the outputs are what was before it", async () => {
    const source = sourceOf(merges);
    const { report, model, weights } = await fromKeras(source, { logits: true });
    expect(report.leftOut).toEqual(["softmax of kind", "sigmoid of size"]);
    const { outputs } = runModel(model, inputsOf(merges), weights);
    const made = Array.from(outputs.get("size")!.data, (z) => 1 / (1 + Math.exp(-z)));
    expect(relativeError(made, merges.outputs[1]!.values)).toBeLessThan(2e-6);
  });

  test("has the input of whole numbers with its vocabulary", async () => {
    const { input } = await fromKeras(sourceOf(kerasCases.sequence));
    expect(input).toEqual({ shape: [9], classes: 20 });
  });

  test("says what the file has beside the model, and what is free", async () => {
    const source = written(
      [{ class_name: "Dense", config: { units: 2, kernel_regularizer: { class_name: "L2" } } }],
      [null as never, 3],
      {
        "layer0/kernel": [3, 2],
        "layer0/bias": [2],
        "aux/kernel": [5],
      },
    );
    const { report, input } = await fromKeras(source);
    expect(input).toBeUndefined();
    expect(report.leftOut).toEqual(["kernel_regularizer of layer0", 'weight "aux/kernel" [5]']);
    expect(report.advice.join(" ")).toMatch(/weightDecay.*leaves a length of the input free/);
  });
});

test("the wake words have their reference figure, 91.1 %", async () => {
  const { model, weights } = await kerasNetworks.wakeWord.read(dataFile);
  const files = npzOf(await dataFile("mlperf-tiny/calibration_samples.npz"));
  const [specs, labels] = [files.get("specs")!, files.get("labels")!];
  const { outputs } = runModel(model, only(specs.shape.slice(1), specs.values), weights);
  const made = outputs.get("")!.data;
  const hits = Array.from(labels.values).filter((label, i) => {
    const row = [0, 1, 2].map((at) => made[3 * i + at] as number);
    return row.indexOf(Math.max(...row)) === label;
  });
  expect([hits.length, labels.values.length]).toEqual([41, 45]);
});

test("of a sound machine's noise the autoencoder loses what the reference figure says, 9.49", async () => {
  const { model, weights } = await kerasNetworks.anomaly.read(dataFile);
  const bytes = await dataFile("mlperf-tiny/normal_id_01_00000000_hist_librosa.bin");
  const frames = new Float32Array(bytes.slice().buffer);
  const windows = frames.length / 128 - 4;
  const values = Float64Array.from(
    { length: windows * 640 },
    (_, i) => frames[Math.floor(i / 640) * 128 + (i % 640)] as number,
  );
  const { outputs } = runModel(model, only([640], values), weights);
  const made = outputs.get("")!.data;
  const error = values.reduce((sum, v, i) => sum + (v - (made[i] as number)) ** 2, 0) / values.length;
  expect(error).toBeCloseTo(9.49, 1);
  expect(moments(values).std ** 2).toBeGreaterThan(100);
});
