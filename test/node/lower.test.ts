// What a GPU shares out further: the graph has other nodes then, and every loss and gradient stays as it is, also of a short batch. A
// software adapter's graph is left alone. And what is plainer than it says: a convolution of one tap is a product, in both ways.

import { describe, expect, test } from "vitest";
import { fuse } from "../../src/graph/fuse.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { lower } from "../../src/graph/lower.ts";
import {
  batchNorm,
  conv1d,
  conv2d,
  conv2dTranspose,
  crossEntropy,
  dense,
  flatten,
  gelu,
  type Layer,
  layerNorm,
  relu,
  sequential,
} from "../../src/index.ts";
import { size } from "../../src/op/tensor.ts";
import { difference, largest } from "../reference/gradient.ts";
import { interpret } from "../reference/interpret.ts";
import { tracedModel } from "../reference/traced-model.ts";
import { exact } from "../reference/twin.ts";
import { programOf } from "./program.ts";

const images = {
  model: sequential({
    conv: conv2d(4, { padding: "same", bias: false }),
    norm: batchNorm(),
    relu: relu(),
    flat: flatten(),
    head: dense(3),
  }),
  input: [20, 20, 1],
  batch: 12,
  loss: crossEntropy(),
};
const rows = {
  model: sequential({ in: dense(24), norm: layerNorm(), act: gelu(), flat: flatten(), head: dense(3) }),
  input: [16, 6],
  batch: 40,
  loss: crossEntropy(),
};

/** Each node with what it makes. */
const said = ({ nodes, tensors }: Graph): string[] =>
  nodes.map(({ op, outputs }) => `${op.name} ${outputs.map((id) => `[${tensors[id]!.shape}]`).join(" ")}`);

test.each([
  [
    "statistics of channels",
    images,
    ["batchParts [2,2,4]", "batchStatistics [4] [4] [4] [4]", "channelParts [2,2,4]", "mergeSums [4] [4] [4,4]"],
    ["batchStatistics [4] [4] [4] [4]", "channelSums [4] [4] [4,4]"],
  ],
  [
    "parts of a norm's way back",
    rows,
    ["normalizeBackward [40,16,24] [92,2,24]"],
    ["normalizeBackward [40,16,24] [25,2,24]"],
  ],
] as const)("%s", (_, one, wanted, before) => {
  const { graph, given: known, loss, gradients } = tracedModel(one);
  const states = graph.tensors.filter(({ role }) => role === "state");
  const given = new Map([
    ...known,
    ...states.map(({ id, shape }) => [id, new Float64Array(size(shape)).fill(1)] as const),
  ]);
  const fused = fuse(graph, new Set());
  const shared = lower(fused, "forGpu");
  const [now, then] = [said(shared), said(fused)];
  expect(now.filter((text) => !then.includes(text) || wanted.includes(text as never))).toEqual(wanted);
  expect(then.filter((text) => !now.includes(text) || before.includes(text as never))).toEqual(before);
  for (const count of [one.batch, one.batch - 3]) {
    const step = { step: 1, start: 0, count };
    const [plain, parted] = [fused, shared].map((graph) => interpret(graph, given, step, exact));
    for (const id of [loss, ...gradients.values()]) {
      const [a, b] = [plain!.get(id)!, parted!.get(id)!];
      expect(largest(difference(a, b)) / largest(a), graph.tensors[id]!.name).toBeLessThan(1e-12);
    }
  }
});

test("a software adapter keeps its kernels", () => {
  const kernels = (software: boolean): string[] =>
    programOf(images.model, { ...images, software }).recording.commands.map(({ note }) => note);
  expect(kernels(true).filter((note) => note.includes("in 2 parts"))).toEqual([]);
  expect(kernels(false).filter((note) => note.includes("in 2 parts")).length).toBe(2);
});

/** A step of a model in which such a layer stands between others, without what tells weights apart by their shapes. */
const stepOf = (layer: Layer, input: readonly number[], software: boolean, frozen: readonly string[] = []) => {
  const model = sequential({ first: dense(5), layer, relu: relu(), flat: flatten(), head: dense(3) });
  const { recording } = programOf(model, { input, software, frozen: new Set(frozen) });
  return recording.commands;
};

describe.each([true, false])("where software is %s", (software) => {
  const image = [6, 7, 3];
  const dispatches = (layer: Layer, input = image, frozen?: string[]) => stepOf(layer, input, software, frozen);

  test.each([[], ["layer.weight", "layer.bias"], ["first.weight", "first.bias"]])(
    "a convolution of one tap is the product of a dense layer: %j frozen",
    (...frozen) => {
      const product = dispatches(dense(8), image, frozen);
      expect(product.map(({ kernel }) => kernel).join()).toContain("matmul");
      expect(dispatches(conv2d(8, { kernel: 1 }), image, frozen)).toEqual(product);
      expect(dispatches(conv2d(8, { kernel: 1, padding: "same" }), image, frozen)).toEqual(product);
      const line = dispatches(conv1d(8, { kernel: 1 }), [42, 3], frozen);
      expect(line).toEqual(dispatches(dense(8), [42, 3], frozen));
    },
  );

  test("so is a transposed one", () => {
    const kernels = dispatches(conv2dTranspose(8, { kernel: 1 })).flatMap(({ kernel, parts }) =>
      (parts ?? [{ kernel }]).map((part) => part.kernel),
    );
    expect(kernels.filter((kernel) => kernel.startsWith("conv2d"))).toEqual([]);
  });

  test.each([
    ["steps", conv2d(8, { kernel: 1, stride: 2 })],
    ["zeros around it", conv2d(8, { kernel: 1, padding: 1 })],
    ["zeros around it, and steps that leave as many pixels", conv2d(8, { kernel: 1, padding: 3, stride: 2 })],
    ["groups", conv2d(10, { kernel: 1, groups: 5 })],
    ["taps", conv2d(8, { kernel: 3, padding: "same" })],
  ] as const)("one with %s is not", (_, layer) => {
    expect(JSON.stringify(dispatches(layer))).toContain("conv2d-backward-filter");
  });
});

test("the gradient of a weight that is seen under another shape is written where it belongs", () => {
  const copies = stepOf(conv1d(8, { kernel: 3 }), [12, 3], true).filter(({ kernel }) => kernel === "elementwise");
  expect(copies).toEqual([]);
});
