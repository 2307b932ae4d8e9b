// The number types of safetensors files, and how each becomes f32. A type that is not known, or a number that f32 does not
// hold, is no damage: only the tensor that has it cannot be used, and that is said when somebody wants it.

import { CheckpointError } from "../errors.ts";
import { fromHalf } from "../half.ts";
import { MOST_F32 } from "../option.ts";

/** How the bits of each type are read. */
const views = {
  ...{ F32: Float32Array, F64: Float64Array, F16: Uint16Array, BF16: Uint16Array, BOOL: Uint8Array },
  ...{ I8: Int8Array, I16: Int16Array, I32: Int32Array, I64: BigInt64Array },
  ...{ U8: Uint8Array, U16: Uint16Array, U32: Uint32Array, U64: BigUint64Array },
};
const viewOf = (dtype: string) => (Object.hasOwn(views, dtype) ? views[dtype as keyof typeof views] : undefined);

/** Bytes of a number of this type; undefined where the type is not known. */
export const bytesOf = (dtype: string): number | undefined => viewOf(dtype)?.BYTES_PER_ELEMENT;

/** A tensor's bytes as f32. Throws CheckpointError where they cannot be. */
export function toFloats(name: string, dtype: string, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const refuse = (what: string): never => {
    throw new CheckpointError(
      `checkpoint: "${name}" has ${what}. The file is sound; convert this tensor to F32, or do without it.`,
    );
  };
  const View = viewOf(dtype) ?? refuse(`the type ${dtype}; ${Object.keys(views).join(", ")} are read`);
  // A copy, since a tensor may begin at any byte.
  const given = new View(new Uint8Array(bytes).buffer);
  if (given instanceof Float32Array) return given;
  const floats = new Float32Array(given.length);
  const words = new Uint32Array(floats.buffer);
  // Up to 2^24 f32 holds every whole number.
  const most = { BOOL: 1, F64: MOST_F32 }[dtype] ?? (dtype.includes("F") ? Number.POSITIVE_INFINITY : 2 ** 24);
  for (let i = 0; i < given.length; i++) {
    const number = Number(given[i]);
    // The bits of a BF16 are the upper half of an f32.
    if (dtype === "BF16") words[i] = number << 16;
    else floats[i] = dtype === "F16" ? fromHalf(number) : number;
    if (Math.abs(number) > most && Number.isFinite(number)) {
      refuse(`${given[i]} at ${i}, of type ${dtype}, of which at most ${most} becomes f32`);
    }
  }
  return floats;
}
