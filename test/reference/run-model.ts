// A model on the f64 interpreter: what it makes of given inputs under given weights, and the gradients of sums of that.

import { absorb } from "../../src/graph/absorb.ts";
import { differentiate } from "../../src/graph/backward.ts";
import { type Graph, tensorAt } from "../../src/graph/graph.ts";
import type { DataFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import type { LossFunction, Model } from "../../src/index.ts";
import { interpret } from "./interpret.ts";
import "./onnx-formulas.ts";
import { exact } from "./twin.ts";

export interface Given {
  /** Of a sample. */
  readonly shape: readonly number[];
  readonly classes?: number | undefined;
  /** Of all samples. */
  readonly data: ArrayLike<number>;
}

/** Numbers by the model's names; what is not there begins as the model says. */
export type Start = ReadonlyMap<string, { readonly data: ArrayLike<number> }>;

export interface Ran {
  readonly outputs: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float64Array }>;
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

/** A layer that asks for a weight, so that a model without any can be traced. */
const withWeight = (model: Model): Model => ({
  kind: "withWeight",
  takesValues: true,
  apply(scope, x) {
    scope.parameter("nothing", [1], "zeros");
    return model.apply(scope, x);
  },
});

/** `loss`: whether the gradient of the sum of all that it gives is wanted, in the mode of training. */
export function runModel(
  model: Model,
  inputs: ReadonlyMap<string, Given>,
  start: Start,
  batch: number,
  loss?: LossFunction,
): Ran {
  const streams = [...inputs].map(([name, { shape, classes }]) => ({
    name: inputs.size === 1 ? "" : name,
    shape,
    ...(classes !== undefined && { classes }),
  }));
  const format: DataFormat = { inputs: streams.map(() => ({ bytes: false, period: 4 })), targets: [], weights: [] };
  const options = {
    inputs: streams,
    batch,
    format,
    loss: loss as LossFunction,
    mode: loss === undefined ? "predict" : "train",
  } as const;
  const traced = trace(withWeight(model), options);
  const kept = new Set(traced.outputs.map(({ id }) => id));
  const absorbed = absorb(traced.graph, kept);
  const graph: Graph = { tensors: absorbed.tensors, nodes: absorbed.nodes };
  const values = new Map<number, Float64Array>();
  const fed = graph.nodes.filter(({ op }) => op.name.startsWith("gather"));
  for (const node of fed) {
    const id = node.outputs[0] as number;
    const { name } = tensorAt(graph, id);
    const given = inputs.size === 1 ? [...inputs.values()][0] : inputs.get(name.replace(/^input\./, ""));
    if (given !== undefined) values.set(id, Float64Array.from(given.data));
  }
  const own = (list: typeof traced.parameters, ids: readonly number[]): void => {
    for (const [i, { name, shape, initializer }] of list.entries()) {
      const numbers = start.get(name)?.data ?? initializer(shape, { uniform: () => 0.5, normal: () => 0 });
      values.set(ids[i] as number, Float64Array.from(numbers));
    }
  };
  own(traced.parameters, traced.parameterIds);
  own(traced.states, traced.stateIds);
  for (const [name, data] of traced.constants)
    values.set(graph.tensors.find((tensor) => tensor.name === name)?.id as number, Float64Array.from(data));
  const losses = traced.objective?.losses;
  const gradients =
    losses === undefined ? new Map<number, number>() : differentiate(graph, losses, new Set(traced.parameterIds));
  const rest = {
    ...graph,
    nodes: graph.nodes.filter((node) => !fed.includes(node) || node.outputs.some((id) => !values.has(id))),
  };
  const made = interpret(rest, values, { step: 1, start: 0, count: batch }, exact);
  const numbers = (id: number): Float64Array => made.get(id) as Float64Array;
  return {
    outputs: new Map(
      traced.outputs.map(({ name, id }) => [name, { shape: tensorAt(graph, id).shape, data: numbers(id) }]),
    ),
    gradients: new Map(
      traced.parameters.flatMap(({ name }, i) => {
        const id = gradients.get(traced.parameterIds[i] as number);
        return id === undefined ? [] : [[name, numbers(id)] as const];
      }),
    ),
  };
}
