// The number types of tensors in files, under the names of safetensors, and how their bytes become f32. A number that f32 does not
// hold is refused when the tensor is asked for: the file is sound, and the rest of it can be used.

import { brain, fromHalf } from "../foreign/half.ts";
import { rowMajor, sizeOf, walk } from "../foreign/strided.ts";
import type { Refuse } from "./refuse.ts";

type View =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

interface NumberType {
  readonly bytes: number;
  readonly view: new (buffer: ArrayBuffer) => View;
  /** The largest number that becomes f32; up to 2^24 f32 holds every whole number. */
  readonly most: number;
  /** The value of what the view holds, where that is not the number itself. */
  readonly value?: (bits: number) => number;
}

const MOST_F32 = 3.4028234663852886e38;
const whole = 2 ** 24;
const every = Number.POSITIVE_INFINITY;

/** Number types by the names of safetensors. */
export const numberTypes: Readonly<Record<string, NumberType>> = {
  F32: { bytes: 4, view: Float32Array, most: every },
  F64: { bytes: 8, view: Float64Array, most: MOST_F32 },
  F16: { bytes: 2, view: Uint16Array, most: every, value: fromHalf },
  BF16: { bytes: 2, view: Uint16Array, most: every, value: brain },
  BOOL: { bytes: 1, view: Uint8Array, most: 1 },
  I8: { bytes: 1, view: Int8Array, most: whole },
  U8: { bytes: 1, view: Uint8Array, most: whole },
  I16: { bytes: 2, view: Int16Array, most: whole },
  U16: { bytes: 2, view: Uint16Array, most: whole },
  I32: { bytes: 4, view: Int32Array, most: whole },
  U32: { bytes: 4, view: Uint32Array, most: whole },
  I64: { bytes: 8, view: BigInt64Array, most: whole },
  U64: { bytes: 8, view: BigUint64Array, most: whole },
};

/** The number type of this name; undefined where there is none. */
export const numberType = (name: string): NumberType | undefined =>
  Object.hasOwn(numberTypes, name) ? numberTypes[name] : undefined;

/** Which numbers of a storage a tensor has, all counted in numbers. */
export interface Strided {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly strides: readonly number[];
}

/** The numbers of a tensor as f32, row-major. `refuse` says of which tensor. */
export function floatsOf(
  dtype: string,
  storage: Uint8Array,
  { shape, offset, strides }: Strided,
  refuse: Refuse,
): Float32Array<ArrayBuffer> {
  const { bytes, view: Held, most, value } = numberTypes[dtype] as NumberType;
  const count = sizeOf(shape);
  const floats = new Float32Array(count);
  if (count === 0) return floats;
  const reach = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] as number), 0) + 1;
  // A copy of the part that it lies in, since that may begin at any byte.
  const held = new Held(new Uint8Array(storage.subarray(offset * bytes, (offset + reach) * bytes)).buffer);
  const isPlain = shape.every((length, axis) => length === 1 || strides[axis] === rowMajor(shape)[axis]);
  if (isPlain && held instanceof Float32Array) return held as Float32Array<ArrayBuffer>;
  walk(shape, strides, 0, (i, from) => {
    const number = Number(held[from]);
    floats[i] = value === undefined ? number : value(number);
    if (Math.abs(number) > most && Number.isFinite(number)) {
      refuse(
        `it has ${held[from]} at ${i}, of type ${dtype}, of which at most ${most} becomes f32`,
        "The file is sound; convert this tensor to float32, or do without it.",
      );
    }
  });
  return floats;
}
