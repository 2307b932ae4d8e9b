// Layers in f64, on the twins of their ops: values, gradients and running statistics of PyTorch.

import { expect, test } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import { errorOf, layerCases, lossOf, modelOf, nameOf } from "../golden/layers.ts";
import { interpret } from "../reference/interpret.ts";
import { alone } from "../reference/streams.ts";
import { exact } from "../reference/twin.ts";

/** The files have 8 digits. */
const TOLERANCE = 1e-7;

test.each(layerCases.map((one) => [nameOf(one), one] as const))("%s is that of PyTorch in f64", (_, one) => {
  const inputs = alone([1]);
  const format = plainFormat(inputs);
  const batch = one.shape[0]!;
  const traced = trace(modelOf(one), { inputs, batch, format, loss: lossOf(one), mode: "train" });
  const { graph, parameters, parameterIds, states, stateIds } = traced;
  const gradients = differentiate(graph, traced.objective!.losses, new Set(parameterIds));
  const given = new Map<number, Float64Array>();
  for (const { id, name, role } of graph.tensors)
    if (role === "data") given.set(id, Float64Array.from(name === "data.order" ? one.x.keys() : one.target));
  const run = (x: readonly number[]) => {
    for (const [i, { name }] of parameters.entries())
      given.set(parameterIds[i]!, Float64Array.from(name === "x" ? x : one.weights[name]!));
    return interpret(graph, given, { step: 1, start: 0, count: batch }, exact);
  };
  for (const [i, { name, shape }] of states.entries())
    given.set(stateIds[i]!, new Float64Array(shape[0]!).fill(name === "movingVariance" ? 1 : 0));
  const after = [...(one.before ?? []), one.x].map((x) => {
    const values = run(x);
    for (const [state, { id }] of traced.commits) given.set(state, values.get(id)!);
    return values;
  });
  const values = after.at(-1)!;
  expect(errorOf(values.get(traced.outputs[0]!.id)!, one.y)).toBeLessThan(TOLERANCE);
  for (const [i, { name }] of parameters.entries())
    expect(errorOf(values.get(gradients.get(parameterIds[i]!)!)!, one.gradients[name]!), name).toBeLessThan(TOLERANCE);
  for (const [i, { name }] of states.entries())
    expect(errorOf(given.get(stateIds[i]!)!, one.states![name]!), name).toBeLessThan(TOLERANCE);
});
