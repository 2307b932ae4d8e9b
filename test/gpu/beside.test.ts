// Kernels of one dispatch, against the twins of their ops: products of every form beside each other, several that read one weight arena,
// with an end that keeps what comes before it, and attention's way back.

import { describe, expect, test } from "vitest";
import { addNode, addTensor, type Graph } from "../../src/graph/graph.ts";
import { gelu } from "../../src/op/activation.ts";
import { attentionBackwardKeys, attentionBackwardQueries } from "../../src/op/attention.ts";
import { bias } from "../../src/op/bias.ts";
import { conv2dBackwardFilter, conv2dBackwardInput } from "../../src/op/conv2d.ts";
import { matmul } from "../../src/op/matmul.ts";
import type { Attributes, EpilogueStep, Op } from "../../src/op/op.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { besideEachOther } from "../../src/plan/beside.ts";
import { stream } from "../../src/random.ts";
import { normals } from "../reference/numbers.ts";
import { outputsOf } from "../reference/ops.ts";
import type { BuiltCase } from "./case.ts";
import { check } from "./harness.ts";

/** An op of inputs by name, each with its shape; those of one name are one tensor. */
type Part = readonly [op: Op, inputs: Readonly<Record<string, readonly number[]>>, attributes?: Attributes];

const slide = { stride: [1, 1], padding: "same", dilation: [1, 1], groups: 1 };
const look = { heads: 2, keyHeads: 1, causal: true };

const groups: Readonly<Record<string, readonly Part[]>> = {
  "gradients of a dense layer": [
    [matmul as Op, { x: [9, 12], dy: [9, 7] }, { transposeA: true }],
    [matmul as Op, { dy: [9, 7], w: [12, 7] }, { transposeB: true }],
  ],
  "gradients of a dense layer, of which a GPU stages one and shares out the other": [
    [matmul as Op, { x: [384, 256], dy: [384, 12] }, { transposeA: true }],
    [matmul as Op, { dy: [384, 12], w: [256, 12] }, { transposeB: true }],
  ],
  "gradients of a convolution in fours": [
    [conv2dBackwardFilter as Op, { x: [2, 9, 9, 8], dy: [2, 9, 9, 4] }, { ...slide, kernel: [3, 3], splits: 2 }],
    [conv2dBackwardInput as Op, { dy: [2, 9, 9, 4], w: [3, 3, 8, 4] }, { ...slide, size: [9, 9] }],
  ],
  "gradients of attention": [
    [
      attentionBackwardQueries as Op,
      { q: [2, 5, 8], k: [2, 5, 4], v: [2, 5, 4], dy: [2, 5, 8], known: [2, 5, 2, 3] },
      look,
    ],
    [
      attentionBackwardKeys as Op,
      { q: [2, 5, 8], k: [2, 5, 4], v: [2, 5, 4], dy: [2, 5, 8], known: [2, 5, 2, 3] },
      look,
    ],
  ],
  "products of one value with three weights, each with an end": ["1", "2", "3"].map((i) => [
    matmul as Op,
    { x: [70, 16], [`w${i}`]: [16, 24], [`b${i}`]: [24] },
  ]),
};

function built(parts: readonly Part[]): BuiltCase {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = new Map<number, Float64Array>();
  const results = new Set<number>();
  const known = new Map<string, Tensor>();
  const tensor = (name: string, shape: readonly number[]): Tensor => {
    const made = known.get(name) ?? addTensor(graph, { name, shape, dtype: "f32", role: "parameter" });
    if (!known.has(name)) given.set(made.id, normals(size(shape), stream(made.id, "beside")));
    known.set(name, made);
    return made;
  };
  const inputs = parts.map(([, given]) => Object.entries(given).map(([name, shape]) => tensor(name, shape)));
  for (const [i, [op, , attributes = {}]] of parts.entries()) {
    const all = inputs[i] as Tensor[];
    const own = all.slice(0, op.inputs.filter((name) => op.optional?.includes(name) !== true).length);
    const specs = outputsOf(op, own, attributes).map((spec, place) => [op.outputs[place] as string, spec] as const);
    const outputs = addNode(graph, { op, inputs: all.map(({ id }) => id), attributes, layer: "" }, specs);
    for (const { id } of outputs) results.add(id);
    if (all.length === own.length) continue;
    const [{ id, shape }] = outputs as [Tensor];
    const end = addTensor(graph, { name: `end ${i}`, shape, dtype: "f32", role: "activation" });
    const steps: EpilogueStep[] = [
      { op: bias as Op, attributes: {}, inputs: [undefined, own.length], shape },
      { op: gelu.op as Op, attributes: { approximate: false }, inputs: [undefined], shape, kept: 1 },
    ];
    graph.nodes.push({ ...graph.nodes.pop()!, outputs: [end.id, id], epilogue: steps });
    results.add(end.id);
  }
  return { graph, given, bytes: new Set(), results, step: { step: 1, start: 0, count: 2 } };
}

describe.each(Object.entries(groups))("%s", (_, parts) => {
  const alone = built(parts);
  const graph = besideEachOther(alone.graph, alone.results);

  test("are one dispatch", () => {
    expect(graph.nodes.map(({ beside = false }) => beside)).toEqual(parts.map((_, i) => i > 0));
  });

  test.each([true, false])("and are as their ops say, on a CPU: %s", (software) =>
    check({ ...alone, graph }, software),
  );
});
