// Products that add up very many terms, such as what a dense layer makes of a million inputs: one thread would add them all, by which
// digits are lost and which some drivers cut short (Mesa's llvmpipe ends the loops of a thread after 65,535 rounds, and says nothing).

import { matmul } from "../op/matmul.ts";
import { splitsForTerms } from "../op/split.ts";
import { sumPartials } from "../op/sum.ts";
import { addTensor, type Graph, type Node, tensorAt } from "./graph.ts";

/** The graph with their sums in parts, which are added behind them. */
export function cutLongSums(graph: Graph): Graph {
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (node.op !== matmul) return [node];
    const [a, c] = [tensorAt(graph, node.inputs[0] as number), tensorAt(graph, node.outputs[0] as number)];
    // The gradient of a weight was cut where it was made, and may have a second output.
    if (c.role === "gradient" || node.outputs.length > 1 || node.attributes.splits !== undefined) return [node];
    const splits = splitsForTerms(a.shape.at(node.attributes.transposeA === true ? -2 : -1) as number);
    if (splits === 1) return [node];
    const parts = addTensor(graph, { ...c, name: `${c.name}.parts`, shape: [splits, ...c.shape] });
    const { layer } = node;
    return [
      { ...node, attributes: { ...node.attributes, splits }, outputs: [parts.id] },
      { ...{ op: sumPartials, inputs: [parts.id], outputs: [c.id], attributes: {}, layer }, epilogue: [] },
    ];
  });
  return { tensors: graph.tensors, nodes };
}
