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
