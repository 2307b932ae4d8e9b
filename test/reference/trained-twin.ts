// Steps of training in f64: loss, gradients and next states of a model with given weights, for rules that stand elsewhere.

import { differentiate } from "../../src/graph/backward.ts";
import { tensorAt } from "../../src/graph/graph.ts";
import { plainFormat, type Stream } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import type { Loss, Model } from "../../src/op/layer.ts";
import { interpret } from "./interpret.ts";
import { exact } from "./twin.ts";

type Numbers = ReadonlyMap<string, Float64Array<ArrayBufferLike>>;

export interface TwinStep {
  /** Mean over the samples. */
  readonly loss: number;
  readonly gradients: Numbers;
  /** What states have become. */
  readonly states: Numbers;
}

/** A model of one output and of inputs by name, of which "" is the only one, on batches. */
export function trainedTwin(
  model: Model,
  { batch, inputs, loss }: { readonly batch: number; readonly inputs: readonly Stream[]; readonly loss: Loss },
): (weights: Numbers, x: Readonly<Record<string, ArrayLike<number>>>, y: ArrayLike<number>) => TwinStep {
  const traced = trace(model, { inputs, batch, format: plainFormat(inputs), loss, mode: "train" });
  const { graph, parameters, parameterIds, states, stateIds, commits, objective } = traced;
  const losses = objective!.losses;
  const gradients = differentiate(graph, losses, new Set(parameterIds));
  const nodes = graph.nodes.filter(({ op }) => !op.name.startsWith("gather"));
  return (weights, x, y) => {
    const given = new Map<number, Float64Array>();
    for (const { id, name } of graph.tensors) {
      const own = name === "input" ? x[""] : x[name.replace(/^input\./, "")];
      if (own !== undefined && name.startsWith("input")) given.set(id, Float64Array.from(own));
      if (name === "target") given.set(id, Float64Array.from(y));
    }
    for (const [i, { name }] of parameters.entries()) given.set(parameterIds[i]!, weights.get(name)!);
    for (const [i, { name }] of states.entries()) given.set(stateIds[i]!, weights.get(name)!);
    const values = interpret({ ...graph, nodes }, given, { step: 1, start: 0, count: batch }, exact);
    // A loss and a hit of each sample.
    const rows = (values.get(losses[0] as number) as Float64Array).filter((_, i) => i % 2 === 0);
    return {
      loss: rows.reduce((sum, one) => sum + one, 0) / batch,
      gradients: new Map(parameters.map(({ name }, i) => [name, values.get(gradients.get(parameterIds[i]!)!)!])),
      states: new Map(
        states.map(({ name }, i) => [
          name,
          values.get((commits.get(stateIds[i]!) ?? tensorAt(graph, stateIds[i]!)).id)!,
        ]),
      ),
    };
  };
}
