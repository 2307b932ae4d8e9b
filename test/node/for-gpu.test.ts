// What a GPU shares out further: the graph has other nodes then, and every loss and gradient stays as it is, also of a short batch. A
// software adapter's graph is left alone.

import { expect, test } from "vitest";
import { forGpu } from "../../src/graph/for-gpu.ts";
import { fuse } from "../../src/graph/fuse.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { batchNorm, conv2d, crossEntropy, dense, flatten, gelu, layerNorm, relu, sequential } from "../../src/index.ts";
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
  const shared = forGpu(fused);
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
