// A model on the f64 interpreter with given weights: what it and each of its layers make of given inputs, and the gradients of the sum of
// what a loss gives. Every tensor of the model must be among the weights, unless a seed says that the rest begins as the model has it.

import { differentiate } from "../../src/graph/backward.ts";
import { tensorAt } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { type Parameter, trace } from "../../src/graph/trace.ts";
import type { LossFunction, Model } from "../../src/index.ts";
import { initialValues } from "../../src/initializer.ts";
import { size } from "../../src/op/tensor.ts";
import { interpret } from "./interpret.ts";
import "./onnx-formulas.ts";
import { exact } from "./twin.ts";

export interface Given {
  /** Of a sample. */
  readonly shape: readonly number[];
  /** Of whole numbers: how many there may be. */
  readonly classes?: number | undefined;
  /** Of all samples, one after the other. */
  readonly data: ArrayLike<number>;
}

/** The inputs of a model of one. */
export const only = (shape: readonly number[], data: ArrayLike<number>, classes?: number): ReadonlyMap<string, Given> =>
  new Map([["", { shape, data, classes }]]);

/** Numbers by the model's names. */
export type Start = ReadonlyMap<string, { readonly shape?: readonly number[]; readonly data: ArrayLike<number> }>;

/** The batch first. */
export interface Made {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface Ran {
  /** By name; one alone has the empty name. */
  readonly outputs: ReadonlyMap<string, Made>;
  /** What each layer made, by its path: the last time that it was used. */
  readonly layers: ReadonlyMap<string, Made>;
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

const NOTHING = "nothing";
/** A layer that asks for a weight, so that a model without any can be traced. */
const withWeight = (model: Model): Model => ({
  kind: "withWeight",
  takesValues: true,
  apply(scope, x) {
    scope.parameter(NOTHING, [1], "zeros");
    return model.apply(scope, x);
  },
});

/** How many samples the first input has. */
const batchOf = (inputs: ReadonlyMap<string, Given>): number => {
  const [{ shape, data }] = [...inputs.values()] as [Given];
  return data.length / size(shape);
};

/**
 * Runs a model on inputs by name; the name of the only one does not matter. `loss`: whether the gradient of the sum of all that it gives is
 * wanted, in the mode of training. Throws where a weight is missing, unless there is a seed, and where one has another length.
 */
export function runModel(
  model: Model,
  inputs: ReadonlyMap<string, Given>,
  start: Start,
  batch = batchOf(inputs),
  loss?: LossFunction,
  seed?: number,
): Ran {
  const streams = [...inputs].map(([name, { shape, classes }]) => ({
    name: inputs.size === 1 ? "" : name,
    shape,
    ...(classes !== undefined && { classes }),
  }));
  const mode = loss === undefined ? "predict" : "train";
  const options = { inputs: streams, batch, format: plainFormat(streams), loss: loss as LossFunction, mode } as const;
  const traced = trace(withWeight(model), options);
  const { graph } = traced;
  const values = new Map<number, Float64Array>();
  const fed = graph.nodes.filter(({ op }) => op.name.startsWith("gather"));
  for (const node of fed) {
    const id = node.outputs[0] as number;
    const name = tensorAt(graph, id).name.replace(/^input\.?/, "");
    const given = inputs.size === 1 ? [...inputs.values()][0] : inputs.get(name);
    if (given !== undefined) values.set(id, Float64Array.from(given.data));
  }
  const own = (list: typeof traced.parameters, ids: readonly number[]): void => {
    for (const [i, tensor] of list.entries()) values.set(ids[i] as number, beginning(tensor, start, seed));
  };
  own(traced.parameters, traced.parameterIds);
  own(traced.states, traced.stateIds);
  for (const [name, data] of traced.constants)
    values.set(graph.tensors.find((tensor) => tensor.name === name)?.id as number, Float64Array.from(data));
  const losses = traced.objective?.losses;
  const gradients =
    losses === undefined ? new Map<number, number>() : differentiate(graph, losses, new Set(traced.parameterIds));
  const nodes = graph.nodes.filter((node) => !fed.includes(node) || node.outputs.some((id) => !values.has(id)));
  const made = interpret({ ...graph, nodes }, values, { step: 1, start: 0, count: batch }, exact);
  const told = (id: number): Made => ({ shape: tensorAt(graph, id).shape, data: made.get(id) as Float64Array });
  return {
    outputs: new Map(traced.outputs.map(({ name, id }) => [name, told(id)])),
    layers: new Map(traced.layers.map(({ path, output }) => [path, told(output)])),
    gradients: new Map(
      traced.parameters.flatMap(({ name }, i) => {
        const id = gradients.get(traced.parameterIds[i] as number);
        return id === undefined ? [] : [[name, told(id).data] as const];
      }),
    ),
  };
}

/** What a tensor begins with. */
function beginning(tensor: Parameter, start: Start, seed: number | undefined): Float64Array {
  const { name, shape, initializer } = tensor;
  const given = start.get(name);
  if (given === undefined && seed === undefined && name !== NOTHING) throw new Error(`run: "${name}" is missing.`);
  if (given === undefined) return Float64Array.from(initialValues(tensor, initializer, seed ?? 0));
  if (given.data.length !== size(shape) || (given.shape !== undefined && String(given.shape) !== String(shape)))
    throw new Error(`run: "${name}" is [${shape}], [${given.shape ?? given.data.length}] came.`);
  return Float64Array.from(given.data);
}
