// What a form of an op is asked with, and its refusal.

import { type Attributes, OptionError } from "../index.ts";
import type { Held, Sheet } from "./sheet.ts";
import type { Dims } from "./trace.ts";

/** An op that is to be written. */
export interface Ask {
  readonly op: string;
  readonly x: Readonly<Record<string, Held>>;
  readonly attributes: Attributes;
  /** Of its first output. */
  readonly shape: Dims;
  readonly sheet: Sheet;
  /** Raises the opset that the file is of. */
  needs(opset: number): void;
  refuse(what: string): never;
}

export type Form = (ask: Ask) => Held | Readonly<Record<string, Held>>;

/** The refusal of an op. */
export function refusal(op: string, path: string): (what: string) => never {
  return (what) => {
    throw new OptionError(
      `toOnnx: the op "${op}" of "${path}" ${what}, which has no form in ONNX here. Build the model without it, or cut it off.`,
    );
  };
}
