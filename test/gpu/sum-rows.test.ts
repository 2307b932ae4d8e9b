// Sums of rows of several layers in one dispatch, against the twins of the ops that they are.

import { expect, test } from "vitest";
import { addNode, addTensor, type Graph, tensorAt } from "../../src/graph/graph.ts";
import { mergeSums } from "../../src/op/channel-sums.ts";
import { copy } from "../../src/op/elementwise.ts";
import type { Op } from "../../src/op/op.ts";
import { reshape } from "../../src/op/reshape.ts";
import { columnSum, sumPartials } from "../../src/op/sum.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { layOut } from "../../src/plan/layout.ts";
import { plan } from "../../src/plan/plan.ts";
import { stream } from "../../src/random.ts";
import { record } from "../../src/step/record.ts";
import { normals } from "../reference/numbers.ts";
import { outputsOf } from "../reference/ops.ts";
import type { BuiltCase } from "./case.ts";
import { check } from "./harness.ts";

/** More terms than are added in one go, sums longer than a workgroup and shorter ones, two of one tensor, and so many that a thread has four. */
const sums: readonly (readonly [op: Op, shape: readonly number[], seenAs?: readonly number[]])[] = [
  [sumPartials as Op, [3, 5]],
  [columnSum as Op, [600, 7]],
  [sumPartials as Op, [2, 3, 130]],
  [mergeSums as Op, [23, 2, 9]],
  [columnSum as Op, [4, 6, 11], [4, 66]],
  [sumPartials as Op, [1, 64]],
  [sumPartials as Op, [2, 5000]],
];

function built(): BuiltCase {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = new Map<number, Float64Array>();
  const results = new Set<number>();
  const node = (op: Op, x: Tensor, specs: Parameters<typeof addNode>[2]) =>
    addNode(graph, { op, inputs: [x.id], attributes: {}, layer: "" }, specs);
  const parameter = (shape: readonly number[]): Tensor => {
    const { id, ...made } = addTensor(graph, { name: `w${given.size}`, shape, dtype: "f32", role: "parameter" });
    given.set(id, normals(size(shape), stream(id, "sums of rows")));
    return { id, ...made };
  };
  const parts = sums.map(([op, shape, seenAs]) => {
    const [made] = node(copy as Op, parameter(shape), [["z", { shape }]]) as [Tensor];
    const view = seenAs && (node(reshape as Op, made, [["y", { shape: seenAs, viewOf: "x" }]])[0] as Tensor);
    return [op, view ?? made] as const;
  });
  for (const [op, x] of parts) {
    const specs = outputsOf(op, [x], {}).map((spec, i) => [op.outputs[i] as string, spec] as const);
    for (const { id, shape } of node(op, x, specs)) {
      graph.tensors[id] = { ...tensorAt(graph, id), role: "gradient", of: parameter(shape).id };
      results.add(id);
    }
  }
  return { graph, given, bytes: new Set(), results, step: { step: 1, start: 0, count: 1 } };
}

test("are as their ops say", async () => {
  await check(built(), true);
});

test("are one dispatch, or as many as it takes where a shader sees little of an arena, and ask their own gradients", () => {
  const { graph } = built();
  const parameters = graph.tensors.filter(({ role }) => role === "parameter");
  const ids = parameters.map(({ id }) => id);
  const planned = plan(
    graph,
    layOut(parameters.map(({ name, shape }) => ({ name, shape, layer: "" }))),
    ids,
    new Set(),
  );
  const commandsOf = (mostBytes?: number) =>
    record(graph, planned, {
      name: "test",
      device: { software: true },
      checked: true,
      ...(mostBytes && { mostBytes }),
    }).commands.filter(({ kernel }) => kernel === "sum-rows");
  const [all, ...others] = commandsOf();
  expect(others).toEqual([]);
  expect(all?.note).toBe("8 sums of rows");
  const rows = [...String(all?.holes.SUMS).matchAll(/, (\d+)u\)/g)].map(([, row]) => Number(row));
  expect(rows).toEqual([
    ...graph.tensors.flatMap(({ role, of = -1 }) => (role === "gradient" ? [ids.indexOf(of) + 1] : [])),
  ]);
  const few = commandsOf(8192);
  expect(few.length).toBeGreaterThan(1);
  for (const { bindings } of few)
    for (const { arena, bytes } of bindings) if (arena !== "rowNumbers") expect(bytes).toBeLessThanOrEqual(41_000);
});
