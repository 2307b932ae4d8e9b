// Samples, checked and brought into their form for the GPU: every number finite, every label in range, every count right, with the
// index of the first one that is not. What leaves this room can be put on the GPU as it is.

import { DataError, ShapeError } from "../errors.ts";
import { type ByteTarget, type DataFormat, dataName, lengthOf, type Stream, type Streams } from "../graph/stream.ts";
import { isRecord } from "../option.ts";
import { byName, checkRecord } from "./by-name.ts";
import type { Inputs, Packed, PackedStream, Samples, StreamNumbers } from "./dataset.ts";
import {
  checkNormalization,
  mergeNormalization,
  type Normalization,
  normalizationOf,
  scalingOf,
} from "./normalization.ts";
import { checkFinite, collect, isList, isNestedAs, type Numbers } from "./numbers.ts";
import { packWeights } from "./weights.ts";

/** Checks samples with their targets and weights, and brings them into their form for the GPU. */
export function pack(place: string, samples: Samples, streams: Streams, defaults: Normalization = {}): Packed {
  checkRecord(place, samples, "{ x, y }");
  const missing = [...["x"], ...(streams.targets.length > 0 ? ["y"] : [])].find((key) => !(key in samples));
  if (missing !== undefined) {
    throw new DataError(
      `${place}: data.${missing} is missing. Give { x, y } with numbers, and a label or target for each sample.`,
    );
  }
  const how = mergeNormalization(defaults, samples);
  checkNormalization(place, how, [...streams.inputs, ...streams.targets]);
  const inputs = packX(place, samples.x, streams.inputs, how);
  const besideBytes = inputs.format.inputs.some(({ bytes }) => bytes);
  const bytes: ByteTarget[] = [];
  const targets = byName(place, "y", samples.y, streams.targets).map(({ stream, given, what }) => {
    const values = packY(what, given, inputs.count, stream);
    const { name } = stream;
    if (values instanceof Uint8Array) {
      bytes.push({ name, factor: factorOf(what, besideBytes, normalizationOf(how, name).scale) });
    }
    return [dataName("y", name), { values, width: lengthOf(stream) }] as const;
  });
  const weights = packWeights(place, samples.weight, streams.weights, inputs.count);
  return {
    count: inputs.count,
    format: { ...inputs.format, targets: bytes, weights: weights.map(({ name, shape }) => ({ name, shape })) },
    streams: new Map([
      ...inputs.streams,
      ...targets,
      ...weights.map(({ name, packed }) => [dataName("weight", name), packed] as const),
    ]),
  };
}

/** The same for one batch, which has at most `most` samples. */
export function packBatch(
  place: string,
  samples: Samples,
  streams: Streams,
  most: number,
  defaults?: Normalization,
): Packed {
  const packed = pack(place, samples, streams, defaults);
  if (packed.count <= most) return packed;
  throw new ShapeError(`${place}: a batch has ${packed.count} samples, compile was told ${most}. Split it.`);
}

/** The same for prediction: numbers alone, or samples, whose y is not asked for. */
export function packInputs(
  place: string,
  given: StreamNumbers | Inputs,
  { inputs }: Pick<Streams, "inputs">,
  defaults: Normalization = {},
): Packed {
  const isNamed = inputs[0]?.name !== "";
  const isInputs =
    isRecord(given) && !isList(given) && "x" in given && (!isNamed || !inputs.every(({ name }) => name in given));
  if (isInputs) checkRecord(place, given, "{ x }");
  const how = isInputs ? mergeNormalization(defaults, given as Inputs) : defaults;
  checkNormalization(place, how, inputs);
  const [x, alone] = isInputs ? [(given as Inputs).x] : [given as StreamNumbers, "x"];
  return packX(place, x, inputs, how, alone);
}

