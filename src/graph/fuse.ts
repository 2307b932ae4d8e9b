// Fewer dispatches from the same graph: elementwise nodes move into the end of the kernel that makes their input, and a
// bias gradient into the kernel that makes the weight gradient from the same numbers.

import { isWhole } from "../op/epilogue.ts";
import { splitsForSum } from "../op/split.ts";
import { columnSum, sumPartials } from "../op/sum.ts";
import { size } from "../op/tensor.ts";
import { addTensor, type Graph, isView, type Node, ownInputs, storageOf, tensorAt } from "./graph.ts";
import { cutLongSums } from "./long.ts";

/**
 * Storage buffers per stage are limited to 8 by default, of which one is for metrics; a kernel has up to four of its own, that of
 * elementwise ops two, and what it leaves beside its result.
 */
const mostOperands = ({ op, outputs }: Node): number => (op.takesEpilogue === true ? 4 : 6) - outputs.length;

/**
 * Gives a new graph that computes the same outputs; `kept` are ids that must stay readable. `keeps`: whether a kernel may leave what
 * others read beside what its end makes of that, so that the end cannot be computed again alone.
 */
export function fuse(graph: Graph, kept: ReadonlySet<number>, keeps = true): Graph {
  // A view moves nothing, so it is in nobody's way: kernels are joined as if there were none.
  const kernels = { tensors: [...graph.tensors], nodes: graph.nodes.filter((node) => !isView(graph, node)) };
  return withViews(fuseElementwise(weightsFirst(cutLongSums(fuseColumnSums(kernels))), kept, keeps), graph);
}

/** What depends on weights and states alone goes in front, where any kernel can end in what takes it. */
function weightsFirst(graph: Graph): Graph {
  const isGiven = (id: number): boolean => ["parameter", "base", "state"].includes(tensorAt(graph, id).role);
  const still = new Set<number>();
  for (const { inputs, outputs } of graph.nodes) {
    const storages = inputs.map((id) => storageOf(graph, id));
    if (inputs.length > 0 && storages.every((id) => isGiven(id) || still.has(id)))
      for (const id of outputs) still.add(id);
  }
  const isStill = (node: Node): boolean => node.outputs.every((id) => still.has(id));
  const others = graph.nodes.filter((node) => !isStill(node));
  return { tensors: graph.tensors, nodes: [...graph.nodes.filter(isStill), ...others] };
}

/** Each view of the first graph right behind the kernel that makes its numbers; gone where none does any more. */
function withViews(graph: Graph, before: Graph): Graph {
  const views = new Map<number, Node[]>();
  for (const node of before.nodes) {
    const storage = storageOf(before, node.outputs[0] as number);
    if (isView(before, node)) views.set(storage, [...(views.get(storage) ?? []), node]);
  }
  const made = new Set(before.nodes.flatMap(({ outputs }) => outputs));
  const given = [...views].flatMap(([storage, nodes]) => (made.has(storage) ? [] : nodes));
  const behind = (node: Node): Node[] => [node, ...node.outputs.flatMap((id) => views.get(id) ?? [])];
  return { tensors: graph.tensors, nodes: [...given, ...graph.nodes.flatMap(behind)] };
}

/** `columnSum(dy)` beside a product `x^T dy` becomes the product's second output; one that stays alone is split where long. */
function fuseColumnSums(graph: Graph): Graph {
  const nodes = [...graph.nodes];
  for (const lone of graph.nodes.filter((node) => node.op === columnSum)) {
    const [dy] = lone.inputs as [number];
    const [sum] = lone.outputs as [number];
    const at = nodes.findIndex((node) => sumsOver(node, graph, dy) && node.outputs.length === 1);
    const isReadBefore = nodes
      .slice(0, Math.max(at, 0))
      .some(({ inputs }) => inputs.some((id) => storageOf(graph, id) === sum));
    const product = isReadBefore ? undefined : nodes[at];
    const rows = size(tensorAt(graph, dy).shape.slice(0, -1));
    const splits = product === undefined ? splitsForSum(rows) : Number(product.attributes.splits ?? 1);
    if (product === undefined && splits === 1) continue;
    const host = product ?? { ...lone, attributes: { ...lone.attributes, splits }, outputs: [] };
    nodes.splice(nodes.indexOf(lone), 1, ...(product === undefined ? [host] : []));
    const place = nodes.indexOf(host);
    if (splits === 1) {
      nodes[place] = { ...host, outputs: [...host.outputs, sum] };
      continue;
    }
    const whole = tensorAt(graph, sum);
    const name = `${lone.layer === "" ? "" : `${lone.layer}.`}columnSum.parts`;
    const parts = addTensor(graph, { name, shape: [splits, ...whole.shape], dtype: "f32", role: "activation" });
    nodes[place] = { ...host, outputs: [...host.outputs, parts.id] };
    nodes.splice(place + 1, 0, { ...lone, op: sumPartials, inputs: [parts.id] });
  }
  return { tensors: graph.tensors, nodes };
}

