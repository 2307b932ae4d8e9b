// Safetensors files of others: 8 bytes with the length of a JSON header, the header, and the numbers of the tensors.

import { byteReader } from "./byte-reader.ts";
import type { FileTensor } from "./file-tensor.ts";
import { floatsOf, numberType, numberTypes, rowMajor, sizeOf } from "./number-types.ts";
import type { Refuse } from "./refuse.ts";

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const isSafetensors = (bytes: Uint8Array): boolean => bytes.length > 8 && bytes[8] === 0x7b;

/** Its tensors by name, whose numbers are read when they are asked for. */
export function readSafetensors(bytes: Uint8Array, refuse: Refuse): Map<string, FileTensor> {
  const read = byteReader(bytes, refuse);
  const head = read.text(read.unsigned64("the length of the header"), "the header");
  const data = bytes.subarray(read.at());
  let header: unknown;
  try {
    header = JSON.parse(head);
  } catch {
    refuse("its header is no JSON");
  }
  const tensors = new Map<string, FileTensor>();
  for (const [name, entry] of Object.entries(Object(header) as Record<string, unknown>)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: range } = Object(entry) as Record<string, unknown>;
    if (!Array.isArray(shape) || !shape.every(isCount)) return refuse(`"${name}" has no valid shape`);
    if (!Array.isArray(range) || range.length !== 2 || !range.every(isCount))
      return refuse(`"${name}" has no valid range`);
    const [begin, end] = range as [number, number];
    if (begin > end || end > data.length)
      refuse(`"${name}" has bytes ${begin} to ${end}, the file has ${data.length} behind its header`);
    const type = numberType(String(dtype));
    const needed = sizeOf(shape as number[]) * (type?.bytes ?? 0);
    if (type !== undefined && needed !== end - begin)
      refuse(`"${name}" of shape [${shape}] needs ${needed} bytes, its range has ${end - begin}`);
    tensors.set(name, safetensor(name, String(dtype), shape as number[], data.subarray(begin, end), refuse));
  }
  return tensors;
}

function safetensor(name: string, dtype: string, shape: number[], bytes: Uint8Array, refuse: Refuse): FileTensor {
  let data: Float32Array<ArrayBuffer> | undefined;
  return {
    shape,
    dtype,
    get data() {
      if (numberType(dtype) === undefined)
        refuse(
          `"${name}" has the type ${dtype}; ${Object.keys(numberTypes).join(", ")} are read`,
          "Convert this tensor to F32.",
        );
      data ??= floatsOf(dtype, bytes, { shape, offset: 0, strides: rowMajor(shape) }, (what, advice) =>
        refuse(`"${name}": ${what}`, advice),
      );
      return data;
    },
  };
}

/** A tensor to be written. */
export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** A file of f32 tensors; names are sorted, so the same tensors give the same bytes. */
export function encodeSafetensors(tensors: ReadonlyMap<string, WrittenTensor>): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  let end = 0;
  const entries = sorted.map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const head = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  let at = 8 + Math.ceil(head.length / 8) * 8;
  const bytes = new Uint8Array(at + end).fill(0x20, 8, at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(at - 8), true);
  bytes.set(head, 8);
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** The texts beside the tensors. */
export function metadataOf(bytes: Uint8Array): Readonly<Record<string, string>> {
  if (bytes.length < 8) return {};
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) return {};
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))).__metadata__ ?? {};
  } catch {
    return {};
  }
}
