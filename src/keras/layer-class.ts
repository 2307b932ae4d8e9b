// What a class of Keras's layers becomes: a layer of Gradus, and which of its weights go where.

import type { Model } from "../index.ts";
import type { Config } from "./config.ts";
import type { Numbers } from "./tensor.ts";

/** A weight that a layer needs. */
export interface Need {
  /** What Keras calls it; versions differ. */
  readonly names: readonly string[];
  /** What Gradus calls it, below the layer. */
  readonly to: string;
  /** Its shape in the file; undefined where that goes by the input. */
  readonly shape: readonly (number | undefined)[] | undefined;
  /** The part of the layer to which it belongs, where it has two of the same. */
  readonly within?: "forward" | "backward";
  /** The same numbers as Gradus has them. */
  readonly turn?: (given: Numbers) => Numbers;
}

/** A layer that was read. */
export interface Made {
  readonly layer: Model;
  readonly needs: readonly Need[];
  /** Weights that Gradus has and the layer in the file has not: they begin as zeros. */
  readonly zeros?: readonly { readonly to: string; readonly shape: readonly number[] }[];
  /** Names of what it takes, where that may be several values; "many" for as many as come. */
  readonly takes?: readonly string[] | "many";
  /** Names of what it gives, where that are several values. */
  readonly gives?: readonly string[];
  /** The activation with which it ends; "linear" where it has none. */
  readonly ends?: string;
  /** What a reader of the report should know. */
  readonly notes?: readonly string[];
}

export type LayerClass = (config: Config) => Made;

/** One layer after the other, under one name. */
export const after = (first: Model, then: Model | undefined): Model =>
  then === undefined ? first : { ...first, apply: (scope, x) => then.apply(scope, first.apply(scope, x)) };

/** A layer that changes nothing. */
export const identity: Model = { kind: "identity", apply: (_, x) => x };
