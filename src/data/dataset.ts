// Data as the user gives it, checked: every number finite, every label in range, every count right, with the index of the
// first one that is not. What leaves this room can be put on the GPU as it is.

import { DataError, ShapeError } from "../errors.ts";
import { type DataFormat, dataName, lengthOf, type Stream, type Streams, type WeightStream } from "../graph/stream.ts";
import { size } from "../op/tensor.ts";
import { checkKeys, isRecord } from "../option.ts";
import {
  checkNormalization,
  mergeNormalization,
  type Normalization,
  normalizationOf,
  scalingOf,
} from "./normalization.ts";
import { checkFinite, collect, described, isList, isNestedAs, type Numbers } from "./numbers.ts";
import type { Uploaded } from "./uploaded.ts";

/** Numbers of a model with one input, or of each of several by name. */
export type StreamNumbers = Numbers | { readonly [name: string]: Numbers };

/** Inputs in one piece. Bytes stay bytes on the GPU and are scaled to [0, 1] there; other numbers become f32. */
export interface Inputs extends Normalization {
  /** All samples after one another, each in the shape of the model's input, row-major; or nested arrays of that shape. */
  readonly x: StreamNumbers;
}

/** Inputs with what is to be learnt of them. */
export interface Samples extends Inputs {
  /**
   * For crossEntropy one class number a sample, or for each row of logits, for meanSquaredError a target in the shape of the output.
   * Bytes are labels as they are; where targets are numbers, they are scaled as the bytes of x are. Left out where no loss asks for
   * targets.
   */
  readonly y?: StreamNumbers;
  /**
   * What each sample counts in the mean loss, or each value of a loss: one number a sample, or as many as the loss has values or the
   * first axes of them; by the names of losses where there are several. At least 0, but for losses with `reduction: "count"`. What has
   * weight 0 may be anything. Default: all count the same.
   */
  readonly weight?: StreamNumbers;
}

/** Batches that are made while training goes on, each with at most the trainer's batch size of samples. */
export type Batches = AsyncIterable<Samples> | Iterable<Samples>;
export type Data = Samples | Batches | Uploaded;

/** Numbers as the GPU takes them, padded to whole words. */
export interface PackedStream {
  readonly values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  /** Of one sample; 0 for numbers that all samples share. */
  readonly width: number;
}

/** Samples ready for the GPU. */
export interface Packed {
  readonly count: number;
  readonly format: DataFormat;
  /** By the names of `dataName`. */
  readonly streams: ReadonlyMap<string, PackedStream>;
}

export const isBatches = (data: unknown): data is Batches =>
  typeof data === "object" &&
  data !== null &&
  !ArrayBuffer.isView(data) &&
  (Symbol.asyncIterator in data || Symbol.iterator in data);

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
  const besideBytes = inputs.format.inputs[0]?.bytes === true;
  const targets = byName(place, "y", samples.y, streams.targets).map(({ stream, given, what }) => {
    const values = packY(what, given, inputs.count, stream, besideBytes, normalizationOf(how, stream.name).scale);
    return [dataName("y", stream.name), { values, width: lengthOf(stream) }] as const;
  });
  const weights = packWeights(place, samples.weight, streams.weights, inputs.count);
  return {
    count: inputs.count,
    format: { ...inputs.format, weights: weights.map(({ shape }) => shape) },
    streams: new Map([...inputs.streams, ...targets, ...weights.flatMap(({ entry }) => entry)]),
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
  if (!isInputs) return packX(place, given as StreamNumbers, inputs, defaults, "x");
  checkRecord(place, given, "{ x }");
  return packX(place, (given as Inputs).x, inputs, mergeNormalization(defaults, given as Inputs));
}

function checkRecord(place: string, samples: unknown, form: string): void {
  if (typeof samples !== "object" || samples === null || ArrayBuffer.isView(samples) || isBatches(samples)) {
    throw new DataError(`${place}: the data is ${described(samples)}, where samples are asked for. Give ${form}.`);
  }
  checkKeys(place, "the data", samples, ["x", "y", "weight", "mean", "std", "scale"]);
}

