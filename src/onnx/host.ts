// Tensors whose numbers are known while a file is read: initializers, constants, shapes, and whatever is reckoned of these.

import { brain, fromHalf } from "../foreign/half.ts";
import { rowMajor, sizeOf, walk } from "../foreign/strided.ts";
import { fail } from "./fail.ts";
import type { TensorProto } from "./file.ts";

export interface Host {
  readonly kind: "host";
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
  /** ONNX's number of the type. */
  readonly type: number;
  /** Name of the initializer whose numbers these are, perhaps in another order: a weight. */
  readonly name?: string | undefined;
}

export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;

interface Type {
  readonly name: string;
  /** As a DataView calls it, with its bits behind. */
  readonly read: string;
  /** In which of the typed fields its numbers stand. */
  readonly field: "floats" | "ints" | "longs" | "doubles" | "unsigned";
  /** What is read as it is meant. */
  readonly mend?: (value: number) => number;
}

/** Types by ONNX's numbers. */
const types: Readonly<Record<number, Type>> = Object.fromEntries(
  [
    "1 float Float32 floats",
    "2 uint8 Uint8 ints",
    "3 int8 Int8 ints",
    "4 uint16 Uint16 ints",
    "5 int16 Int16 ints",
    "6 int32 Int32 ints",
    "7 int64 BigInt64 longs",
    "9 bool Uint8 ints",
    "10 float16 Uint16 ints",
    "11 double Float64 doubles",
    "12 uint32 Uint32 unsigned",
    "13 uint64 BigUint64 unsigned",
    "16 bfloat16 Uint16 ints",
  ].map((line) => {
    const [type = "", name, read, field] = line.split(" ");
    return [type, { name, read, field, mend: { 10: fromHalf, 16: brain }[type] } as Type];
  }),
);

export const typeName = (type: number): string => types[type]?.name ?? `type ${type}`;
export const isFloat = (type: number): boolean => type === 1 || type === 10 || type === 11 || type === 16;

/** What is reckoned while a file is read may have so many numbers, a mask of 1,024 places, or as many as it is made of. */
const MOST = 2 ** 20;

/** A tensor of so many numbers, made here. Throws CheckpointError for dims that no memory holds. */
export function host(dims: readonly number[], data: ArrayLike<number>, type = FLOAT): Host {
  return { kind: "host", dims, data, type };
}

/** A tensor whose number at each place is what `of` says. */
export const filled = (dims: readonly number[], type: number, of: (place: number) => number): Host =>
  host(
    dims,
    Float64Array.from({ length: sizeOf(dims) }, (_, place) => of(place)),
    type,
  );

/** Refuses what would need more memory than its file can ask for; `given`: how many numbers it is made of. */
export function checkSize(place: string, dims: readonly number[], given = 0): void {
  const [count, most] = [sizeOf(dims), Math.max(MOST, given)];
  if (count <= most && dims.every((length) => Number.isSafeInteger(length) && length >= 0)) return;
  fail(`${place}: a constant of shape [${dims}] has ${count} numbers, ${most} are the most.`);
}

/** Gives the bytes of a file that tensors lie in, by the path that the model says. */
export type External = (path: string) => Uint8Array | undefined;

/** The numbers of a tensor of the file. Throws CheckpointError where bytes and shape do not fit. */
export function readTensor(proto: TensorProto, what: string, external: External | undefined): Host {
  const refuse = (text: string): never => fail(`${what} ${text}`);
  const { dims, type = 0 } = proto;
  const known = types[type];
  if (known === undefined) {
    const names = Object.values(types).map(({ name }) => name);
    return refuse(`is of type ${type}, which is not read; ${names.join(", ")} are.`);
  }
  const odd = dims.find((length) => length < 0 || !Number.isSafeInteger(length));
  const count = sizeOf(dims);
  if (odd !== undefined || !Number.isSafeInteger(count))
    refuse(`has the shape [${dims}], which no tensor can have. The file is damaged.`);
  const raw = proto.location === 1 ? outside(proto, refuse, external) : proto.raw;
  const { mend = Number } = known;
  if (raw !== undefined && raw.length > 0) {
    const bytes = Number(/\d+/.exec(known.read)) / 8;
    if (raw.length !== count * bytes) {
      refuse(
        `has the shape [${dims}] of ${known.name}, which is ${count * bytes} bytes, ${raw.length} are there. The file is damaged.`,
      );
    }
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    const data = type === FLOAT ? new Float32Array(count) : new Float64Array(count);
    const read = view[`get${known.read}` as "getInt8"].bind(view) as (at: number, little: boolean) => number | bigint;
    for (let i = 0; i < count; i++) data[i] = mend(Number(read(i * bytes, true)));
    return host(dims, data, type);
  }
  const given = proto[known.field];
  if (given.length !== count) {
    refuse(
      `has the shape [${dims}], which is ${count} numbers, ${given.length} are there. The file is damaged, or its weights were taken out.`,
    );
  }
  return host(
    dims,
    given.map((value) => mend(value)),
    type,
  );
}

/** Bytes that lie in another file. */
function outside(proto: TensorProto, refuse: (text: string) => never, external: External | undefined): Uint8Array {
  const {
    location = "",
    offset = "0",
    length,
  } = Object.fromEntries(proto.external.map(({ key, value }) => [key, value])) as Record<string, string | undefined>;
  const file = external?.(location);
  if (file === undefined) {
    return refuse(`lies in the file "${location}", which was not given. Give fromOnnx { external: (path) => bytes }.`);
  }
  const begin = Number(offset);
  const end = length === undefined ? file.length : begin + Number(length);
  if (!(Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin >= 0 && begin <= end && end <= file.length)) {
    refuse(`lies in bytes ${offset} to ${end} of "${location}", which has ${file.length}. The file is damaged.`);
  }
  return file.subarray(begin, end);
}

/** A tensor whose number at each place is that at `from(place)`, which is reckoned axis by axis: `first` + sum of place times `far`. */
export function gathered(
  source: ArrayLike<number>,
  dims: readonly number[],
  far: readonly number[],
  first = 0,
): Float64Array {
  const count = sizeOf(dims);
  const data = new Float64Array(count);
  walk(dims, far, first, (place, from) => {
    data[place] = source[from] as number;
  });
  return data;
}

/** The axes in another order; it keeps its name. */
export function transposed(given: Host, axes: readonly number[]): Host {
  if (axes.every((axis, i) => axis === i)) return given;
  const far = rowMajor(given.dims);
  const dims = axes.map((axis) => given.dims[axis] as number);
  return {
    ...given,
    dims,
    data: gathered(
      given.data,
      dims,
      axes.map((axis) => far[axis] as number),
    ),
  };
}

/** Its numbers under another shape. */
export const reshaped = (given: Host, dims: readonly number[]): Host => ({ ...given, dims });
