// What a layer is, and what it may ask for while a model is being traced. A layer is a plain record; it holds no weights
// and no state, so one record may be used in several models.

import { OptionError } from "../errors.ts";
import type { Initializer } from "./initializer.ts";

/** A value that flows through a model while it is traced: shape with the batch first, `[B, ...]`. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
}

export type Attribute = number | boolean | string;
export type Attributes = Readonly<Record<string, Attribute>>;

/** Where a layer stands in the model, and the only way in which it adds to the graph. */
export interface Scope {
  /** Path of the layer, for example `blocks.3.fc1`; the empty string for the model itself. */
  readonly path: string;
  /** The scope of a part of this layer. */
  child(name: string): Scope;
  /** A trained tensor `path.name`. Asking twice for one name gives the same tensor: that is how weights are shared. */
  parameter(name: string, shape: readonly number[], initializer: Initializer): Value;
  /** A node of the graph; `op` is a row of the op table. Gives its first output. */
  op(op: string, inputs: readonly Value[], attributes?: Attributes): Value;
}

/** One layer, or a whole model: whatever turns a value into a value. */
export interface Layer {
  /** The factory's name, for messages. */
  readonly kind: string;
  apply(scope: Scope, x: Value): Value;
}

/** What the loss must know of the task; the op table computes it. */
export interface Loss {
  /** Row of the op table. */
  readonly op: "softmaxCrossEntropy" | "meanSquaredError";
  /** Whether targets are class numbers, one a row, and not numbers in the shape of the prediction. */
  readonly integerTarget: boolean;
}

/** Whether something is a layer. A factory that was not called is a function, and functions have an `apply` too. */
export const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && typeof (value as Layer).apply === "function";

/** `dense "head"`: how messages name a layer. */
export function where(kind: string, scope: Scope): string {
  return scope.path === "" ? kind : `${kind} "${scope.path}"`;
}

/** Checks a size that the user gave: a whole number of at least one. */
export function wholeNumber(place: string, what: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new OptionError(`${place}: ${what} is ${value}, it must be a whole number of at least 1.`);
  }
  return value;
}