/** The streams with what was given for each: numbers for the only one, or a record with the name of each. */
function byName<S extends Pick<Stream, "name">>(place: string, key: string, given: unknown, streams: readonly S[]) {
  const [first] = streams;
  const of = (stream: S, part: unknown, name: string) => ({
    stream,
    given: part as Numbers,
    what: `${place}: data.${name}`,
  });
  if (first === undefined) return [];
  if (first.name === "") return [of(first, given, key)];
  const names = streams.map(({ name }) => name);
  if (!isRecord(given) || isList(given)) {
    throw new DataError(
      `${place}: data.${key} is ${described(given)}, the model has several by name. Give { ${names.join(", ")} }.`,
    );
  }
  checkKeys(place, `data.${key}`, given, names);
  const record = given as Readonly<Record<string, unknown>>;
  const missing = names.find((name) => !(name in record));
  if (missing !== undefined)
    throw new DataError(`${place}: data.${key}.${missing} is missing. Give { ${names.join(", ")} }.`);
  return streams.map((stream) => of(stream, record[stream.name], `${key}.${stream.name}`));
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
  return { count: first?.count ?? 0, format: { inputs: formats, weights: [] }, streams };
}

function packY(
  what: string,
  y: Numbers,
  count: number,
  stream: Stream,
  besideBytes: boolean,
  scale: boolean | undefined,
): Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  const { shape: target, classes } = stream;
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
  if (classes !== undefined) return wholeNumbers(what, values, classes, "label");
  if (values instanceof Uint8Array) return fromBytes(what, values, besideBytes, scale);
  checkFinite(what, y, collected, () => "");
  return values as Float32Array<ArrayBuffer>;
}

/** Labels, or tokens of an input, each a whole number below `classes`. */
function wholeNumbers(
  what: string,
  values: ArrayLike<number>,
  classes: number,
  word: string,
): Uint32Array<ArrayBuffer> {
  const found = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(Number.isInteger(value) && value >= 0 && value < classes)) {
      throw new DataError(
        `${what}[${i}] is ${value}, the model has classes 0 to ${classes - 1}. Correct the ${word} or ${word === "label" ? "widen the last layer" : "tell compile of more classes"}.`,
      );
    }
    found[i] = value;
  }
  return found;
}

/** For each loss the shape of its weights of one sample, and what goes to the GPU; nothing where the data has none for it. */
function packWeights(place: string, given: unknown, losses: readonly WeightStream[], count: number) {
  if (given === undefined) return [];
  if (losses.length === 0)
    throw new DataError(`${place}: data.weight is given, but the loss brings weights of its own. Leave it out.`);
  const isNamed = losses[0]?.name !== "";
  const isPart = isRecord(given) && !isList(given);
  const asked = isNamed && isPart ? losses.filter(({ name }) => name in given) : losses;
  if (isNamed && isPart)
    checkKeys(
      place,
      "data.weight",
      given,
      losses.map(({ name }) => name),
    );
  const found = new Map(byName(place, "weight", given, asked).map((one) => [one.stream, one]));
  return losses.map((loss) => {
    const one = found.get(loss);
    if (one === undefined) return { shape: undefined, entry: [] };
    const { values: whole, signed, name } = loss;
    const collected = collect(one.what, one.given);
    const axes = [...Array(whole.length + 1).keys()].find(
      (length) => size(whole.slice(0, length)) * count === collected.values.length,
    );
    const shape = whole.slice(0, axes);
    if (axes === undefined || !isNestedAs(collected.shape, shape)) {
      throw new ShapeError(
        `${one.what} ${collected.shape.length > 1 ? `is nested as [${collected.shape}]` : `has ${collected.values.length} values`}, ${count} samples need ${count}, or one for each value of the loss: [${[count, ...whole]}]. Correct its length.`,
      );
    }
    checkFinite(one.what, one.given, collected, () => "");
    const values = Float32Array.from(collected.values);
    const below = signed ? -1 : values.findIndex((value) => value < 0);
    if (below >= 0) {
      throw new DataError(
        `${one.what}[${below}] is ${values[below]}, weights of a mean must be at least 0. Correct it, or give the loss reduction: "count", which divides by the number of values.`,
      );
    }
    return { shape, entry: [[dataName("weight", name), { values, width: size(shape) }] as const] };
  });
}

/** Bytes of targets, scaled on the host as the GPU scales those of x, so that a model can learn to give back its input. */
function fromBytes(
  what: string,
  bytes: Uint8Array,
  besideBytes: boolean,
  scale: boolean | undefined,
): Float32Array<ArrayBuffer> {
  if (scale === undefined && !besideBytes) {
    throw new DataError(
      `${what} is bytes and data.x is not, so they may be counts or parts of 255. Give scale: false or scale: true.`,
    );
  }
  const values = new Float32Array(bytes);
  const factor = scale === false ? 1 : Math.fround(1 / 255);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * factor;
  return values;
}
