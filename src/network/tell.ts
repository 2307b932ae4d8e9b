// Predictions as people ask for them: probabilities, or the class that has most. On the host: they are few beside what made them.

import { OptionError, ShapeError } from "../errors.ts";
import { checkName, checkSwitches, shown } from "../option.ts";
import type { HostTensor } from "../step/store.ts";

interface Telling {
  readonly activation?: "softmax" | "sigmoid" | undefined;
  readonly argmax?: boolean | undefined;
}

/** What makes of an output what was asked for. `shape` is that of one sample. Throws OptionError and ShapeError where it cannot be. */
export function tellingOf(
  place: string,
  { activation, argmax = false }: Telling,
  shape: readonly number[],
): (output: HostTensor) => HostTensor {
  if (activation !== undefined) checkName(place, "activation", activation, ["softmax", "sigmoid"]);
  checkSwitches(place, { argmax });
  if (argmax && activation !== undefined) {
    throw new OptionError(
      `${place}: activation is ${shown(activation)} and argmax is true, but the largest is the same before and after. Give one of them.`,
    );
  }
  const classes = shape.at(-1) ?? 1;
  if ((argmax || activation === "softmax") && classes < 2) {
    throw new ShapeError(
      `${place}: ${argmax ? "argmax" : "softmax"} asks for 2 classes or more, a sample of the output is [${shape}]. ${argmax ? "Compare it with a number." : 'Use activation: "sigmoid".'}`,
    );
  }
  if (argmax) return (output) => ({ shape: output.shape.slice(0, -1), data: byRow(output, classes, 1, largestOf) });
  if (activation === undefined) return (output) => output;
  const of = activation === "softmax" ? softmaxOf : (row: Float32Array) => row.map((z) => 1 / (1 + Math.exp(-z)));
  return (output) => ({ ...output, data: byRow(output, classes, classes, of) });
}

/** The rows of a tensor, each turned into `width` numbers. */
function byRow(
  { data }: HostTensor,
  length: number,
  width: number,
  of: (row: Float32Array) => ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  const made = new Float32Array((data.length / length) * width);
  for (let row = 0; row < data.length / length; row++) {
    made.set(of(data.subarray(row * length, (row + 1) * length)), row * width);
  }
  return made;
}

/** A row that holds NaN has no largest. */
function largestOf(row: Float32Array): [number] {
  let at = 0;
  for (const [i, value] of row.entries()) {
    if (Number.isNaN(value)) return [Number.NaN];
    if (value > (row[at] as number)) at = i;
  }
  return [at];
}

function softmaxOf(row: Float32Array): number[] {
  const largest = row.reduce((a, b) => Math.max(a, b));
  const powers = Array.from(row, (z) => Math.exp(z - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
