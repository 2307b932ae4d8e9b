// A case as the graph that the engine would run: given tensors, then the op's node, or the nodes of its way back alone.

import { addTensor, emit, type Graph, specsOf } from "../../../src/graph/graph.ts";
import type { Attributes, Op } from "../../../src/op/op.ts";
import type { Tensor, Tensors } from "../../../src/op/tensor.ts";
import { layOut } from "../../../src/plan/layout.ts";
import { plan } from "../../../src/plan/plan.ts";
import { type Recording, record } from "../../../src/step/record.ts";
import type { KernelCase } from "./cases.ts";

export interface KernelGraph {
  readonly graph: Graph;
  /** What is made. */
  readonly results: ReadonlySet<number>;
}

/** What is given stands among parameters; class numbers are data. */
export function graphOf({ op, shapes, integers = [], attributes, gradients }: KernelCase): KernelGraph {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = (name: string, shape: readonly number[]): Tensor => {
    const isInteger = integers.includes(name);
    return addTensor(graph, { name, shape, dtype: isInteger ? "u32" : "f32", role: isInteger ? "data" : "parameter" });
  };
  const inputs: Tensors = Object.fromEntries(
    op.inputs.slice(0, shapes.length).map((name, i) => [name, given(name, shapes[i] as readonly number[])]),
  );
  if (gradients.length === 0) {
    const made = emit(graph, op, inputs, attributes);
    return { graph, results: new Set(Object.values(made).map(({ id }) => id)) };
  }
  // What comes out forward is given too, and so is the gradient of it.
  const specs = specsOf(op, inputs, attributes);
  const known = Object.fromEntries([
    ...Object.entries(inputs),
    ...specs.map(([name, { shape }]) => [name, given(name, shape)] as const),
    ...specs.slice(0, 1).map(([name, { shape }]) => [`d${name}`, given(`d${name}`, shape)] as const),
  ]);
  const results = new Set<number>();
  op.back?.(
    known as never,
    {
      attributes,
      give(input: string, gradient: () => Tensor) {
        if (gradients.includes(input)) results.add(gradient().id);
      },
      emit: (other: Op, from: Tensors, more?: Attributes) => emit(graph, other, from, more),
    } as never,
  );
  return { graph, results };
}

/** Its commands, and where what is given lies. */
export function recordingOf({ graph, results }: KernelGraph, software: boolean) {
  const parameters = graph.tensors.filter(({ role }) => role === "parameter");
  const layout = layOut(parameters.map(({ name, shape }) => ({ name, shape, layer: "" })));
  const planned = plan(
    graph,
    layout,
    parameters.map(({ id }) => id),
    results,
  );
  const recording: Recording = record(graph, planned, { name: "kernel", device: { software } });
  return { recording, layout, planned };
}
