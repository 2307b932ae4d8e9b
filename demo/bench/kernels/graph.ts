// A case as the graph that the engine would run: given tensors, then what the op becomes, or the nodes of its way back alone.

import { dependents } from "../../../src/graph/backward.ts";
import { addTensor, emit, type Graph, tensorAt } from "../../../src/graph/graph.ts";
import { lower } from "../../../src/graph/lower.ts";
import type { DeviceFacts } from "../../../src/op/kernel.ts";
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

/** What is given stands among parameters: inputs, then for a way back what comes out forward and the gradient of it; class numbers are data. */
export function graphOf({ op, shapes, integers = [], attributes, gradients }: KernelCase): KernelGraph {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = (name: string, shape: readonly number[]): Tensor => {
    const isInteger = integers.includes(name);
    return addTensor(graph, { name, shape, dtype: isInteger ? "u32" : "f32", role: isInteger ? "data" : "parameter" });
  };
  const inputs: Tensors = Object.fromEntries(
    op.inputs.slice(0, shapes.length).map((name, i) => [name, given(name, shapes[i] as readonly number[])]),
  );
  const [result, ...others] = Object.values(emit(graph, op, inputs, attributes)) as [Tensor, ...Tensor[]];
  if (gradients.length === 0)
    return { graph: lower(graph, "plainly"), results: new Set([result, ...others].map(({ id }) => id)) };
  const reached = new Map([[result.id, given(`d${op.outputs[0]}`, result.shape)]]);
  const forward = lower(graph, "plainly");
  const made = new Set(forward.nodes.flatMap(({ outputs }) => outputs));
  const back: Graph = {
    tensors: forward.tensors.map((tensor) => (made.has(tensor.id) ? { ...tensor, role: "parameter" } : tensor)),
    nodes: [],
  };
  const asked = gradients.map((name) => (inputs[name] as Tensor).id);
  const wanted = dependents(forward, new Set(asked));
  for (const { op, inputs, outputs, attributes } of forward.nodes.toReversed()) {
    const known = [
      ...inputs.map((id, i) => [op.inputs[i], id]),
      ...outputs.map((id, i) => [op.outputs[i], id]),
    ] as const;
    op.back?.(
      {
        ...Object.fromEntries(known.map(([name, id]) => [name, tensorAt(back, id as number)])),
        ...Object.fromEntries(outputs.map((id, i) => [`d${op.outputs[i]}`, reached.get(id)])),
      } as never,
      {
        attributes,
        give(name, gradient) {
          const id = inputs[op.inputs.indexOf(name)] as number;
          if (wanted.has(id)) reached.set(id, gradient());
        },
        emit: (other, from, more) => emit(back, other, from, more),
      },
    );
  }
  return { graph: back, results: new Set(asked.map((id) => (reached.get(id) as Tensor).id)) };
}

/** Its commands, and where what is given lies. */
export function recordingOf({ graph, results }: KernelGraph, { software, quads }: Required<DeviceFacts>) {
  const parameters = graph.tensors.filter(({ role }) => role === "parameter");
  const layout = layOut(parameters.map(({ name, shape }) => ({ name, shape, layer: "" })));
  const planned = plan(
    graph,
    layout,
    parameters.map(({ id }) => id),
    results,
  );
  const recording: Recording = record(graph, planned, { name: "kernel", device: { software, quads } });
  return { recording, layout, planned };
}
