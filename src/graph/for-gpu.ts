// What would leave a GPU idle, shared out to more workgroups: in the place of a node stands what its op says of it. A software adapter
// takes the graph as it is, whose fewer dispatches cost it less.

import { size } from "../op/tensor.ts";
import { emit, type Graph, namedTensors, ownInputs, tensorAt } from "./graph.ts";

/** The graph with such nodes; tensors keep their numbers, and those that are parts may be longer. */
export function forGpu(graph: Graph): Graph {
  const made: Graph = { tensors: [...graph.tensors], nodes: [] };
  for (const node of graph.nodes) {
    const { op, attributes, layer, inputs, outputs, epilogue } = node;
    const results = op.forGpu?.(namedTensors(made, node), {
      attributes,
      emit: (next, from, options) => emit(made, next, from, options, layer),
    });
    const last = results === undefined ? undefined : made.nodes.pop();
    if (results === undefined || last === undefined) {
      made.nodes.push(node);
      continue;
    }
    for (const [i, name] of op.outputs.entries()) {
      const [id, now] = [outputs[i], results[name]];
      if (id === undefined || now === undefined) continue;
      const before = tensorAt(made, id);
      // At the end of a kernel the same numbers may have another shape.
      if (size(before.shape) !== size(now.shape)) made.tensors[id] = { ...before, shape: now.shape };
    }
    const operands = inputs.slice(ownInputs(node).length);
    made.nodes.push({ ...last, inputs: [...last.inputs, ...operands], outputs, epilogue });
  }
  return made;
}
