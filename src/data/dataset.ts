// Data as the user gives it, checked: every number finite, every label in range, every count right, with the index of the
// first one that is not. What leaves this room can be put on the GPU as it is.

import { DataError, ShapeError } from "../errors.ts";
import type { DataFormat } from "../graph/trace.ts";
import { size } from "../op/tensor.ts";
import { checkKeys } from "../option.ts";
import { mergeNormalization, type Normalization, scalingOf } from "./normalization.ts";
import { checkFinite, collect, described, isList, isNestedAs, type Numbers } from "./numbers.ts";
import type { Uploaded } from "./uploaded.ts";

/** Inputs in one piece. Bytes stay bytes on the GPU and are scaled to [0, 1] there; other numbers become f32. */
export interface Inputs extends Normalization {
  /** All samples after one another, each in the shape of the model's input, row-major; or nested arrays of that shape. */
  readonly x: Numbers;
}

/** Inputs with what is to be learnt of them. */
export interface Samples extends Inputs {
  /**
   * For crossEntropy one class number a sample, for meanSquaredError a target in the shape of the output. Bytes are labels
   * as they are; where targets are numbers, they are scaled as the bytes of x are.
   */
  readonly y: Numbers;
}

/** Batches that are made while training goes on, each with at most the trainer's batch size of samples. */
export type Batches = AsyncIterable<Samples> | Iterable<Samples>;
export type Data = Samples | Batches | Uploaded;

/** What the model asks of its data. */
export interface Demand {
  /** Shape of one sample; the last axis holds its channels. */
  readonly input: readonly number[];
  /** Shape of one target; [] for a label. */
  readonly target: readonly number[];
  /** Numbers in one sample. */
  readonly features: number;
  /** Words in one label or target. */
  readonly targets: number;
  /** Number of classes; absent where targets are numbers. */
  readonly classes: number | undefined;
}

/** What a model asks that makes `output` of one sample of shape `input`. */
export function demandOf(input: readonly number[], output: readonly number[], integerTarget: boolean): Demand {
  const target = integerTarget ? [] : output;
  const classes = integerTarget ? size(output) : undefined;
  return { input, target, features: size(input), targets: size(target), classes };
}

/** Samples ready for the GPU. */
export interface Packed {
  readonly count: number;
  readonly format: DataFormat;
  /** [count, features] as bytes or f32, padded to whole words. */
  readonly x: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** [count, targets] as u32 or f32. */
  readonly y: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** [2, format.period]: what x is scaled by, and what is added then. */
  readonly norm: Float32Array<ArrayBuffer>;
}

export const isBatches = (data: unknown): data is Batches =>
  typeof data === "object" &&
  data !== null &&
  !ArrayBuffer.isView(data) &&
  (Symbol.asyncIterator in data || Symbol.iterator in data);

/** Checks samples with their labels or targets, and brings them into their form for the GPU. */
export function pack(place: string, samples: Samples, demand: Demand, defaults: Normalization = {}): Packed {
  checkRecord(place, samples, "{ x, y }");
  const missing = ["x", "y"].find((key) => !(key in samples));
  if (missing !== undefined) {
    throw new DataError(
      `${place}: data.${missing} is missing. Give { x, y } with numbers, and a label or target for each sample.`,
    );
  }
  const how = mergeNormalization(defaults, samples);
  const inputs = packX(place, samples.x, demand, how);
  return { ...inputs, y: packY(place, samples.y, inputs, demand, how) };
}

/** The same for one batch, which has at most `most` samples. */
export function packBatch(
  place: string,
  samples: Samples,
  demand: Demand,
  most: number,
  defaults?: Normalization,
): Packed {
  const packed = pack(place, samples, demand, defaults);
  if (packed.count <= most) return packed;
  throw new ShapeError(`${place}: a batch has ${packed.count} samples, compile was told ${most}. Split it.`);
}

/** The same for prediction: numbers alone, or samples, whose y is not asked for. */
export function packInputs(
  place: string,
  given: Numbers | Inputs,
  demand: Demand,
  defaults: Normalization = {},
): Packed {
  const isInputs = typeof given === "object" && given !== null && !isList(given) && "x" in given;
  if (!isInputs) return packX(place, given as Numbers, demand, defaults, "x");
  checkRecord(place, given, "{ x }");
  return packX(place, given.x, demand, mergeNormalization(defaults, given));
}

function checkRecord(place: string, samples: unknown, form: string): void {
  if (typeof samples !== "object" || samples === null || ArrayBuffer.isView(samples) || isBatches(samples)) {
    throw new DataError(`${place}: the data is ${described(samples)}, where samples are asked for. Give ${form}.`);
  }
  checkKeys(place, "the data", samples, ["x", "y", "mean", "std", "scale"]);
}

function packX(place: string, x: Numbers, demand: Demand, how: Normalization, name = "data.x"): Packed {
  const { features, input } = demand;
  const what = `${place}: ${name}`;
  const inSample = (i: number): string => `, in sample ${Math.floor(i / features)}`;
  const collected = collect(what, x, Float32Array, inSample);
  const { shape } = collected;
  const values = collected.values as Packed["x"];
  if (values.length === 0) throw new DataError(`${place}: the data is empty. Give at least one sample.`);
  if (!isNestedAs(shape, input)) {
    throw new ShapeError(
      `${what} is nested as [${shape}], samples of the model's input are [${input}]. Give [count, ${input}], or one flat array.`,
    );
  }
  if (values.length % features !== 0) {
    throw new ShapeError(
      `${what} has ${values.length} numbers, which is no multiple of the model's input of ${features}. Check the input shape.`,
    );
  }
  checkFinite(what, x, collected, inSample);
  const bytes = values instanceof Uint8Array;
  const { period, norm } = scalingOf(place, how, bytes, input.at(-1) ?? 1);
  return {
    count: values.length / features,
    format: { bytes, period },
    x: bytes ? new Uint8Array(values.buffer) : values,
    y: new Uint32Array(1),
    norm,
  };
}

function packY(place: string, y: Numbers, inputs: Packed, demand: Demand, { scale }: Normalization): Packed["y"] {
  const { targets, target, classes } = demand;
  const { count } = inputs;
  const what = `${place}: data.y`;
  const collected = collect(what, y, classes === undefined ? Float32Array : Float64Array);
  const { values, shape } = collected;
  if (values.length !== count * targets || !isNestedAs(shape, target)) {
    const isNested = shape.length > 1;
    const needed = isNested ? `[${[count, ...target]}]` : count * targets;
    const advice =
      classes !== undefined && values.length === count * classes
        ? "Rows of one-hot labels are not taken: give one class number a sample, such as y.map((row) => row.indexOf(1))."
        : "Correct its length.";
    throw new ShapeError(
      `${what} ${isNested ? `is nested as [${shape}]` : `has ${values.length} values`}, ${count} samples with ${targets} each need ${needed}. ${advice}`,
    );
  }
  if (classes === undefined) {
    if (values instanceof Uint8Array) return fromBytes(what, values, inputs.format.bytes, scale);
    checkFinite(what, y, collected, () => "");
    return values as Float32Array<ArrayBuffer>;
  }
  for (const [i, label] of values.entries()) {
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new DataError(
        `${what}[${i}] is ${label}, the model has classes 0 to ${classes - 1}. Correct the label or widen the last layer.`,
      );
    }
  }
  return Uint32Array.from(values);
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
