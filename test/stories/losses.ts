// The golden losses, and a model whose output is whatever it is given, so that gradients by the output are those of a weight.

import {
  binaryCrossEntropy,
  crossEntropy,
  functional,
  huber,
  klDivergence,
  type Layer,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  ops,
  type Value,
} from "../../src/index.ts";
import golden from "../golden/losses.json";

export const losses = {
  meanSquaredError,
  meanAbsoluteError,
  huber,
  binaryCrossEntropy,
  klDivergence,
  crossEntropy,
} satisfies Readonly<Record<string, (options: object) => Loss>>;

const inputs = golden.inputs as unknown as Readonly<Record<string, number[][]>>;

const shapeOf = (values: unknown): number[] => (Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : []);

/** What PyTorch has of a loss. */
export const casesOf = (name: string) =>
  golden.cases
    .filter(({ loss }) => loss === name)
    .map(({ options, output, target, weighted, value, gradient }) => ({
      ...{ options: options as object, value, gradient },
      output: inputs[output]!,
      target: inputs[target]!,
      shape: shapeOf(inputs[output]),
      weight: weighted ? golden.weight : undefined,
      title: `[${shapeOf(inputs[output])}] ${JSON.stringify(options)}${weighted ? ", weighted" : ""}`,
    }));

/** x + weight, which begins at 0, for a batch of this shape. */
export const asOutput = (shape: readonly number[]): Layer =>
  functional((x: Value, { scope }) => scope.op(ops.add, { x, y: scope.parameter("weight", shape, "zeros") }).z);

/** The same for two outputs, a and b. */
export const asPair = (shape: readonly number[]) =>
  functional(({ a, b }: { readonly a: Value; readonly b: Value }, { scope }) => {
    const shifted = (x: Value, name: string): Value =>
      scope.op(ops.add, { x, y: scope.parameter(name, shape, "zeros") }).z;
    return { a: shifted(a, "a"), b: shifted(b, "b") };
  });

/** What PyTorch has of infoNCE. */
export const pairs = golden.pairs.map(({ temperature, outputs, weighted, value, gradients }) => ({
  ...{ temperature, value, gradients, weight: weighted ? golden.weight : undefined },
  outputs: outputs as [number[][], number[][]],
  title: `temperature ${temperature}${weighted ? ", weighted" : ""}`,
}));
