// Data as the user gives it, checked: every number finite, every label in range, every count right, with the index of the
// first one that is not. What leaves this room can be put on the GPU as it is.

import { DataError, OptionError, ShapeError } from "../errors.ts";
import type { DataFormat } from "../graph/trace.ts";

export type Numbers = ArrayLike<number>;

/** Samples in one piece. Bytes stay bytes on the GPU and are scaled to [0, 1] there; other numbers become f32. */
export interface Samples {
  /** All samples after one another, each in the shape of the model's input, row-major. */
  readonly x: Numbers;
  /** For crossEntropy one class number a sample, for meanSquaredError a target in the shape of the output. */
  readonly y: Numbers;
  /** Subtracted, after bytes were scaled to [0, 1]; the result is divided by `std`. Default 0 and 1. */
  readonly mean?: number;
  readonly std?: number;
}

/** Batches that are made while training goes on, each with at most the trainer's batch size of samples. */
export type Batches = AsyncIterable<Samples> | Iterable<Samples>;
export type Data = Samples | Batches;

/** What the model asks of its data. */
export interface Demand {
  /** Numbers in one sample. */
  readonly features: number;
  /** Words in one label or target. */
  readonly targets: number;
  /** Number of classes; absent where targets are numbers. */
  readonly classes: number | undefined;
}

/** Samples ready for the GPU. */
export interface Packed {
  readonly count: number;
  readonly format: DataFormat;
  /** [count, features] as bytes or f32, padded to whole words. */
  readonly x: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** [count, targets] as u32 or f32. */
  readonly y: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

export const isBatches = (data: Data): data is Batches =>
  typeof data === "object" && data !== null && (Symbol.asyncIterator in data || Symbol.iterator in data);

/** Checks samples with their labels or targets, and brings them into their form for the GPU. */
export function pack(place: string, samples: Samples, demand: Demand): Packed {
  const inputs = packInputs(place, samples, demand);
  if (typeof samples.y?.length !== "number") {
    throw new DataError(`${place}: data.y is missing. Give { x, y } with a label or target for each sample.`);
  }
  return { ...inputs, y: packY(place, samples.y, inputs.count, demand) };
}

/** The same for prediction, where there is no `y`. */
export function packInputs(place: string, samples: Omit<Samples, "y">, demand: Demand): Packed {
  const x = samples?.x;
  if (typeof x?.length !== "number") {
    throw new DataError(`${place}: data.x is missing. Give { x, y } with arrays of numbers, or an iterable of those.`);
  }
  if (x.length === 0) throw new DataError(`${place}: the data is empty. Give at least one sample.`);
  if (x.length % demand.features !== 0) {
    throw new ShapeError(
      `${place}: data.x has ${x.length} numbers, which is no multiple of the model's input of ${demand.features}. Check the input shape.`,
    );
  }
  const count = x.length / demand.features;
  return { count, format: formatOf(place, samples), x: packX(place, x, demand), y: new Uint32Array(1) };
}

function formatOf(place: string, { x, mean = 0, std = 1 }: Omit<Samples, "y">): DataFormat {
  if (!(Number.isFinite(mean) && Number.isFinite(std) && std > 0)) {
    throw new OptionError(`${place}: mean is ${mean} and std is ${std}. Both must be finite, and std above 0.`);
  }
  const bytes = isBytes(x);
  return { bytes, scale: 1 / (bytes ? 255 * std : std), shift: mean === 0 ? 0 : -mean / std };
}

const isBytes = (x: Numbers): x is Uint8Array | Uint8ClampedArray =>
  x instanceof Uint8Array || x instanceof Uint8ClampedArray;

function packX(place: string, x: Numbers, { features }: Demand): Packed["x"] {
  if (isBytes(x)) {
    const padded = new Uint8Array(Math.ceil(x.length / 4) * 4);
    padded.set(x);
    return padded;
  }
  const values = Float32Array.from(x);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new DataError(
      `${place}: data.x[${bad}] is ${x[bad]}, in sample ${Math.floor(bad / features)}. Every number must be finite in f32.`,
    );
  }
  return values;
}

function packY(place: string, y: Numbers, count: number, { targets, classes }: Demand): Packed["y"] {
  if (y.length !== count * targets) {
    throw new ShapeError(
      `${place}: data.y has ${y.length} values, ${count} samples with ${targets} each need ${count * targets}. Correct its length.`,
    );
  }
  if (classes === undefined) {
    const values = Float32Array.from(y);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) return values;
    throw new DataError(`${place}: data.y[${bad}] is ${y[bad]}. Every number must be finite in f32.`);
  }
  for (let i = 0; i < count; i++) {
    const label = y[i] as number;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new DataError(
        `${place}: data.y[${i}] is ${label}, the model has classes 0 to ${classes - 1}. Correct the label or widen the last layer.`,
      );
    }
  }
  return Uint32Array.from(y);
}
