// What is handed over, as what the file says: the model's plan in Keras's form, weights by their names there, and what an optimizer kept.

import { entry, fail, isObject, shown } from "./config.ts";
import { type Attribute, type Dataset, type Group, isDataset, isHdf5, openHdf5 } from "./hdf5.ts";
import { asBytes, type Shards, shardTensors } from "./shards.ts";
import type { FileTensor } from "./tensor.ts";

/** A TensorFlow.js layers-model: model.json as text, bytes or object, and the shards that it names. */
export interface LayersModel {
  /** What model.json holds. */
  readonly json: string | Uint8Array | ArrayBuffer | object;
  /** The shards, as bytes by the path that the manifest has, or one after the other. */
  readonly weights: Shards;
}

/** A TensorFlow.js layers-model, or the bytes of a Keras .h5 file. */
export type KerasSource = LayersModel | Uint8Array | ArrayBuffer;

export interface Opened {
  readonly format: "TensorFlow.js layers-model" | "Keras HDF5";
  /** The version of Keras that wrote it, where it says so. */
  readonly version: string | undefined;
  /** `{ class_name, config }` of the model. */
  readonly model: unknown;
  readonly tensors: readonly FileTensor[];
  /** What the model was compiled with. */
  readonly training?: unknown;
  /** What the optimizer kept, in its order. */
  readonly optimizer?: readonly FileTensor[];
}

function parsed(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return fail(what, `it is no JSON: ${(cause as Error).message}.`);
  }
}

/** Reads what was handed over. Throws CheckpointError for what is no file of Keras. */
export async function opened(source: unknown): Promise<Opened> {
  const kind = Object.prototype.toString.call(source);
  if (kind === "[object Uint8Array]" || kind === "[object ArrayBuffer]") return fromBytes(asBytes("", source));
  if (isObject(source) && "json" in source && "weights" in source) return fromLayersModel(source.json, source.weights);
  return fail(
    "",
    `${source instanceof Promise ? "a promise" : shown(source)} is no source. Give { json, weights } of a TensorFlow.js layers-model, or the bytes of a Keras .h5 file.`,
  );
}

function fromBytes(bytes: Uint8Array): Opened {
  if (isHdf5(bytes)) return fromHdf5(openHdf5(bytes));
  const start = [...bytes.subarray(0, 4)].map((byte) => String.fromCharCode(byte)).join("");
  if (start === "PK\x03\x04")
    return fail(
      "",
      "the file is a .keras archive. Save the model as .h5, model.save('model.h5'), or convert it with tensorflowjs_converter.",
    );
  if (start.trimStart().startsWith("{"))
    return fail("", "the file is JSON without its weights. Give { json, weights } with the shards that it names.");
  return fail("", `the file of ${bytes.length} bytes begins with ${shown(start)}, it is no HDF5 file.`);
}

async function fromLayersModel(given: unknown, weights: unknown): Promise<Opened> {
  const isText = typeof given === "string";
  const text = isText || isObject(given) ? given : new TextDecoder().decode(asBytes("model.json", given));
  const json = typeof text === "string" ? parsed("model.json", text) : text;
  if (!isObject(json)) return fail("model.json", `it is ${shown(json)}, it must be an object.`);
  const topology = entry(json, "modelTopology");
  if (entry(json, "format") === "graph-model" || (isObject(topology) && "node" in topology))
    return fail(
      "model.json",
      "it is a graph-model, whose layers are gone. Give a layers-model, or the network as ONNX to gradus/onnx.",
    );
  if (!isObject(topology)) return fail("model.json", `modelTopology is ${shown(topology)}, it must be an object.`);
  const version = entry(topology, "keras_version");
  return {
    format: "TensorFlow.js layers-model",
    version: typeof version === "string" ? version : undefined,
    model: entry(topology, "model_config") ?? topology,
    training: entry(topology, "training_config"),
    tensors: await shardTensors(entry(json, "weightsManifest"), weights),
  };
}

/** A list of texts of an attribute; long ones are cut in several, `weight_names0`, `weight_names1`. */
function texts(place: string, group: Group, name: string): readonly string[] | undefined {
  const whole = group.attributes.get(name);
  const parts: Attribute[] = whole === undefined ? [] : [whole];
  for (let i = 0; whole === undefined; i++) {
    const part = group.attributes.get(`${name}${i}`);
    if (part === undefined) break;
    parts.push(part);
  }
  if (parts.length === 0) return undefined;
  return parts
    .flat()
    .map((text) => (typeof text === "string" ? text : fail(place, `${name} has ${shown(text)}, it must be text.`)));
}

/** The tensors that a group lists. */
function listedTensors(place: string, group: Group, owner?: string): FileTensor[] {
  return (texts(place, group, "weight_names") ?? []).map((name) => {
    const found = group.get(name);
    if (!isDataset(found)) return fail(place, `there is no data set "${name}", which it lists.`);
    return {
      name,
      ...(owner !== undefined && { group: owner }),
      shape: found.shape,
      numbers: (found as Dataset).numbers,
    };
  });
}

function fromHdf5(root: Group): Opened {
  const text = root.attributes.get("model_config");
  if (typeof text !== "string") {
    return fail(
      "the HDF5 file",
      `it has no model_config${root.attributes.has("layer_names") ? ", it holds weights alone. Save the whole model, model.save('model.h5')" : " among its attributes, it is no model of Keras"}.`,
    );
  }
  const weights = root.get("model_weights");
  if (weights === undefined || isDataset(weights)) return fail("the HDF5 file", "it has no group model_weights.");
  const names = texts("model_weights", weights, "layer_names") ?? weights.names();
  const tensors = names.flatMap((name) => {
    const group = weights.get(name);
    if (group === undefined || isDataset(group))
      return fail(`layer "${name}"`, "it is listed in layer_names and has no group in model_weights.");
    return listedTensors(`layer "${name}"`, group, name);
  });
  const [version, training, kept] = [
    root.attributes.get("keras_version"),
    root.attributes.get("training_config"),
    root.get("optimizer_weights"),
  ];
  return {
    format: "Keras HDF5",
    version: typeof version === "string" ? version : undefined,
    model: parsed("model_config", text),
    tensors,
    ...(typeof training === "string" && { training: parsed("training_config", training) }),
    ...(kept !== undefined && !isDataset(kept) && { optimizer: listedTensors("optimizer_weights", kept) }),
  };
}
