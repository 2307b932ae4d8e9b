// The gradient that `differentiate` gives, run on the f64 twins, against finite differences of the forward pass: op by op
// and for whole models, with full and with short batches. And fusion, which must not change any result.

import { describe, expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { fuse } from "../../src/graph/fuse.ts";
import { addTensor, emit, type Graph } from "../../src/graph/graph.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { plan } from "../../src/plan/plan.ts";
import { stream } from "../../src/random.ts";
import { record } from "../../src/step/record.ts";
import type { GradientCase } from "../gpu/case.ts";
import { gradientCases } from "../gpu/cases.ts";
import { type Differentiated, difference, gradientErrors, largest } from "../reference/gradient.ts";
import { interpret } from "../reference/interpret.ts";
import { modelCases } from "../reference/model-case.ts";
import { apart } from "../reference/numbers.ts";
import { opNamed } from "../reference/ops.ts";
import { randomModel } from "../reference/random-model.ts";
import { tracedModel } from "../reference/traced-model.ts";
import { exact } from "../reference/twin.ts";

const TOLERANCE = 1e-6;

/** One op between parameters and a loss: its inputs are the parameters, the loss is its own or the squared error. */
function lossOfOp(
  op: string,
  { inputs, attributes = {}, behind, through }: GradientCase,
): Differentiated & { batch: number } {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = new Map<number, Float64Array>();
  const add = (name: string, shape: readonly number[], role: "parameter" | "data", fill = apart): Tensor => {
    const tensor = addTensor(graph, { name, shape, dtype: "f32", role });
    given.set(tensor.id, fill(size(shape), stream(7, name)));
    return tensor;
  };
  const made = (name: string, from: readonly Tensor[], options: GradientCase["attributes"] = {}): Tensor => {
    const op = opNamed(name);
    return emit(graph, op, Object.fromEntries(op.inputs.map((input, i) => [input, from[i] as Tensor])), options)[
      op.outputs[0] as string
    ] as Tensor;
  };
  const tensors = inputs.map(({ shape, fill, wanted = true }, i) =>
    add(`input ${i}`, shape, wanted ? "parameter" : "data", fill),
  );
  const ready = behind === undefined ? tensors : tensors.map((tensor) => made(behind, [tensor]));
  const own = through?.({ emit: (next, from, options) => emit(graph, next, from, options), given: ready });
  const result = made(op, own ?? ready, attributes);
  const isLoss = attributes.gradient === true;
  const loss = isLoss
    ? result
    : made("meanSquaredError", [result, add("target", result.shape, "data")], { gradient: true });
  const forward = { tensors: graph.tensors, nodes: [...graph.nodes] };
  const wanted = tensors.filter(({ role }) => role === "parameter").map(({ id }) => id);
  const gradients = differentiate(graph, [loss.id], new Set(wanted));
  return { graph, forward, given, loss: loss.id, gradients, batch: (isLoss ? tensors[0]! : result).shape[0]! };
}

describe.each(Object.entries(gradientCases))("%s", (op, cases) => {
  test.for(cases.map((one) => [one.inputs.map(({ shape }) => `[${shape}]`).join(" "), one] as const))(
    "%s",
    ([, one], { task }) => {
      let worst = 0;
      task.meta.told = { op, gradient: worst }; // of a comparison nothing goes back
      const made = lossOfOp(op, one);
      const batch = made.batch;
      expect(made.gradients.size).toBe(one.inputs.filter(({ wanted }) => wanted !== false).length);
      for (const count of new Set([batch, Math.ceil(batch / 2)])) {
        for (const { parameter, error } of gradientErrors(made, { step: 1, start: 0, count })) {
          worst = Math.max(worst, error);
          task.meta.told = { op, gradient: worst };
          expect(error, `gradient of ${parameter} with ${count} rows`).toBeLessThan(TOLERANCE);
        }
      }
    },
  );
});

describe("whole models", () => {
  test.each(Object.entries(modelCases))("%s", (_, one) => {
    const made = tracedModel(one);
    expect([...made.gradients.keys()].sort()).toEqual([...made.parameterIds].sort());
    for (const step of [
      { step: 1, start: 0, count: one.batch },
      { step: 2, start: 2, count: one.batch - 2 },
    ]) {
      for (const { parameter, error } of gradientErrors(made, step)) {
        expect(error, `gradient of ${parameter} with ${step.count} rows`).toBeLessThan(TOLERANCE);
      }
    }
  });
});

describe("fusion leaves every number as it is and its kernels take every node", () => {
  const random = Array.from({ length: 80 }, (_, seed) => [`random model ${seed}`, randomModel(seed)] as const);
  test.each([...Object.entries(modelCases), ...random])("%s", (_, one) => {
    const { graph, given, loss, gradients, prediction, layout, parameterIds } = tracedModel(one);
    const step = { step: 1, start: 0, count: one.batch - 1 };
    const plain = interpret(graph, given, step, exact);
    for (const kept of [new Set<number>(), new Set([prediction])]) {
      const fusedGraph = fuse(graph, kept);
      const planned = plan(fusedGraph, layout, parameterIds, kept);
      record(fusedGraph, planned, { name: "train", device: { software: true } });
      const fused = interpret(fusedGraph, given, step, exact);
      for (const id of [loss, ...gradients.values(), ...kept]) {
        const [before, after] = [plain.get(id)!, fused.get(id)!];
        const change = largest(difference(before, after)) / Math.max(largest(before), 1e-30);
        expect(change, graph.tensors[id]!.name).toBeLessThan(1e-12);
      }
    }
  });
});
