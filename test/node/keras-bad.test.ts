// Files that are damaged, hostile or of another kind: each is refused by a CheckpointError that says where and what.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CheckpointError } from "../../src/index.ts";
import { fromKeras } from "../../src/keras/index.ts";
import { kerasCases, sourceOf } from "../reference/keras-cases.ts";

// biome-ignore lint/suspicious/noExplicitAny: files are wrong in whatever way.
type Any = any;

const file = new Uint8Array(readFileSync("test/golden/keras.h5"));

/** The chain with something changed: [conv2d 3 of 3x3, flatten, dense 4, dense 3]. */
const chain = (change: (json: Any, layers: Any[], weights: Any[]) => unknown) => (): unknown => {
  const source = sourceOf(kerasCases.chain);
  const layers = source.json.modelTopology.config.layers;
  const given = change(source.json, layers, source.json.weightsManifest[0].weights);
  return fromKeras({ json: source.json, weights: given instanceof Uint8Array ? given : source.weights });
};

/** The functional model of two inputs, with something changed; layers by name. */
const merges = (change: (layers: Record<string, Any>, config: Any) => void) => (): unknown => {
  const source = sourceOf(kerasCases.merges);
  const config = source.json.modelTopology.config;
  change(Object.fromEntries(config.layers.map((layer: Any) => [layer.name, layer])), config);
  return fromKeras(source);
};

/** A single layer of a class without weights. */
const layer =
  (class_name: string, config: object, shape: readonly unknown[] = [null, 8, 8, 2]) =>
  (): unknown =>
    fromKeras({
      json: {
        modelTopology: {
          class_name: "Sequential",
          config: { layers: [{ class_name, config: { name: "own", batch_input_shape: shape, ...config } }] },
        },
        weightsManifest: [],
      },
      weights: [],
    });

/** The HDF5 file with other bytes at a place. */
const damaged =
  (at: number, ...bytes: number[]) =>
  (): unknown => {
    const copy = file.slice();
    copy.set(bytes, at);
    return fromKeras(copy);
  };

const find = (text: string, from = 0): number => {
  const wanted = new TextEncoder().encode(text);
  for (let at = from; at <= file.length - wanted.length; at++)
    if (wanted.every((byte, i) => file[at + i] === byte)) return at;
  throw new Error(`"${text}" is not in the file.`);
};
const low = (value: number): number[] => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => Math.floor(value / 256 ** i) % 256);
const all = [255, 255, 255, 255, 255, 255, 255, 127];

