// Results that leave the step: gradients, and what states become. Each is written by its own kernel into an arena of its own.

import { asksGradients } from "../op/check.ts";
import { copy } from "../op/elementwise.ts";
import type { Tensor } from "../op/tensor.ts";
import { emit, type Graph, isView, storageOf, tensorAt } from "./graph.ts";

/**
 * Makes each result a tensor of its target alone, that behind it where it is a view: what others read and what serves two targets is
 * copied, and so is a gradient that no kernel asks. Gives the ids of the results by target.
 */
export function owned(
  graph: Graph,
  results: ReadonlyMap<number, Tensor>,
  role: "gradient" | "next",
): ReadonlyMap<number, number> {
  const readers = graph.nodes.filter((node) => !isView(graph, node));
  const uses = [...readers.flatMap(({ inputs }) => inputs), ...[...results.values()].map(({ id }) => id)];
  const storages = uses.map((id) => storageOf(graph, id));
  const found = new Map<number, number>();
  for (const [target, result] of results) {
    const made = tensorAt(graph, storageOf(graph, result.id));
    const maker = graph.nodes.find(({ outputs }) => outputs.includes(made.id));
    const asked = maker?.op.kernel === undefined ? 0 : asksGradients(maker.op.kernel);
    const isOwn =
      maker !== undefined &&
      (role === "next" || maker.outputs.indexOf(made.id) < asked) &&
      made.role === "activation" &&
      storages.indexOf(made.id) === storages.lastIndexOf(made.id);
    const { name } = tensorAt(graph, target);
    const own = isOwn ? made : emit(graph, copy, { x: result }).z;
    graph.tensors[own.id] = { ...own, name: `${name}.${role}`, role, of: target };
    found.set(target, own.id);
  }
  return found;
}
