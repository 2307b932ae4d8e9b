// A model as a differentiated graph with data and starting weights, ready for `interpret`.

import { absorb } from "../../src/graph/absorb.ts";
import { differentiate } from "../../src/graph/backward.ts";
import { tensorAt } from "../../src/graph/graph.ts";
import { lower } from "../../src/graph/lower.ts";
import type { DataFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import { initialValues } from "../../src/initializer.ts";
import type { Layer, Loss } from "../../src/op/layer.ts";
import { size } from "../../src/op/tensor.ts";
import { type Layout, layOut } from "../../src/plan/layout.ts";
import { permutation, stream } from "../../src/random.ts";
import type { Differentiated } from "./gradient.ts";
import { below, normals } from "./numbers.ts";
import { alone } from "./streams.ts";

export interface ModelCase {
  readonly model: Layer;
  /** Shape of one sample. */
  readonly input: readonly number[];
  readonly batch: number;
  readonly loss: Loss;
}

export interface TracedModel extends Differentiated {
  readonly prediction: number;
  /** Tensor ids of the parameters, in the order of the layout. */
  readonly parameterIds: readonly number[];
  readonly layout: Layout;
}

const format: DataFormat = { inputs: [{ bytes: false, period: 4 }], targets: [], weights: [] };

/** Traces and differentiates a model, with random weights, biases too, and twice as many samples as a batch holds. */
export function tracedModel({ model, input, batch, loss }: ModelCase, seed = 1): TracedModel {
  const traced = trace(model, { inputs: alone(input), batch, loss, format, mode: "train" });
  const { parameters, parameterIds } = traced;
  const prediction = traced.outputs[0]!.id;
  const graph = lower(absorb(traced.graph, new Set([prediction])), "plainly");
  const losses = traced.objective!.losses;
  const forward = { tensors: graph.tensors, nodes: [...graph.nodes] };
  const gradients = differentiate(graph, losses, new Set(parameterIds));

  const samples = batch * 2;
  const outputs = size(tensorAt(graph, prediction).shape) / batch;
  const [x, y, order, norm] = graph.nodes[0]!.inputs as [number, number, number, number];
  const given = new Map<number, Float64Array>([
    [x, normals(samples * size(input), stream(seed, "x"))],
    [
      y,
      loss.integerTarget ? below(outputs)(samples, stream(seed, "y")) : normals(samples * outputs, stream(seed, "y")),
    ],
    [norm, Float64Array.of(0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25)],
    [order, Float64Array.from(permutation(samples, stream(seed, "order")))],
  ]);
  for (const [i, parameter] of parameters.entries()) {
    const id = parameterIds[i]!;
    const start = initialValues(parameter, parameter.initializer, seed);
    const isBias = tensorAt(graph, id).shape.length === 1;
    const values = isBias
      ? normals(start.length, stream(seed, parameter.name)).map((v) => v / 4)
      : Float64Array.from(start);
    given.set(id, values);
  }
  return { graph, forward, loss: losses[0]!, gradients, given, prediction, parameterIds, layout: layOut(parameters) };
}
