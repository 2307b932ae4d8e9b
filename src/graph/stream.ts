// What a model is fed with: named streams of numbers, of which each step takes a batch. Inputs are told by the user; targets and
// weights follow from the losses.

import { size } from "../op/tensor.ts";

/** Numbers of one kind in each sample. */
export interface Stream {
  /** Of one of several inputs, outputs or losses; the empty string where there is only one. */
  readonly name: string;
  /** Of one sample; [] for a single number. */
  readonly shape: readonly number[];
  /** They are whole numbers from 0 and below this; left out where they are any numbers. */
  readonly classes?: number | undefined;
  /** A label beside those, which does not count. */
  readonly ignored?: number | undefined;
}

/** Weights that data may bring: shaped as the beginning of the values that they are for, so [] is one for each sample. */
export interface WeightStream {
  readonly name: string;
  /** Of the values of one sample. */
  readonly values: readonly number[];
  /** Whether weights below 0 can be told from a mistake. */
  readonly signed: boolean;
}

/** All that a program takes from its data. */
export interface Streams {
  readonly inputs: readonly Stream[];
  readonly targets: readonly Stream[];
  readonly weights: readonly WeightStream[];
}

/** How an input is stored on the GPU. */
export interface InputFormat {
  readonly bytes: boolean;
  /**
   * Numbers of a sample after which scales and shifts repeat, a multiple of 4: every value v of x enters the model as
   * v * scale + shift. They are data of the step. 0 where x enters as it is.
   */
  readonly period: number;
}

/** Targets that are stored as bytes: what one counts, 1 or a 255th of it. */
export interface ByteTarget {
  readonly name: string;
  readonly factor: number;
}

/** How a data set is stored on the GPU. */
export interface DataFormat {
  /** In the order of the inputs. */
  readonly inputs: readonly InputFormat[];
  /** Targets that are bytes; all others are words as they are. */
  readonly targets: readonly ByteTarget[];
  /** Of each loss for which the data has weights: its name, and the shape of those of one sample. */
  readonly weights: readonly Pick<Stream, "name" | "shape">[];
}

/** The form of data that programs are looked at with before there is any. */
export const plainFormat = (inputs: readonly Stream[]): DataFormat => ({
  inputs: inputs.map(() => ({ bytes: false, period: 0 })),
  targets: [],
  weights: [],
});

/** Whether one program serves both, of the same streams. */
export const isSameFormat = (one: DataFormat, other: DataFormat): boolean =>
  one === other ||
  (one.inputs.every(({ bytes, period }, i) => bytes === other.inputs[i]?.bytes && period === other.inputs[i]?.period) &&
    one.targets.length === other.targets.length &&
    one.targets.every(({ name, factor }, i) => name === other.targets[i]?.name && factor === other.targets[i].factor) &&
    one.weights.length === other.weights.length &&
    one.weights.every(
      ({ name, shape }, i) => name === other.weights[i]?.name && isSameShape(shape, other.weights[i].shape),
    ));

const isSameShape = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((length, i) => length === other[i]);

/** "data.x", "data.y.digit": what a stream is called on the GPU and in messages. */
export const dataName = (kind: "x" | "y" | "weight" | "norm", name: string): string =>
  `data.${kind}${name === "" ? "" : `.${name}`}`;

/** Numbers in one sample. */
export const lengthOf = ({ shape }: Pick<Stream, "shape">): number => size(shape);
