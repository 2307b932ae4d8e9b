// How the reader refuses a file: every message begins alike, and says where.

import { CheckpointError } from "../index.ts";

/** Refuses the file. */
export function fail(text: string): never {
  throw new CheckpointError(`onnx: ${text}`);
}

/** Refuses an input whose lengths must be told. */
export const failInput = (source: string, what: string): never =>
  fail(`the input "${source}" has ${what}. Give fromOnnx { input: { "${source}": [..] } }.`);
