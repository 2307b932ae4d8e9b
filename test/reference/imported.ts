// A model with given weights in f64: what it makes of given inputs, and what each of its layers makes. For networks that were read.

import { tensorAt } from "../../src/graph/graph.ts";
import { plainFormat } from "../../src/graph/stream.ts";
import { trace } from "../../src/graph/trace.ts";
import { crossEntropy } from "../../src/model/loss.ts";
import { gather } from "../../src/op/gather.ts";
import { gatherWords } from "../../src/op/gather-words.ts";
import type { Model } from "../../src/op/layer.ts";
import { size } from "../../src/op/tensor.ts";
import { elementwise, formulas } from "./elementwise.ts";
import { interpret } from "./interpret.ts";
import { exact, type Round } from "./twin.ts";
import { twins } from "./twins.ts";

/** Numbers with their shape, the batch first. */
export interface Shaped {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Of whole numbers: how many there may be. */
  readonly classes?: number;
}

export interface Imported {
  /** Outputs by name; one alone has the empty name. */
  readonly outputs: ReadonlyMap<string, Shaped>;
  /** What each layer made, by its path: the last time that it was used. */
  readonly layers: ReadonlyMap<string, Shaped>;
  /** Tensors of the model to which no weight was given. */
  readonly missing: readonly string[];
}

type Weights = ReadonlyMap<string, { readonly data: ArrayLike<number> }>;

/** Runs a model on inputs by name; "" is the name of the only one. */
export function runImported(
  model: Model,
  given: Readonly<Record<string, Shaped>>,
  weights: Weights,
  round: Round = exact,
): Imported {
  const inputs = Object.entries(given).map(([name, { shape, classes }]) => ({
    name,
    shape: shape.slice(1),
    ...(classes !== undefined && { classes }),
  }));
  const batch = Object.values(given)[0]?.shape[0] as number;
  const traced = trace(model, { inputs, batch, format: plainFormat(inputs), loss: crossEntropy(), mode: "predict" });
  const { graph } = traced;
  const values = new Map<number, Float64Array>();
  const missing: string[] = [];
  for (const { id, name, shape, role } of graph.tensors) {
    if (role === "parameter" || role === "state") {
      const numbers = weights.get(name)?.data;
      if (numbers === undefined) missing.push(name);
      else if (numbers.length !== size(shape))
        throw new Error(`"${name}" has ${numbers.length} numbers, [${shape}] is needed.`);
      values.set(id, Float64Array.from(numbers ?? new Float64Array(size(shape))));
    }
    const input = name === "input" ? given[""] : given[name.replace(/^input\./, "")];
    if (input !== undefined && name.startsWith("input")) values.set(id, Float64Array.from(input.values));
  }
  const nodes = graph.nodes.filter(({ op }) => op.name !== gather.name && op.name !== gatherWords.name);
  const made = interpret({ ...graph, nodes }, values, { step: 1, start: 0, count: batch }, round);
  const shaped = (id: number): Shaped => ({ shape: tensorAt(graph, id).shape, values: made.get(id) as Float64Array });
  return {
    outputs: new Map(traced.outputs.map(({ name, id }) => [name, shaped(id)])),
    layers: new Map(traced.layers.map(({ path, output }) => [path, shaped(output)])),
    missing,
  };
}

/** Twins of ops that a reader brings with it. */
export function addFormulas(more: typeof formulas): void {
  Object.assign(formulas as Record<string, unknown>, more);
  Object.assign(
    twins as Record<string, unknown>,
    Object.fromEntries(Object.keys(more).map((name) => [name, elementwise])),
  );
}
