// A model of Gradus as a TensorFlow.js layers-model.

import { sizeOf } from "../foreign/strided.ts";
import { GradusError, type Model, type Value, type Values } from "../index.ts";
import { shown } from "./config.ts";
import type { KerasInput } from "./from-keras.ts";
import type { LayersModel } from "./source.ts";
import { refuseModel, shapedValue, tracedPart } from "./traced-part.ts";
import { type Written, writers } from "./written-layers.ts";

/** Options of `toKeras`. */
export interface ToKerasOptions {
  /** Shape of one sample, or several by name, as for `compile`. */
  readonly input: KerasInput;
}

/** Weights as `trainer.weights()` gives them. */
export type NamedWeights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>;

/** A TensorFlow.js layers-model whose weights are one shard, `weights.bin`. */
export interface WrittenModel extends LayersModel {
  /** What model.json holds. */
  readonly json: object;
  /** The bytes of `weights.bin`, f32, little-endian. */
  readonly weights: Uint8Array<ArrayBuffer>;
}

/** The result of a layer in Keras's form. */
type Reference = readonly [name: string, node: number, output: number, more: object];

/** A value with where it comes from. */
interface At {
  readonly value: Value;
  readonly from: Reference;
}

interface Entry extends Written {
  readonly name: string;
  readonly inbound: Reference[][];
}

/**
 * Writes a model that is made of layers that Keras has, in `sequential`, `graph` or read by `fromKeras`, as a TensorFlow.js layers-model: put
 * `JSON.stringify(json)` into model.json and `weights` into weights.bin beside it, and tf.loadLayersModel reads it. Layers are called by
 * their paths with "/" in the place of ".", so that `fromKeras` reads the same names. A batch norm is written with its running values.
 *
 * Throws OptionError for layers and options that Keras has not, with the layer's path, and for weights that are missing or of another
 * shape, with both shapes.
 *
 * @example
 * const { json, weights } = toKeras(model, await trainer.weights(), { input: [28, 28, 1] });
 */
export function toKeras(model: Model, weights: NamedWeights, options: ToKerasOptions): WrittenModel {
  if (!(weights instanceof Map))
    refuseModel(`weights are ${shown(weights)}. Give a Map by name, as trainer.weights() gives.`);
  const inputs = inputsOf(options);
  const entries = new Map<string, Entry>();
  const given = Object.fromEntries(
    inputs.map(({ name, shape, classes }) => {
      const layer = {
        class_name: "InputLayer",
        config: {
          batch_input_shape: [null, ...shape],
          dtype: classes === undefined ? "float32" : "int32",
          sparse: false,
        },
      };
      entries.set(name, { name, ...layer, inbound: [] });
      return [name, { value: shapedValue([BATCH, ...shape], classes), from: [name, 0, 0, {}] } as At];
    }),
  );
  const made = written(model, "", inputs.length === 1 ? (Object.values(given)[0] as At) : given, entries);
  const outputs = isAt(made) ? [made] : Object.values(made);
  const layers = [...entries.values()].map(({ name, class_name, config, inbound }) => ({
    name,
    class_name,
    config: { name, trainable: true, ...config },
    inbound_nodes: inbound,
  }));
  const [specs, shard] = shardOf([...entries.values()], weights);
  const ends = (all: readonly Reference[]) => all.map(([name, node, output]) => [name, node, output]);
  const config = {
    name: "model",
    layers,
    input_layers: inputs.map(({ name }) => [name, 0, 0]),
    output_layers: ends(outputs.map(({ from }) => from)),
  };
  const json = {
    format: "layers-model",
    generatedBy: "Gradus",
    modelTopology: { class_name: "Model", config, keras_version: "tfjs-layers 4.22.0", backend: "tensor_flow.js" },
    weightsManifest: [{ paths: ["weights.bin"], weights: specs }],
  };
  return { json, weights: shard };
}

/** Any number of samples will do. */
const BATCH = 2;

function inputsOf(options: unknown) {
  const input = (options as ToKerasOptions | undefined)?.input;
  const one = (name: string, given: unknown) => {
    const shape = Array.isArray(given) ? given : (given as { shape?: unknown } | undefined)?.shape;
    const classes = Array.isArray(given) ? undefined : (given as { classes?: number } | undefined)?.classes;
    if (!Array.isArray(shape) || shape.length === 0 || !shape.every((length) => Number.isInteger(length) && length > 0))
      return refuseModel(
        `the input${name === ALONE ? "" : ` "${name}"`} is ${shown(given)}. Give the shape of a sample, for example { input: [28, 28, 1] }.`,
      );
    return { name, shape: shape as readonly number[], classes };
  };
  const isOne =
    Array.isArray(input) ||
    typeof input !== "object" ||
    input === null ||
    Array.isArray((input as { shape?: unknown }).shape);
  return isOne ? [one(ALONE, input)] : Object.entries(input).map(([name, given]) => one(name, given));
}

