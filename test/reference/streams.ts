// Streams of a model with one input and one output, and samples of it as they were packed, for tests that look at numbers alone.

import type { Packed } from "../../src/data/dataset.ts";
import * as data from "../../src/data/pack.ts";
import type { Stream, Streams } from "../../src/graph/stream.ts";

/** The only input of a model. */
export const alone = (shape: readonly number[]): readonly Stream[] => [{ name: "", shape }];

/** What a model asks of its data that makes `output` of one sample of shape `input`, and learns labels or numbers. */
export const demandOf = (input: readonly number[], output: readonly number[], labels: boolean): Streams => ({
  inputs: alone(input),
  targets: [labels ? { name: "", shape: [], classes: output.at(-1) as number } : { name: "", shape: output }],
  weights: [{ name: "", values: labels ? [] : output, signed: false }],
});

const flat = ({ count, format, streams }: Packed) => {
  const of = (name: string) => streams.get(`data.${name}`)?.values;
  return {
    count,
    format: format.inputs[0]!,
    targets: format.targets,
    x: of("x") as Float32Array<ArrayBuffer>,
    y: of("y") as Float32Array<ArrayBuffer>,
    norm: (of("norm") ?? new Float32Array(0)) as Float32Array<ArrayBuffer>,
  };
};

export const pack = (...given: Parameters<typeof data.pack>) => flat(data.pack(...given));
export const packBatch = (...given: Parameters<typeof data.packBatch>) => flat(data.packBatch(...given));
export const packInputs = (...given: Parameters<typeof data.packInputs>) => flat(data.packInputs(...given));
