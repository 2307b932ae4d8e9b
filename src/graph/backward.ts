// Adds the backward pass to a traced graph, op by op. Only what somebody wants is emitted: a frozen
// layer at the input side leaves no node behind, one in the middle passes its gradient on and keeps none.

import { bug } from "../errors.ts";
import { add } from "../op/elementwise.ts";
import type { Known } from "../op/op.ts";
import type { Tensor } from "../op/tensor.ts";
import { emit, type Graph, namedTensors, tensorAt } from "./graph.ts";
import { owned } from "./own.ts";

/**
 * Differentiates the sum of losses for the parameters `wanted` (tensor ids). Their gradients take the role "gradient".
 * Gives, for each wanted parameter that they depend on, the id of its gradient.
 */
export function differentiate(
  graph: Graph,
  losses: readonly number[],
  wanted: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  const forward = [...graph.nodes];
  const wants = dependents(graph, wanted);
  const collected = new Map<number, Tensor[]>();

  for (const node of forward.reverse()) {
    const { op, inputs, outputs, attributes, layer } = node;
    const reached = outputs.map((id) => sum(graph, collected.get(id), layer));
    const isLoss = outputs.some((id) => losses.includes(id));
    if ((reached.every((gradient) => gradient === undefined) && !isLoss) || !outputs.some((id) => wants.has(id)))
      continue;
    if (op.back === undefined) return bug(`a gradient reached "${op.name}", which has no backward rule`);
    const gradients = Object.fromEntries(reached.map((gradient, i) => [`d${op.outputs[i]}`, gradient]));
    op.back({ ...gradients, ...namedTensors(graph, node) } as Known<string, string>, {
      attributes,
      emit: (next, from, options) => emit(graph, next, from, options, layer),
      give(name, make) {
        const id = inputs[op.inputs.indexOf(name)] as number;
        if (!wants.has(id)) return;
        const gradient = make();
        const { shape } = tensorAt(graph, id);
        if (String(shape) !== String(gradient.shape))
          bug(`"${op.name}" has "${name}" as [${shape}] and gives its gradient as [${gradient.shape}]`);
        collected.set(id, [...(collected.get(id) ?? []), gradient]);
      },
    });
  }

  const sums = new Map<number, Tensor>();
  for (const parameter of wanted) {
    const gradient = sum(graph, collected.get(parameter), "");
    if (gradient !== undefined) sums.set(parameter, gradient);
  }
  return owned(graph, sums, "gradient");
}

/** Ids of all tensors whose value depends on a wanted parameter, the parameters included. */
export function dependents(graph: Graph, wanted: ReadonlySet<number>): ReadonlySet<number> {
  const found = new Set(wanted);
  for (const node of graph.nodes) {
    if (node.inputs.some((id) => found.has(id))) for (const id of node.outputs) found.add(id);
  }
  return found;
}

/** The sum of all gradients that reached one tensor, in the order in which they did. */
const sum = (graph: Graph, parts: readonly Tensor[] | undefined, layer: string): Tensor | undefined =>
  parts?.reduce((x, y) => emit(graph, add, { x, y }, {}, layer).z);