/** What the only input is called in the file. */
const ALONE = "input_x";

type Many = Readonly<Record<string, At>>;
const isAt = (given: At | Many): given is At => Array.isArray((given as At).from);

/** Writes a model or a layer at a path, and gives where its results come from. */
function written(model: Model, path: string, x: At | Many, entries: Map<string, Entry>): At | Many {
  if (model.parts === undefined) return leaf(model, path === "" ? "layer" : path, x, entries);
  const known = new Map<string, At>(isAt(x) ? [["x", x]] : Object.entries(x));
  const find = (name: string): At =>
    known.get(name) ?? refuseModel(`"${path}" takes "${name}", which is no input and no part before it.`);
  const taken = (from: string | Readonly<Record<string, string>>): At | Many =>
    typeof from === "string"
      ? find(from)
      : Object.fromEntries(Object.entries(from).map(([name, one]) => [name, find(one)]));
  for (const { name, layer, from } of model.parts) {
    const plain = name.replace(/#[0-9]+$/, "").replaceAll(".", "/");
    const made = written(layer, path === "" ? plain : `${path}/${plain}`, taken(from), entries);
    if (isAt(made)) known.set(name, made);
    else for (const [key, one] of Object.entries(made)) known.set(`${name}:${key}`, one);
  }
  return taken(model.outputs ?? (model.parts.at(-1)?.name as string));
}

/** Writes a layer, or one more use of it. */
function leaf(layer: Model, path: string, x: At | Many, entries: Map<string, Entry>): At {
  const all = isAt(x) ? [x] : Object.values(x);
  const values = isAt(x) ? x.value : Object.fromEntries(Object.entries(x).map(([name, { value }]) => [name, value]));
  if (entries.get(path)?.class_name === "InputLayer")
    refuseModel(`"${path}" is a layer and an input. Rename one of them.`);
  const writer = writers.get(layer.kind);
  if (writer === undefined)
    return refuseModel(
      `${layer.kind} "${path}": Keras has no such layer, or its options cannot be told. Known: ${[...writers.keys()].join(", ")}.`,
    );
  const part = applied(layer, path, values);
  const y = part.y as Value;
  const before = entries.get(path);
  const entry = before ?? {
    name: path,
    inbound: [],
    ...writer({ ...part, path, kind: layer.kind, shape: (all[0] as At).value.shape }),
  };
  if (before === undefined) entries.set(path, entry);
  entry.inbound.push(all.map(({ from }) => from));
  return { value: y, from: [path, entry.inbound.length - 1, 0, {}] };
}

function applied(layer: Model, path: string, values: Value | Values) {
  try {
    return tracedPart(layer, values);
  } catch (cause) {
    if (cause instanceof GradusError) refuseModel(`${layer.kind} "${path}": ${cause.message}`);
    throw cause;
  }
}

/** All weights one after the other, and what stands where. */
function shardOf(
  entries: readonly Entry[],
  weights: NamedWeights,
): [specs: readonly object[], shard: Uint8Array<ArrayBuffer>] {
  const found = entries.flatMap(({ name: path, class_name, config, weights: own = [] }) =>
    own.map(([keras, to, turn]) => {
      const name = `${path.replaceAll("/", ".")}.${to}`;
      const given = weights.get(name) ?? refuseModel(`there is no weight "${name}". Give what trainer.weights() gave.`);
      const count = sizeOf(given.shape);
      if (given.data.length !== count)
        refuseModel(`"${name}" has ${given.data.length} numbers, its shape [${given.shape}] says ${count}.`);
      // A slope for each channel stands for all places.
      const shape =
        class_name === "PReLU" ? [...(config.shared_axes as number[]).map(() => 1), ...given.shape] : given.shape;
      const data =
        turn === undefined ? given.data : turn({ shape: given.shape, data: Float32Array.from(given.data) }).data;
      return { spec: { name: `${path}/${keras}`, shape, dtype: "float32" }, data };
    }),
  );
  const all = new Float32Array(found.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of found) {
    all.set(data, at);
    at += data.length;
  }
  return [found.map(({ spec }) => spec), new Uint8Array(all.buffer)];
}
