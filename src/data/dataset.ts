// Data as the user gives it, and in its form for the GPU.

import type { DataFormat } from "../graph/stream.ts";
import type { Normalization } from "./normalization.ts";
import type { Numbers } from "./numbers.ts";
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
   * For crossEntropy one class number a sample, or for each row of logits, for all other losses, and where it is `soft`, a target in the shape
   * of the output.
   * Bytes are labels as they are; where targets are numbers, they stay bytes on the GPU and are scaled there as the bytes of x are. Left out where no loss asks for
   * targets.
   */
  readonly y?: StreamNumbers;
  /**
   * What each sample counts in the mean loss, or each value of a loss: one number a sample, or as many as the loss has values or the
   * first axes of them; by the names of losses where there are several. At least 0, but for losses with `reduction: "count"`. What has
   * weight 0 counts nothing, whatever a model makes of it, infinite values too. At most 2^64. A loss over several batches is the mean of
   * theirs by samples, so with weights it depends on the batch size. Default: all count the same.
   */
  readonly weight?: StreamNumbers;
}

/** Batches that know their places: a fit asks for those of its epoch, and one that goes on for those from its batch on. `gradus/dataset` makes them. */
export interface EpochBatches extends AsyncIterable<Samples> {
  /** Batches of an epoch, for schedules over epochs; undefined where nobody knows. */
  readonly batches?: number | undefined;
  /** Those of an epoch of the training from a batch on, both from 0; the same for the same numbers. */
  from(epoch: number, batch: number): AsyncIterator<Samples>;
}

/** Batches that are made while training goes on, each with at most the trainer's batch size of samples. */
export type Batches = AsyncIterable<Samples> | Iterable<Samples>;
/** What a fit or an evaluation takes: samples in one piece, batches that are made on the way, or samples that are on the GPU already. */
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

/** Whether batches know their places. */
export const knowsPlaces = (data: unknown): data is EpochBatches =>
  typeof (data as Partial<EpochBatches>).from === "function" && isBatches(data);
