// Random models: a few drawn numbers become a graph in which layers share weights, branch, join and follow one another.

import fc from "fast-check";
import { functional, type Layer, sequential, type Value } from "../../src/index.ts";

export interface Step {
  readonly kind: number;
  /** Which of the values so far it works on, and which one it adds. */
  readonly left: number;
  readonly right: number;
  /** The name that it shares its weights under. */
  readonly shared: number;
}

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ kind: fc.nat(9), left: fc.nat(9), right: fc.nat(9), shared: fc.nat(3) }),
  { minLength: 1, maxLength: 10 },
);

/** Each step turns one or two of the values so far into another of the same shape: by a layer, or by adding. */
export const modelOf = (drawn: readonly Step[], layers: readonly Layer[], end: readonly Layer[]): Layer =>
  functional((x, { use, add }) => {
    const values: Value[] = [x];
    for (const [i, { kind, left, right, shared }] of drawn.entries()) {
      const [a, b] = [left, right].map((at) => values[at % values.length]) as [Value, Value];
      const choice = kind % (layers.length + 1);
      const name = shared > 1 ? `layer${i}` : `shared${shared}-${choice}`;
      const layer = layers[choice];
      values.push(layer === undefined ? add(a, b) : use(name, layer, a));
    }
    return use("end", sequential(end), values.at(-1) as Value);
  });
