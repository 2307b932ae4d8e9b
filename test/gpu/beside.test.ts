// Kernels of one dispatch, against the twins of their ops: products of every form beside each other, several that read one weight arena,
// with an end that keeps what comes before it, and attention's way back.

import { describe, expect, test } from "vitest";
import { addNode, addTensor, type Graph } from "../../src/graph/graph.ts";
import { gelu } from "../../src/op/activation.ts";
import { attentionBackwardKeys, attentionBackwardQueries, attentionDelta } from "../../src/op/attention.ts";
import { bias } from "../../src/op/bias.ts";
import { conv2dBackwardFilter, conv2dBackwardInput } from "../../src/op/conv2d.ts";
import { embedding } from "../../src/op/embedding.ts";
import { matmul } from "../../src/op/matmul.ts";
import { normalize } from "../../src/op/normalize.ts";
import type { Attributes, EpilogueStep, Op } from "../../src/op/op.ts";
import { softmaxCrossEntropy } from "../../src/op/softmax-cross-entropy.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { besideEachOther } from "../../src/plan/beside.ts";
import { layOut } from "../../src/plan/layout.ts";
import { plan } from "../../src/plan/plan.ts";
import { stream } from "../../src/random.ts";
import { record } from "../../src/step/record.ts";
import { below, normals } from "../reference/numbers.ts";
import { outputsOf } from "../reference/ops.ts";
import type { BuiltCase } from "./case.ts";
import { check } from "./harness.ts";

/** What works row by row behind what makes rows whole: `c` is the first one's result. */
const rows: Readonly<Record<string, readonly [first: Part, second: Part]>> = {
  "the loss of classes": [
    [matmul as Op, { x: [70, 130], w: [130, 10] }],
    [softmaxCrossEntropy as Op, { c: [70, 10], labels: [70] }, { gradient: true }],
  ],
  "a norm of rows in fours": [
    [matmul as Op, { x: [70, 64], w: [64, 64] }],
    [
      normalize as Op,
      { c: [70, 64], gamma: [64], beta: [64] },
      { groups: 1, positions: false, centered: true, eps: 1e-5 },
    ],
  ],
  "norms of two groups in a row, by a product that a GPU stages": [
    [matmul as Op, { x: [8192, 16], w: [16, 32] }],
    [normalize as Op, { c: [8192, 32], gamma: [32] }, { groups: 2, positions: false, centered: false, eps: 1e-3 }],
  ],
  "what attention's way back has to know": [
    [matmul as Op, { dx: [40, 24], w: [16, 24] }, { transposeB: true }],
    [attentionDelta as Op, { c: [40, 16], y: [40, 16], rows: [40, 2, 2] }],
  ],
  "a norm of rows of a table": [
    [embedding as Op, { ids: [3, 50], table: [9, 16] }],
    [normalize as Op, { c: [3, 50, 16] }, { groups: 1, positions: false, centered: true, eps: 1e-5 }],
  ],
};

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

/** Whole numbers below these. */
const integers: Readonly<Record<string, number>> = { ids: 9, labels: 10 };

function built(parts: readonly Part[]): BuiltCase {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = new Map<number, Float64Array>();
  const results = new Set<number>();
  const known = new Map<string, Tensor>();
  const tensor = (name: string, shape: readonly number[]): Tensor => {
    const most = integers[name];
    const kind =
      most === undefined ? ({ dtype: "f32", role: "parameter" } as const) : ({ dtype: "u32", role: "data" } as const);
    const made = known.get(name) ?? addTensor(graph, { name, shape, ...kind });
    const fill = most === undefined ? normals : below(most);
    if (!known.has(name)) given.set(made.id, fill(size(shape), stream(made.id, "beside")));
    known.set(name, made);
    return made;
  };
  for (const [, given] of parts)
    for (const [name, shape] of Object.entries(given)) if (name !== "c") tensor(name, shape);
  for (const [i, [op, inputs, attributes = {}]] of parts.entries()) {
    const all = Object.entries(inputs).map(([name, shape]) => tensor(name, shape));
    const own = all.slice(0, op.inputs.filter((name) => op.optional?.includes(name) !== true).length);
    const specs = outputsOf(op, own, attributes).map((spec, place) => [op.outputs[place] as string, spec] as const);
    const outputs = addNode(graph, { op, inputs: all.map(({ id }) => id), attributes, layer: "" }, specs);
    for (const { id } of outputs) results.add(id);
    known.set("c", outputs[0] as Tensor);
    if (all.length <= op.inputs.length) continue;
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

describe.each(Object.entries(rows))("%s", (_, parts) => {
  const alone = built(parts);
  const graph = besideEachOther(alone.graph, alone.results);

  test.each([true, false])("is one dispatch, on a CPU: %s", (software) => {
    const weights = graph.tensors.filter(({ role }) => role === "parameter");
    const layout = layOut(weights.map(({ name, shape }) => ({ name, shape, layer: "" })));
    const planned = plan(
      graph,
      layout,
      weights.map(({ id }) => id),
      alone.results,
    );
    const { commands } = record(graph, planned, { name: "test", device: { software } });
    expect(commands.map(({ parts = [] }) => parts.length)).toEqual([2]);
  });

  test.each([true, false])("and is as both ops say, on a CPU: %s", (software) => check({ ...alone, graph }, software));
});
