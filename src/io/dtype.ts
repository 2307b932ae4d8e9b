// The number types of safetensors files, and how each becomes f32. A type that is not known, or a number that f32 does not
// hold, is no damage: only the tensor that has it cannot be used, and that is said when somebody wants it.

import { CheckpointError } from "../errors.ts";

interface Dtype {
  /** Bytes of a number. */
  readonly bytes: number;
  /** The numbers of bytes that begin at 0 of their buffer. */
  readonly numbers: (buffer: ArrayBuffer) => ArrayLike<number | bigint>;
  /** The value of a number. */
  readonly value?: (number: number) => number;
  /** The largest whole number, either sign, that is taken. */
  readonly most?: number;
}

/** Up to here f32 holds every whole number. */
const WHOLE = 2 ** 24;

const dtypes: Readonly<Record<string, Dtype>> = {
  F32: { bytes: 4, numbers: (buffer) => new Float32Array(buffer) },
  F64: { bytes: 8, numbers: (buffer) => new Float64Array(buffer) },
  F16: { bytes: 2, numbers: (buffer) => new Uint16Array(buffer), value: half },
  // The upper half of an f32.
  BF16: {
    bytes: 2,
    numbers: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  },
  BOOL: { bytes: 1, numbers: (buffer) => new Uint8Array(buffer), most: 1 },
  I8: { bytes: 1, numbers: (buffer) => new Int8Array(buffer), most: WHOLE },
  U8: { bytes: 1, numbers: (buffer) => new Uint8Array(buffer), most: WHOLE },
  I16: { bytes: 2, numbers: (buffer) => new Int16Array(buffer), most: WHOLE },
  U16: { bytes: 2, numbers: (buffer) => new Uint16Array(buffer), most: WHOLE },
  I32: { bytes: 4, numbers: (buffer) => new Int32Array(buffer), most: WHOLE },
  U32: { bytes: 4, numbers: (buffer) => new Uint32Array(buffer), most: WHOLE },
  I64: { bytes: 8, numbers: (buffer) => new BigInt64Array(buffer), most: WHOLE },
  U64: { bytes: 8, numbers: (buffer) => new BigUint64Array(buffer), most: WHOLE },
};

/** Bytes of a number of this type; undefined where the type is not known. */
export const bytesOf = (dtype: string): number | undefined =>
  Object.hasOwn(dtypes, dtype) ? dtypes[dtype]?.bytes : undefined;

/** A tensor's bytes as f32. Throws CheckpointError where they cannot be. */
export function toFloats(name: string, dtype: string, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const refuse = (what: string): never => {
    throw new CheckpointError(
      `checkpoint: "${name}" ${what}. The file is sound; convert this tensor to F32, or do without it.`,
    );
  };
  const known = bytesOf(dtype) === undefined ? undefined : dtypes[dtype];
  if (known === undefined)
    return refuse(`has the type ${dtype}, which is not read (${Object.keys(dtypes).join(", ")} are)`);
  // A copy, since a tensor may begin at any byte.
  const given = known.numbers(new Uint8Array(bytes).buffer);
  if (given instanceof Float32Array) return given as Float32Array<ArrayBuffer>;
  const { value = Number, most = Number.POSITIVE_INFINITY } = known;
  const floats = new Float32Array(given.length);
  for (let i = 0; i < given.length; i++) {
    const number = value(given[i] as number);
    floats[i] = number;
    if (Math.abs(number) > most || (Number.isFinite(number) && !Number.isFinite(floats[i]))) {
      refuse(
        `of type ${dtype} has ${given[i]} at ${i}, ${most === 1 ? "where 0 or 1 belongs" : "beyond what f32 holds"}`,
      );
    }
  }
  return floats;
}

/** The value of an f16. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}
