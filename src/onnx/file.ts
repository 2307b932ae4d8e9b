// What of an ONNX file is read: the model, its graph, nodes, tensors and the types of inputs and outputs.

import { fail } from "./fail.ts";
import { decode, type Schema } from "./wire.ts";

const keyed: Schema = { 1: ["key", "text"], 2: ["value", "text"] };

const tensor: Schema = {
  1: ["dims", "int", "many"],
  2: ["type", "int"],
  4: ["floats", "float", "many"],
  5: ["ints", "int", "many"],
  7: ["longs", "int", "many"],
  8: ["name", "text"],
  9: ["raw", "bytes"],
  10: ["doubles", "double", "many"],
  11: ["unsigned", "int", "many"],
  13: ["external", keyed, "many"],
  14: ["location", "int"],
};

const attribute: Schema = {
  1: ["name", "text"],
  2: ["f", "float"],
  3: ["i", "int"],
  4: ["s", "text"],
  5: ["t", tensor],
  6: ["g", "bytes"],
  7: ["floats", "float", "many"],
  8: ["ints", "int", "many"],
  9: ["strings", "text", "many"],
  20: ["type", "int"],
};

const node: Schema = {
  1: ["input", "text", "many"],
  2: ["output", "text", "many"],
  3: ["name", "text"],
  4: ["op", "text"],
  5: ["attribute", attribute, "many"],
  7: ["domain", "text"],
};

const dimension: Schema = { 1: ["value", "int"], 2: ["param", "text"] };
const valueInfo: Schema = {
  1: ["name", "text"],
  2: ["type", { 1: ["tensor", { 1: ["element", "int"], 2: ["shape", { 1: ["dim", dimension, "many"] }] }] }],
};

const graph: Schema = {
  1: ["node", node, "many"],
  2: ["name", "text"],
  5: ["initializer", tensor, "many"],
  11: ["input", valueInfo, "many"],
  12: ["output", valueInfo, "many"],
  15: ["sparse", "bytes", "many"],
};

export const modelSchema: Schema = {
  1: ["version", "int"],
  2: ["producer", "text"],
  3: ["producerVersion", "text"],
  7: ["graph", graph],
  8: ["opset", { 1: ["domain", "text"], 2: ["version", "int"] }, "many"],
};

export interface TensorProto {
  readonly dims: readonly number[];
  readonly type?: number;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly longs: readonly number[];
  readonly doubles: readonly number[];
  readonly unsigned: readonly number[];
  readonly name: string;
  readonly raw?: Uint8Array;
  readonly external: readonly { readonly key: string; readonly value: string }[];
  readonly location?: number;
}

export interface AttributeProto {
  readonly name: string;
  readonly f?: number;
  readonly i?: number;
  readonly s: string;
  readonly t?: TensorProto;
  readonly g?: Uint8Array;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly attribute: readonly AttributeProto[];
}

export interface ValueProto {
  readonly name: string;
  readonly type?: {
    readonly tensor?: {
      readonly element?: number;
      readonly shape?: { readonly dim: readonly { readonly value?: number; readonly param?: string }[] };
    };
  };
}

export interface GraphProto {
  readonly node: readonly NodeProto[];
  readonly name: string;
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueProto[];
  readonly output: readonly ValueProto[];
  readonly sparse: readonly Uint8Array[];
}

export interface ModelProto {
  readonly version?: number;
  readonly producer: string;
  readonly producerVersion: string;
  readonly graph: GraphProto;
  /** Of the standard operators. */
  readonly opset: number;
}

/** A graph within a node. */
export const readGraph = (bytes: Uint8Array): GraphProto => decode(graph, bytes) as unknown as GraphProto;

/** The model of a file. Throws CheckpointError for what is none, and for an opset that is not read. */
export function readModel(bytes: Uint8Array): ModelProto {
  const found = decode(modelSchema, bytes) as unknown as Omit<ModelProto, "opset" | "graph"> & {
    readonly graph?: GraphProto;
    readonly opset: readonly { readonly domain: string; readonly version?: number }[];
  };
  if (found.graph === undefined || found.opset.length === 0) {
    const missing = found.graph === undefined ? "graph" : "opset";
    return fail(`the file of ${bytes.length} bytes has no ${missing}. Give the bytes of a .onnx file.`);
  }
  const opset = found.opset.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 0;
  if (opset < 7 || opset > 17)
    fail(`the file is of opset ${opset}, 7 to 17 are read. Convert it with onnx.version_converter.`);
  return { ...found, graph: found.graph, opset };
}
