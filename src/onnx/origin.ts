// What a model that was read was called in its file, so that it goes back under the same names.

import type { Model } from "../index.ts";

export interface Origin {
  readonly inputs: readonly {
    /** As the model knows it. */
    readonly name: string;
    /** ONNX's name. */
    readonly source: string;
    /** ONNX's number of the type. */
    readonly type: number;
    /** Of a sample. */
    readonly shape: readonly number[];
    readonly classes?: number | undefined;
  }[];
  readonly outputs: readonly { readonly name: string; readonly source: string }[];
  /** For how many samples the model is; undefined for any. */
  readonly batch: number | undefined;
}

/** Both entry points know it, of which each is a file of its own. */
const KEY = Symbol.for("gradus.onnx.origin");

export const keepOrigin = (model: Model, origin: Origin): Model => Object.defineProperty(model, KEY, { value: origin });

export const originOf = (model: Model): Origin | undefined => (model as { readonly [KEY]?: Origin })[KEY];