/** Whether a node adds up products with `dy` over all rows of dy; another view counts if its rows are as long. */
function sumsOver(node: Node, graph: Graph, dy: number): boolean {
  const [, second] = node.inputs;
  if (second === undefined || storageOf(graph, second) !== storageOf(graph, dy)) return false;
  if (tensorAt(graph, second).shape.at(-1) !== tensorAt(graph, dy).shape.at(-1)) return false;
  return node.op.sumsColumns?.(node.attributes, tensorAt(graph, second)) === true;
}

/** Walks the nodes once; each elementwise node joins the maker of its input where nobody else reads that input. */
function fuseElementwise(graph: Graph, kept: ReadonlySet<number>, mayKeep: boolean): Graph {
  const last = new Set([...kept].map((id) => storageOf(graph, id)));
  const readers = new Map<number, number>();
  for (const node of graph.nodes) {
    for (const id of node.inputs) {
      const storage = storageOf(graph, id);
      readers.set(storage, (readers.get(storage) ?? 0) + 1);
    }
  }
  const nodes: Node[] = [];
  const maker = new Map<number, number>();
  for (const node of graph.nodes) {
    const joined = join(node);
    if (joined === undefined) {
      nodes.push(node);
      for (const id of node.outputs) maker.set(storageOf(graph, id), nodes.length - 1);
    } else {
      nodes[joined.at] = joined.node;
      maker.set(node.outputs[0] as number, joined.at);
    }
  }
  return { tensors: graph.tensors, nodes: inOrder() };

  /** What reads nothing, as what draws, comes before the first that reads it. */
  function inOrder(): Node[] {
    const placed = new Set<Node>();
    for (const node of nodes) {
      for (const id of node.inputs) {
        const made = nodes[maker.get(storageOf(graph, id)) ?? -1];
        if (made?.inputs.length === 0) placed.add(made);
      }
      placed.add(node);
    }
    return [...placed];
  }

  function join(node: Node): { at: number; node: Node } | undefined {
    if (node.op.elementwise === undefined) return undefined;
    const { shape } = tensorAt(graph, node.outputs[0] as number);
    for (const main of node.inputs) {
      const at = maker.get(storageOf(graph, main));
      const target = at === undefined ? undefined : nodes[at];
      if (at === undefined || target === undefined) continue;
      const inner = target.outputs[0] as number;
      const only = readers.get(inner) === 1 && !last.has(inner);
      // What others read is kept beside what the end makes of it, right where that would be made anyway.
      const keeps =
        mayKeep &&
        !only &&
        at === nodes.length - 1 &&
        target.op.keepsInner?.(target.attributes, tensorAt(graph, inner)) === true;
      const takes = target.op.takesEpilogue === true || target.op.elementwise !== undefined;
      const whole = isWhole(tensorAt(graph, inner), shape);
      const partial = ((target.attributes.splits as number | undefined) ?? 1) > 1;
      if (!(only || keeps) || storageOf(graph, main) !== inner || !takes || !whole || partial) continue;
      const operands = node.inputs.filter((id) => id !== main);
      const madeBefore = operands.every((id) => {
        const place = maker.get(storageOf(graph, id)) ?? -1;
        return place < at || nodes[place]?.inputs.length === 0;
      });
      // The other inputs of an elementwise target stand in the chain like operands.
      const flows = target.inputs.slice(0, target.op.inputs.length).some((id) => isWhole(tensorAt(graph, id), shape));
      const own = target.op.takesEpilogue === true ? ownInputs(target).length : Number(flows);
      if (!madeBefore || target.inputs.length - own + operands.length + Number(keeps) > mostOperands(target)) continue;
      const inputs = [...target.inputs, ...operands];
      const kept = keeps ? target.outputs.length : undefined;
      const places = node.inputs.map((id) => (id === main ? undefined : inputs.indexOf(id, target.inputs.length)));
      return {
        at,
        node: {
          ...target,
          inputs,
          outputs: [...node.outputs, ...target.outputs.slice(1), ...(keeps ? [inner] : [])],
          epilogue: [...target.epilogue, { op: node.op, attributes: node.attributes, inputs: places, shape, kept }],
        },
      };
    }
    return undefined;
  }
}
