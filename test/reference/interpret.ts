// Runs a whole graph on the twins: forward and backward, fused or not.

import { type Graph, madeBy, ownInputs, tensorAt } from "../../src/graph/graph.ts";
import type { StepValues } from "../../src/step/replay.ts";
import { applyFormula } from "./elementwise.ts";
import type { Round } from "./twin.ts";
import { twins } from "./twins.ts";

/** Numbers by tensor id. */
export type Values = ReadonlyMap<number, Float64Array>;

/** One number that is set as soon as it is there. */
export interface Poke {
  readonly tensor: number;
  readonly at: number;
  readonly value: number;
}

/**
 * The value of every tensor of `graph`. `given` holds those that no node makes: parameters, and the data set as numbers
 * (bytes as 0 to 255). Rounds after each operation; what is given must be representable under `round` already.
 */
export function interpret(graph: Graph, given: Values, step: StepValues, round: Round, poke?: Poke): Values {
  const values = new Map(given);
  const numbersOf = (id: number): Float64Array => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`interpret: tensor ${id} "${tensorAt(graph, id).name}" has no value yet.`);
    return value;
  };
  for (const node of graph.nodes) {
    const { name } = node.op;
    const twin = twins[name];
    if (twin === undefined) throw new Error(`interpret: there is no twin for the op "${name}".`);
    const own = ownInputs(node);
    const facts = {
      op: name,
      inputs: own.map((id) => tensorAt(graph, id)),
      outputs: madeBy(graph, node),
      attributes: node.attributes,
    };
    const [first, ...others] = twin(own.map(numbersOf), facts, step, round);
    const set = (place: number, value: Float64Array): void => {
      const id = node.outputs[place] as number;
      values.set(id, id === poke?.tensor ? value.with(poke.at, poke.value) : value);
    };
    const main = node.epilogue.reduce((value, { op, attributes, inputs, shape, kept }) => {
      if (kept !== undefined) set(kept, value);
      const operands = inputs.map((place) => {
        if (place === undefined) return { values: value, shape };
        const id = node.inputs[place] as number;
        return { values: numbersOf(id), shape: tensorAt(graph, id).shape };
      });
      return applyFormula(op.name, operands, shape, round, attributes);
    }, first!);
    for (const [i, value] of [main, ...others].entries()) set(i, value);
  }
  return values;
}