const bad: Readonly<Record<string, () => unknown>> = {
  "no source": () => fromKeras(3 as Any),
  "a promise": () => fromKeras(Promise.resolve(file) as Any),
  "no weights": () => fromKeras({ json: {} } as Any),
  "JSON alone": () => fromKeras(new TextEncoder().encode('{ "modelTopology": {} }')),
  "a .keras archive": () => fromKeras(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0)),
  "an image": () => fromKeras(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)),
  nothing: () => fromKeras(new Uint8Array(0)),
  "no JSON": () => fromKeras({ json: "{", weights: [] }),
  "a graph-model": () => fromKeras({ json: { format: "graph-model", modelTopology: { node: [] } }, weights: [] }),
  "no topology": () => fromKeras({ json: { weightsManifest: [] }, weights: [] }),
  "no manifest": chain((json) => delete json.weightsManifest),
  "a group without paths": chain((json) => delete json.weightsManifest[0].paths),
  "an unknown class of model": chain((json) => Object.assign(json.modelTopology, { class_name: "Graph" })),
  "no layers": chain((_, layers) => layers.splice(0)),
  "a layer without a class": chain((_, layers) => delete layers[2].class_name),
  "a layer without a config": chain((_, layers) => delete layers[2].config),
  "a layer without a name": chain((_, layers) => delete layers[2].config.name),
  "a name twice": chain((_, layers) => Object.assign(layers[3].config, { name: layers[2].config.name })),
  "an unknown class": chain((_, layers) => Object.assign(layers[2], { class_name: "SimpleRNN" })),
  "a class of every object": chain((_, layers) => Object.assign(layers[2], { class_name: "constructor" })),
  "an unknown activation": chain((_, layers) => Object.assign(layers[2].config, { activation: "crelu" })),
  "no units": chain((_, layers) => delete layers[2].config.units),
  "units below 1": chain((_, layers) => Object.assign(layers[2].config, { units: -4 })),
  "hostile units": chain((_, layers) => Object.assign(layers[2].config, { units: 2 ** 40 })),
  "more units than weights": chain((_, layers) => Object.assign(layers[2].config, { units: 2 ** 30 })),
  "channels first": chain((_, layers) => Object.assign(layers[0].config, { data_format: "channels_first" })),
  "unknown padding": chain((_, layers) => Object.assign(layers[0].config, { padding: "full" })),
  "a window larger than the image": chain((_, layers) =>
    Object.assign(layers[0].config, { batch_input_shape: [null, 2, 2, 2] }),
  ),
  "another input": chain((_, layers) => Object.assign(layers[0].config, { batch_input_shape: [null, 9, 9, 2] })),
  "an input that is no shape": chain((_, layers) =>
    Object.assign(layers[0].config, { batch_input_shape: [null, -8, 8, 2] }),
  ),
  "a weight less": chain((_, __, weights) => {
    weights.splice(3, 1);
    return sourceOf(kerasCases.chain).weights.slice(16);
  }),
  "an unknown dtype": chain((_, __, weights) => Object.assign(weights[1], { dtype: "complex64" })),
  "an unknown quantisation": chain((_, __, weights) =>
    Object.assign(weights[1], { quantization: { dtype: "int4", scale: 1, min: 0 } }),
  ),
  "a quantisation without scale": chain((_, __, weights) =>
    Object.assign(weights[1], { quantization: { dtype: "uint8", min: 0 } }),
  ),
  "a wrong shape": chain((_, __, weights) => Object.assign(weights[2], { shape: [4, 108] })),
  "a shape below 0": chain((_, __, weights) => Object.assign(weights[2], { shape: [-1, 4] })),
  "a hostile shape": chain((_, __, weights) => Object.assign(weights[2], { shape: [2 ** 50, 2 ** 50] })),
  "a shard too short": chain(() => sourceOf(kerasCases.chain).weights.slice(0, 1000)),
  "a shard too long": chain(() => new Uint8Array(9000)),
  "a shard missing": () => fromKeras({ ...sourceOf(kerasCases.chain), weights: { "other.bin": new Uint8Array(4) } }),
  "a named shard too short": () =>
    fromKeras({ ...sourceOf(kerasCases.chain), weights: { "weights.bin": new Uint8Array(40) } }),
  "shards too many": () => fromKeras({ ...sourceOf(kerasCases.chain), weights: [file, file] }),
  "a shard that is text": () => fromKeras({ ...sourceOf(kerasCases.chain), weights: { "weights.bin": "AAAA" } as Any }),
  "a number that is none": chain(() => sourceOf(kerasCases.chain).weights.fill(255, 400, 404)),
  "a source that is not there": merges(({ left }) => Object.assign(left.inbound_nodes[0][0], ["three", 0, 0])),
  "a use that is not there": merges(({ left }) => Object.assign(left.inbound_nodes[0][0], ["shared", 7, 0])),
  "a result that is not there": merges(({ kind }) => Object.assign(kind.inbound_nodes[0][0], ["joined", 0, 2])),
  "a circle": merges(({ left }) => Object.assign(left.inbound_nodes[0][0], ["joined", 0, 0])),
  "a layer that takes itself": merges(({ left }) => Object.assign(left.inbound_nodes[0][0], ["left", 0, 0])),
  "nodes that are no list": merges(({ left }) => Object.assign(left, { inbound_nodes: "one" })),
  "values by name": merges(({ left }) =>
    Object.assign(left.inbound_nodes[0][0], ["one", 0, 0, { mask: ["two", 0, 0] }]),
  ),
  "a layer of one value that takes two": merges(({ left }) => left.inbound_nodes[0].push(["two", 0, 0, {}])),
  "a sum of one": merges(({ sum }) => sum.inbound_nodes[0].pop()),
  "no outputs": merges((_, config) => delete config.output_layers),
  "an input that is a layer": merges((_, config) => Object.assign(config.input_layers[0], ["left", 0, 0])),
  "an input that is not told": merges((_, config) => config.input_layers.pop()),
  "models too deep": () => {
    let model: object = { class_name: "Dense", config: { units: 1, name: "end" } };
    for (let i = 0; i < 40; i++) model = { class_name: "Sequential", config: { name: `m${i}`, layers: [model] } };
    return fromKeras({ json: { modelTopology: model, weightsManifest: [] }, weights: [] });
  },
  "a norm of rows": layer("LayerNormalization", { axis: 1, scale: false, center: false }),
  "dropout of all": layer("Dropout", { rate: 1 }),
  "dropout of shapes": layer("Dropout", { rate: 0.5, noise_shape: [null, 1] }),
  "a relu with a threshold": layer("ReLU", { threshold: 1 }),
  "a slope below 0": layer("LeakyReLU", { alpha: -1 }),
  "a shape that does not fit": layer("Reshape", { target_shape: [5, 5] }),
  "axes twice": layer("Permute", { dims: [1, 1, 2] }),
  "an unknown interpolation": layer("UpSampling2D", { interpolation: "lanczos3" }),
  "an LSTM with other gates": layer("LSTM", { units: 2, recurrent_activation: "hard_sigmoid" }, [null, 3, 2]),
  "a GRU without its gates": layer("GRU", { units: 2, reset_after: "yes" }, [null, 3, 2]),
  "an LSTM that goes back": layer("LSTM", { units: 2, go_backwards: true, return_sequences: true }, [null, 3, 2]),
  "another layer over time": layer("TimeDistributed", { layer: { class_name: "Conv2D", config: {} } }, [null, 3, 2]),
  "another layer both ways": layer("Bidirectional", { layer: { class_name: "Dense", config: {} } }, [null, 3, 2]),
  masks: layer("Embedding", { input_dim: 4, output_dim: 2, mask_zero: true }, [null, 3]),
  "HDF5 cut after its head": () => fromKeras(file.slice(0, 90)),
  "HDF5 cut in half": () => fromKeras(file.slice(0, file.length >> 1)),
  "HDF5 less its last bytes": () => fromKeras(file.slice(0, file.length - 700)),
  "HDF5 of another version": damaged(8, 9),
  "HDF5 of short places": damaged(13, 4),
  "HDF5 whose root is nowhere": damaged(64, ...all),
  "HDF5 with objects of another version": damaged(Number(file[64]), 7),
  "HDF5 whose group comes back to itself": damaged(find("TREE") + 32, ...low(find("TREE"))),
  "HDF5 with a hostile group": damaged(find("TREE") + 6, 255, 255),
  "HDF5 with a hostile heap": damaged(find("HEAP") + 24, ...all),
  "HDF5 without its texts": damaged(find("GCOL"), 0),
  "HDF5 with texts cut off": damaged(find("GCOL") + 24, ...low(3)),
  "HDF5 without a plan": damaged(find("model_config"), 0x4d),
  "HDF5 with another plan": damaged(find('{"class_name"'), 0x5b),
  "HDF5 without weights": damaged(find("model_weights"), 0x4d),
  "HDF5 without a layer": damaged(find("pair\0"), 0x50),
  "HDF5 whose weight is not listed": damaged(find("top/bias:0"), 0x54),
};

const refusal = async (make: () => unknown): Promise<string> => {
  try {
    await make();
    return "accepted";
  } catch (error) {
    return error instanceof CheckpointError ? error.message : `${error}\n${(error as Error).stack}`;
  }
};

test("what is wrong is refused by name", async () => {
  const told: Record<string, string> = {};
  for (const [name, make] of Object.entries(bad)) told[name] = await refusal(make);
  expect(Object.entries(told).filter(([, text]) => !text.startsWith("fromKeras: "))).toEqual([]);
  expect(told).toMatchSnapshot();
});

test("what is given as an option and is none is refused", async () => {
  for (const options of [{ logit: true }, { logits: 1 }, 3]) {
    await expect(fromKeras(file, options as Any)).rejects.toThrow(/^fromKeras: /);
  }
});
