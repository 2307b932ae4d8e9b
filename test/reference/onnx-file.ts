// Small ONNX files, made by hand for tests: a graph of nodes with weights by the rule of the data page.

import { modelSchema } from "../../src/onnx/file.ts";
import type { Message, Schema } from "../../src/onnx/wire.ts";
import { encode } from "../../src/onnx-out/encode.ts";

/** A weight. */
export const floats = (dims: readonly number[], name: string): Message => ({
  ...{ dims, name, type: 1 },
  floats: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5),
});

/** Whole numbers, such as a shape. */
export const longs = (values: readonly number[], name: string): Message => ({
  ...{ dims: [values.length], name, type: 7 },
  longs: values,
});

/** An input or output of any number of samples. */
export const info = (name: string, dims: readonly number[]): Message => ({
  name,
  type: { tensor: { element: 1, shape: { dim: [{ param: "batch" }, ...dims.map((value) => ({ value }))] } } },
});

export const node = (
  op: string,
  input: readonly string[],
  output: readonly string[],
  attribute: readonly Message[] = [],
): Message => ({ ...{ op, input, output, attribute, name: `the ${op}` } });

/** A graph within a node. */
export const branch = (name: string, graph: Message): Message => ({
  name,
  g: encode(modelSchema[7]?.[1] as Schema, graph),
  type: 5,
});

export const ints = (name: string, values: readonly number[]): Message => ({ name, ints: values, type: 7 });

export const onnxFile = (graph: Message): Uint8Array =>
  encode(modelSchema, { version: 8, opset: [{ domain: "", version: 13 }], graph });
