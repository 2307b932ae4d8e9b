// Gradients two ways in f64: by the graph's own backward pass, and by central differences of the forward pass.

import type { Graph } from "../../src/graph/graph.ts";
import type { StepValues } from "../../src/step/replay.ts";
import { interpret, type Values } from "./interpret.ts";
import { exact } from "./twin.ts";

/** A differentiated graph with numbers for all that it is given. */
export interface Differentiated {
  /** Forward and backward. */
  readonly graph: Graph;
  /** The forward nodes alone. */
  readonly forward: Graph;
  /** Tensor ids: of the loss rows, and of the gradient of each parameter. */
  readonly loss: number;
  readonly gradients: ReadonlyMap<number, number>;
  readonly given: Values;
}

/** The change of a number, relative to its size, from which a difference is formed. */
const CHANGE = 1e-5;

/** Mean loss over the rows of the step. */
export function meanLoss(values: Values, loss: number, { count }: StepValues): number {
  return values.get(loss)!.reduce((sum, value, i) => (i % 2 === 0 ? sum + value / count : sum), 0);
}

/** For each parameter, the largest error of its gradient, relative to the largest number in it. */
export function gradientErrors(given: Differentiated, step: StepValues): { parameter: string; error: number }[] {
  const { graph, forward, loss, gradients } = given;
  const values = interpret(graph, given.given, step, exact);
  return [...gradients].map(([parameter, gradient]) => {
    const analytic = values.get(gradient)!;
    const start = given.given.get(parameter)!;
    const numeric = start.map((value, i) => {
      const change = CHANGE * Math.max(1, Math.abs(value));
      const lossAt = (moved: number): number => {
        const changed = new Map(given.given).set(parameter, start.with(i, moved));
        return meanLoss(interpret(forward, changed, step, exact), loss, step);
      };
      return (lossAt(value + change) - lossAt(value - change)) / (value + change - (value - change));
    });
    const worst = largest(difference(numeric, analytic));
    // What nothing depends on has a gradient of 0 in both ways.
    return { parameter: graph.tensors[parameter]!.name, error: worst === 0 ? 0 : worst / largest(numeric) };
  });
}

export const largest = (values: Float64Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

export function difference(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length !== b.length) throw new Error(`There are ${a.length} numbers on one side and ${b.length} on the other.`);
  return a.map((x, i) => x - b[i]!);
}
