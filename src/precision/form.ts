// Which tensors of a step lie as f16: what flows through the model and back. Sums, statistics and what is told of a step stay f32, and so
// does what easily leaves the range of f16, as under PyTorch's autocast; weights, moments and gradients of weights always do.

import type { Graph, Node, Tensor } from "./core.ts";

/** What stays f32: all results of an op, one of them, or those of a name in all ops. */
const exact: ReadonlySet<string> = new Set([
  // Sums and statistics, and what a loss tells.
  ...[
    "sum",
    "sumOver",
    "columnSum",
    "runningSum",
    "sumPartials",
    "channelParts",
    "channelSums",
    "mergeSums",
    "batchParts",
  ],
  ...["batchStatistics", "inverseRoot", "attentionDelta", "weigh", "weighClasses", ".rows", ".parts", ".sum"],
  // Random numbers: a rate of dropout is right to more digits than f16 has.
  "draw",
  // Words of data as they are.
  ...["gather.y", "gatherWords"],
  // What is remembered from one time step to the next.
  ...["lstm", "gru", "gruResetBefore"].flatMap((cell) => [
    ...["h", "c"].map((state) => `${cell}Steps.${state}`),
    ...["dh0", "dc0"].map((state) => `${cell}StepsBackward.${state}`),
  ]),
  // Large where what they take is not.
  ...["exp", "log", "pow", "square", "reciprocal", "divide"],
]);

/** The graph with the form of each tensor, but for those that are kept: they are read as they lie. */
export function formed(graph: Graph, kept: ReadonlySet<number>): Graph {
  const at = (id: number): Tensor => graph.tensors[id] as Tensor;
  const storageOf = (id: number): number => {
    const { view } = at(id);
    return view === undefined ? id : storageOf(view);
  };
  const whole = new Set([...kept].map(storageOf));
  const seeds = new Set<number>();
  for (const node of graph.nodes) {
    const isExact = [node.op, ...node.epilogue.map(({ op }) => op)].some(({ name }) => exact.has(name));
    for (const [name, id] of outputsOf(node)) {
      if (isExact || exact.has(`.${name}`) || exact.has(`${node.op.name}.${name}`)) whole.add(storageOf(id));
      if (name === "dprediction") seeds.add(storageOf(id));
    }
    // What one op shares out, another adds up: sums of all layers are one dispatch, which reads whole arenas.
    if (node.op.rowSums !== undefined) for (const id of node.inputs) whole.add(storageOf(id));
  }
  const tensors = graph.tensors.map((tensor) => {
    const id = storageOf(tensor.id);
    const { role, dtype } = at(id);
    const form = { half: role === "activation" && dtype === "f32" && !whole.has(id), scaled: seeds.has(id) };
    return form.half || form.scaled ? { ...tensor, form } : tensor;
  });
  return { ...graph, tensors };
}

/** What a node makes, by the names of its op; what it leaves of steps at its end comes behind that, without a name. */
function outputsOf({ op, outputs, epilogue }: Node): (readonly [name: string, id: number])[] {
  const own = outputs.length - epilogue.filter(({ kept }) => kept !== undefined).length;
  return outputs.map((id, i) => [i < own ? (op.outputs[i] ?? "") : "", id] as const);
}
