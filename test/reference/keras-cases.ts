// Small models as TensorFlow.js saves them, with what it makes of an input: test/golden/keras.json.

import golden from "../golden/keras.json" with { type: "json" };
import { addFormulas } from "./add-formulas.ts";
import type { Given } from "./run-model.ts";

export interface KerasCase {
  readonly json: { readonly modelTopology: Record<string, unknown>; readonly weightsManifest: readonly Manifest[] };
  /** In base64. */
  readonly weights: string;
  readonly inputs: readonly Named[];
  readonly outputs: readonly Named[];
}

interface Manifest {
  readonly paths: readonly string[];
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[];
}

interface Named {
  readonly name: string;
  /** The batch first. */
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly classes?: number;
}

export const kerasCases = golden as unknown as Readonly<
  Record<
    "convolutions" | "pools" | "norms" | "activations" | "sequence" | "gates" | "merges" | "models" | "chain",
    KerasCase
  >
>;

/** A copy that may be changed, of JSON and bytes. */
export const sourceOf = ({ json, weights }: KerasCase) => ({
  // biome-ignore lint/suspicious/noExplicitAny: tests change whatever stands in it.
  json: structuredClone(json) as any,
  weights: new Uint8Array(Buffer.from(weights, "base64")),
});

/** Inputs by the names that the model has for them. */
export const inputsOf = ({ inputs }: KerasCase): ReadonlyMap<string, Given> =>
  new Map(
    inputs.map(({ name, shape, values: data, classes }) => [
      inputs.length === 1 ? "" : name,
      { shape: shape.slice(1), data, classes },
    ]),
  );

addFormulas({
  line: (round, x, _, __, { factor, offset }) =>
    round(round(Math.fround(factor as number) * x) + Math.fround(offset as number)),
  softsign: (round, x) => round(x / round(1 + Math.abs(x))),
  softsignBackward: (round, dz, x) => round(dz / round(round(1 + Math.abs(x)) * round(1 + Math.abs(x)))),
});
