// Ops on the f64 twins against PyTorch: values, and the gradients that `differentiate` finds.

import { expect } from "vitest";
import { differentiate } from "../../src/graph/backward.ts";
import { addTensor, emit, type Graph } from "../../src/graph/graph.ts";
import type { Attributes } from "../../src/op/op.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { difference, largest } from "./gradient.ts";
import { interpret } from "./interpret.ts";
import { opNamed } from "./ops.ts";
import { exact } from "./twin.ts";

/** Numbers with the gradient that came for them, or that was given. */
export interface GoldenNumbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly gradient: readonly number[];
}

type Named<T> = { readonly [name: string]: T };

/** Asks for an op by name; gives its outputs. */
export type Make = (op: string, inputs: Named<Tensor>, attributes?: Attributes) => Named<Tensor>;

/** Errors relative to the largest number. */
export interface Bounds {
  readonly values: number;
  readonly gradients: number;
}

/** Holds what `build` makes of inputs against the outputs, and the gradients of the sum of each output times the one it was given. */
export function expectGolden(
  inputs: Named<GoldenNumbers>,
  outputs: Named<GoldenNumbers>,
  build: (make: Make, inputs: Named<Tensor>) => Named<Tensor>,
  bounds: Bounds,
): void {
  const graph: Graph = { tensors: [], nodes: [] };
  const given = new Map<number, Float64Array>();
  const add = (shape: readonly number[], values: readonly number[], role: "parameter" | "data"): Tensor => {
    const tensor = addTensor(graph, { name: role, shape, dtype: "f32", role });
    given.set(tensor.id, Float64Array.from(values));
    return tensor;
  };
  const make: Make = (op, from, attributes = {}) => emit(graph, opNamed(op), from, attributes);
  const wanted = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, values }]) => [name, add(shape, values, "parameter")]),
  );
  const made = build(make, wanted);
  // The gradient of mean((y - t)^2) is what was given for y where t is y less half of that, so many times.
  const losses = Object.entries(outputs).map(([name, { shape, values, gradient }]) => {
    expect(made[name]!.shape).toEqual(shape);
    const target = values.map((value, i) => value - (gradient[i]! * size(shape)) / 2);
    const named = { prediction: made[name]!, target: add(shape, target, "data") };
    return make("meanSquaredError", named, { gradient: true }).rows!.id;
  });
  const gradients = differentiate(graph, losses, new Set(Object.values(wanted).map(({ id }) => id)));
  const batch = Object.values(outputs)[0]!.shape[0]!;
  const values = interpret(graph, given, { step: 1, start: 0, count: batch }, exact);
  /** What nothing depends on is 0 on both sides. */
  const error = (id: number, expected: readonly number[]): number => {
    const worst = largest(difference(values.get(id)!, Float64Array.from(expected)));
    return worst === 0 ? 0 : worst / largest(Float64Array.from(expected));
  };
  for (const [name, expected] of Object.entries(outputs))
    expect(error(made[name]!.id, expected.values), name).toBeLessThan(bounds.values);
  for (const [name, { gradient }] of Object.entries(inputs))
    expect(error(gradients.get(wanted[name]!.id)!, gradient), `gradient of ${name}`).toBeLessThan(bounds.gradients);
}
