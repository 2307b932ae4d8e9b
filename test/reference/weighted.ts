// A model with given weights in f64: what it makes of tokens, and what its layers make, by path.

import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import { initialValues } from "../../src/initializer.ts";
import { crossEntropy } from "../../src/model/loss.ts";
import type { Model } from "../../src/op/layer.ts";
import { interpret } from "./interpret.ts";
import { exact } from "./twin.ts";

type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>;

interface Given {
  /** Of all samples, one after the other. */
  readonly data: ArrayLike<number>;
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly classes?: number;
}

/** Each layer's numbers by its path; those of the model itself under "". Throws where weights are missing or left over, unless `seed` says that the rest begins as it would. */
export function weighted(model: Model, weights: Weights, x: Given, seed?: number): ReadonlyMap<string, Float64Array> {
  const { shape, classes } = x;
  const inputs = [{ name: "", shape, ...(classes !== undefined && { classes }) }];
  const batch = x.data.length / shape.reduce((a, b) => a * b, 1);
  const traced = trace(model, { inputs, batch, format: plainFormat(inputs), loss: crossEntropy(), mode: "predict" });
  const { graph, parameters, parameterIds } = traced;
  const given = new Map<number, Float64Array>();
  for (const [i, parameter] of parameters.entries()) {
    const own = weights.get(parameter.name);
    if (own === undefined && seed === undefined) throw new Error(`weighted: "${parameter.name}" is missing.`);
    if (own !== undefined && String(own.shape) !== String(parameter.shape))
      throw new Error(`weighted: "${parameter.name}" is [${parameter.shape}], [${own.shape}] came.`);
    const data = own?.data ?? initialValues(parameter, parameter.initializer, seed ?? 0);
    given.set(parameterIds[i] as number, Float64Array.from(data));
  }
  const left = [...weights.keys()].filter((name) => !parameters.some((one) => one.name === name));
  if (left.length > 0) throw new Error(`weighted: the model has no ${left.join(", ")}.`);
  const [feed, ...nodes] = graph.nodes;
  given.set(feed?.outputs[0] as number, Float64Array.from(x.data));
  const values = interpret({ ...graph, nodes }, given, { step: 1, start: 0, count: batch }, exact);
  const made = new Map(traced.layers.map(({ path, output }) => [path, values.get(output) as Float64Array]));
  for (const { name, id } of traced.outputs) made.set(name, values.get(id) as Float64Array);
  return made;
}
