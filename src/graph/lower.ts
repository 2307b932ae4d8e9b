// Other nodes in the place of one, as its op says: before the way back what its shapes leave of it, so that both ways are that, and after
// fusion what shares out to more workgroups what would leave a GPU idle. A software adapter, whose time goes by dispatches, goes without the second.

import { size } from "../op/tensor.ts";
import { emit, type Graph, type Node, namedTensors, ownInputs, tensorAt } from "./graph.ts";

/** The graph with such nodes; tensors keep their numbers, and those that are parts may be longer. */
export function lower(graph: Graph, by: "plainly" | "forGpu"): Graph {
  const made: Graph = { tensors: [...graph.tensors], nodes: [] };
  for (const node of graph.nodes) {
    const { op, attributes, layer, inputs, outputs, epilogue } = node;
    const results = op[by]?.(namedTensors(made, node), {
      attributes,
      emit: (next, from, options) => emit(made, next, from, options, layer),
    });
    if (results === undefined) {
      made.nodes.push(node);
      continue;
    }
    for (const [i, name] of op.outputs.entries()) {
      const [id, now] = [outputs[i], results[name]];
      if (id === undefined || now === undefined) continue;
      const before = tensorAt(made, id);
      // At the end of a kernel the same numbers may have another shape.
      const { shape } = size(before.shape) === size(now.shape) ? before : now;
      made.tensors[id] = { ...now, ...before, shape };
    }
    const last = made.nodes.pop() as Node;
    // Behind the inputs of the last stand the operands of what is at the end.
    const all = [...last.inputs, ...inputs.slice(ownInputs(node).length)];
    made.nodes.push({ ...last, inputs: all, outputs, epilogue });
  }
  return made;
}
