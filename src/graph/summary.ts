// What a model is made of, layer by layer: read off a trace, before anything else is added to the graph.

import { gather } from "../op/gather.ts";
import { gatherWords } from "../op/gather-words.ts";
import { size } from "../op/tensor.ts";
import { before } from "./cut.ts";
import { layerDepths } from "./depth.ts";
import { namedTensors, tensorAt } from "./graph.ts";
import type { Parameter, Trace } from "./trace.ts";

/** A layer that has weights or adds something to the graph itself. Used more than once, it is one layer. */
export interface LayerSummary {
  /** Its path; the empty string for the model itself. */
  readonly name: string;
  /** Its factory's name, such as "dense". */
  readonly kind: string;
  /** On the longest path from the input, counted in layers with weights, from 1; undefined for a layer without weights. */
  readonly depth: number | undefined;
  /** Of what it makes of one sample, the last time that it is used. */
  readonly outputShape: readonly number[];
  /** Shapes of its tensors by their own names. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Numbers in its tensors. */
  readonly parameterCount: number;
  /** Numbers that it keeps beside them from step to step. */
  readonly stateCount: number;
  /** Of its products, for one sample on the way forward, over all of its uses. */
  readonly multiplyAdds: number;
}

/** The layers of a model in order, and their sums. `String(summary)` is a table for people. */
export interface Summary {
  /** In the order in which the model applies them. */
  readonly layers: readonly LayerSummary[];
  /** Numbers that can be trained, shared ones counted once. */
  readonly parameterCount: number;
  /** Numbers that are kept and not trained, such as running statistics. */
  readonly stateCount: number;
  /** Of one sample on the way forward. */
  readonly multiplyAdds: number;
  /** A line for each layer, and one of sums. */
  toString(): string;
}

/** `batch`: how many samples were traced at once. */
export function summaryOf(
  { graph, parameters, parameterIds, states, outputs, layers: uses }: Trace,
  batch: number,
): Summary {
  const depths = layerDepths(graph, new Map(parameterIds.map((id, i) => [id, parameters[i]?.layer as string])));
  const forward = before(graph, ...outputs.map(({ id }) => id)).nodes.filter(
    ({ op }) => op !== gather && op !== gatherWords,
  );
  const count = (tensors: readonly Parameter[]): number => tensors.reduce((sum, { shape }) => sum + size(shape), 0);
  const used = new Map(uses.map((use) => [use.path, use]));
  const layers = [...used.values()].flatMap(({ path, kind, output }): LayerSummary[] => {
    const nodes = forward.filter(({ layer }) => layer === path);
    const [own, kept] = [parameters, states].map((all) => all.filter(({ layer }) => layer === path)) as [
      Parameter[],
      Parameter[],
    ];
    const isContainer = nodes.length + own.length === 0 && [...used.keys()].some((other) => isBelow(other, path));
    if (isContainer) return [];
    const work = nodes.reduce(
      (sum, node) => sum + (node.op.work?.(namedTensors(graph, node), node.attributes) ?? 0),
      0,
    );
    return [
      {
        name: path,
        kind,
        depth: depths.get(path),
        outputShape: tensorAt(graph, output).shape.slice(1),
        shapes: Object.fromEntries(own.map(({ name, shape }) => [name.slice(name.lastIndexOf(".") + 1), shape])),
        parameterCount: count(own),
        stateCount: count(kept),
        multiplyAdds: work / batch,
      },
    ];
  });
  const total = (key: "parameterCount" | "stateCount" | "multiplyAdds"): number =>
    layers.reduce((sum, layer) => sum + layer[key], 0);
  const sums = {
    parameterCount: total("parameterCount"),
    stateCount: total("stateCount"),
    multiplyAdds: total("multiplyAdds"),
  };
  return { layers, ...sums, toString: () => table(layers, sums) };
}

const isBelow = (path: string, above: string): boolean =>
  path !== above && (above === "" || path.startsWith(`${above}.`));

type Sums = Omit<Summary, "layers" | "toString">;

/** Columns of text, then of numbers, under their heads. */
function table(layers: readonly LayerSummary[], sums: Sums): string {
  const numbers = ({ parameterCount, stateCount, multiplyAdds }: Sums): string[] =>
    [parameterCount, stateCount, multiplyAdds].map((count) => String(count).replace(/\B(?=(\d{3})+$)/g, ","));
  const lines = [
    ["layer", "kind", "output", "parameters", "states", "multiply-adds"],
    ...layers.map((layer) => [layer.name, layer.kind, `[${layer.outputShape.join(", ")}]`, ...numbers(layer)]),
    ["total", "", "", ...numbers(sums)],
  ];
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((text, i) => (i < 3 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join("  "))
    .join("\n");
}