function packX(
  place: string,
  x: StreamNumbers,
  inputs: readonly Stream[],
  how: Normalization,
  alone = "data.x",
): Packed {
  const streams = new Map<string, PackedStream>();
  const formats: DataFormat["inputs"][number][] = [];
  let first: { readonly count: number; readonly name: string } | undefined;
  for (const { stream, given, what } of byName(place, "x", x, inputs)) {
    const { name, shape: input, classes } = stream;
    const said = name === "" ? `${place}: ${alone}` : what;
    const features = lengthOf(stream);
    const inSample = (i: number): string => `, in sample ${Math.floor(i / features)}`;
    const collected = collect(said, given, classes === undefined ? Float32Array : Float64Array, inSample);
    const { shape, values } = collected;
    if (values.length === 0) throw new DataError(`${place}: the data is empty. Give at least one sample.`);
    if (!isNestedAs(shape, input)) {
      throw new ShapeError(
        `${said} is nested as [${shape}], samples of the model's input are [${input}]. Give [count, ${input}], or one flat array.`,
      );
    }
    if (values.length % features !== 0) {
      throw new ShapeError(
        `${said} has ${values.length} numbers, which is no multiple of the model's input of ${features}. Check the input shape.`,
      );
    }
    const count = values.length / features;
    first ??= { count, name };
    if (count !== first.count) {
      throw new ShapeError(
        `${said} has ${count} samples, ${dataName("x", first.name)} has ${first.count}. Give as many of each.`,
      );
    }
    if (classes !== undefined) {
      streams.set(dataName("x", name), { values: wholeNumbers(said, values, classes, "token"), width: features });
      formats.push({ bytes: false, period: 0 });
      continue;
    }
    checkFinite(said, given, collected, inSample);
    const bytes = values instanceof Uint8Array;
    const { period, norm } = scalingOf(place, normalizationOf(how, name), bytes, input.at(-1) ?? 1);
    streams.set(dataName("x", name), {
      values: bytes ? new Uint8Array(values.buffer as ArrayBuffer) : (values as Float32Array<ArrayBuffer>),
      width: features,
    });
    if (period > 0) streams.set(dataName("norm", name), { values: norm, width: 0 });
    formats.push({ bytes, period });
  }
  return { count: first?.count ?? 0, format: { inputs: formats, targets: [], weights: [] }, streams };
}

function packY(what: string, y: Numbers, count: number, stream: Stream): PackedStream["values"] {
  const { shape: target, classes, ignored } = stream;
  const targets = lengthOf(stream);
  const collected = collect(what, y, classes === undefined ? Float32Array : Float64Array);
  const { values, shape } = collected;
  if (values.length !== count * targets || !isNestedAs(shape, target)) {
    const isNested = shape.length > 1;
    const needed = isNested ? `[${[count, ...target]}]` : count * targets;
    const advice =
      classes !== undefined && values.length === count * targets * classes
        ? "Rows of one-hot labels are not taken: give one class number a sample, such as y.map((row) => row.indexOf(1))."
        : "Correct its length.";
    throw new ShapeError(
      `${what} ${isNested ? `is nested as [${shape}]` : `has ${values.length} values`}, ${count} samples with ${targets} each need ${needed}. ${advice}`,
    );
  }
  if (classes !== undefined) return wholeNumbers(what, values, classes, "label", ignored);
  if (values instanceof Uint8Array) return new Uint8Array(values.buffer as ArrayBuffer);
  checkFinite(what, y, collected, () => "");
  return values as Float32Array<ArrayBuffer>;
}

/** Labels, or tokens of an input, each a whole number below `classes`. */
function wholeNumbers(
  what: string,
  values: ArrayLike<number>,
  classes: number,
  word: string,
  ignored?: number,
): Uint32Array<ArrayBuffer> {
  const found = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(Number.isInteger(value) && value >= 0 && value < classes) && value !== ignored) {
      throw new DataError(
        `${what}[${i}] is ${value}, the model has classes 0 to ${classes - 1}. Correct the ${word} or ${word === "label" ? "widen the last layer" : "tell compile of more classes"}.`,
      );
    }
    found[i] = value;
  }
  return found;
}

/** What a byte of targets counts: as much as one of x, so that a model can learn to give back its input. */
function factorOf(what: string, besideBytes: boolean, scale: boolean | undefined): number {
  if (scale === undefined && !besideBytes) {
    throw new DataError(
      `${what} is bytes and data.x is not, so they may be counts or parts of 255. Give scale: false or scale: true.`,
    );
  }
  return scale === false ? 1 : Math.fround(1 / 255);
}
