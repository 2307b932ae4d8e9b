// The safetensors format (Hugging Face): 8 bytes of header length, a JSON header, then the tensors' bytes without gaps.
// Reading trusts nothing: lengths, ranges, overlaps, holes and products are checked before a byte is used. Numbers are made
// of a tensor's bytes when they are asked for, so a file may hold tensors that nobody here can use.

import { CheckpointError } from "../errors.ts";
import { fileBytes } from "./bytes.ts";
import { bytesOf, toFloats } from "./dtype.ts";
import { isCount, isRecord, parseJson } from "./json.ts";

/** A tensor that a safetensors file is made of. */
export interface StoredTensor {
  /** Lengths of its axes; their product is the length of `data`. */
  readonly shape: readonly number[];
  /** Its numbers, row-major: the last axis is the fastest. Written as F32. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** A tensor of a safetensors file, its numbers as f32. */
export interface FileTensor extends StoredTensor {
  /** "F32", "BF16", or whatever else the file says. */
  readonly dtype: string;
  /** As they stand in the file. */
  readonly bytes: Uint8Array;
  /** As f32, made when it is first asked for. Throws CheckpointError where the type or a number does not become f32. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** What a safetensors file holds: tensors by name, and words. */
export interface Safetensors<Tensor extends StoredTensor = StoredTensor> {
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What stands under "__metadata__"; empty where nothing does. */
  readonly metadata: Readonly<Record<string, string>>;
}

const MOST_HEADER = 100_000_000;

/**
 * F32 tensors, row-major by name, as the bytes of a safetensors file (Hugging Face's format). The same tensors and metadata give the same
 * bytes: names are sorted.
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  let end = 0;
  const entries = sorted.map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const about = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const text = JSON.stringify({ ...about, ...Object.fromEntries(entries) });
  const head = new TextEncoder().encode(text);
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

/**
 * The tensors of a safetensors file (Hugging Face's format) by name, row-major, each made f32 when its `data` is asked for, and the texts
 * beside them. Views of the file are kept, no copies. Throws CheckpointError for whatever is not exactly right; `place` begins the error.
 *
 * @example
 * const { tensors } = decodeSafetensors(bytes);
 * trainer.setWeights({ "stem.weight": tensors.get("stem.weight")!.data });
 */
export function decodeSafetensors(given: Uint8Array | ArrayBuffer, place = "checkpoint"): Safetensors<FileTensor> {
  const bytes = fileBytes(place, given);
  const fail = (what: string): never => {
    throw new CheckpointError(`${place}: ${what}. The file is damaged or incomplete; use another copy.`);
  };
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, a header alone needs 8`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headBytes = Number(view.getBigUint64(0, true));
  if (headBytes > MOST_HEADER) fail(`its header claims ${headBytes} bytes, at most ${MOST_HEADER} are allowed`);
  if (8 + headBytes > bytes.length) fail(`its header claims ${headBytes} bytes, the file has ${bytes.length}`);
  const entries = headerEntries(bytes.subarray(8, 8 + headBytes), fail);
  const data = bytes.subarray(8 + headBytes);

  let metadata: Record<string, string> = {};
  const ranges: Range[] = [];
  for (const [name, entry] of entries) {
    if (name === "__metadata__") {
      if (!isRecord(entry)) return fail("its metadata is no object");
      metadata = entry as Record<string, string>;
      for (const [key, value] of Object.entries(metadata)) {
        if (typeof value !== "string") fail(`its metadata "${key}" is no text`);
      }
    } else {
      ranges.push(tensorEntry(name, entry, data.length, fail));
    }
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of ranges) {
    if (begin !== at) fail(`"${name}" begins at byte ${begin}, where byte ${at} is next`);
    at = end;
  }
  if (at !== data.length) fail(`its tensors have ${at} bytes, the file has ${data.length}`);
  return { tensors: new Map(ranges.map((range) => [range.name, fileTensor(range, data)])), metadata };
}

function fileTensor({ name, dtype, shape, begin, end }: Range, file: Uint8Array): FileTensor {
  const bytes = file.subarray(begin, end);
  let floats: Float32Array<ArrayBuffer> | undefined;
  return {
    dtype,
    shape,
    bytes,
    get data() {
      floats ??= toFloats(name, dtype, bytes);
      return floats;
    },
  };
}

interface Range {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The header's entries in order. */
function headerEntries(head: Uint8Array, fail: (what: string) => never): [string, unknown][] {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(head);
  } catch {
    fail("its header is no text");
  }
  const header = parseJson(text, 3, (what) => fail(`its header ${what}`));
  return isRecord(header) ? Object.entries(header) : fail("its header is no object");
}

function tensorEntry(name: string, entry: unknown, dataBytes: number, fail: (what: string) => never): Range {
  const { dtype, shape, data_offsets: offsets } = Object(entry) as Record<string, unknown>;
  if (typeof dtype !== "string") return fail(`"${name}" has no type`);
  if (!Array.isArray(shape) || !shape.every(isCount)) return fail(`"${name}" has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`"${name}" has no valid range`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) fail(`"${name}" has bytes ${begin} to ${end}, the file has ${dataBytes}`);
  // Of a type that is not known only its owner knows how many bytes it takes.
  const bytes = shape.reduce((product: number, length: number) => product * length, bytesOf(dtype) ?? 1);
  if (!Number.isSafeInteger(bytes) || (bytesOf(dtype) !== undefined && end - begin !== bytes)) {
    return fail(`"${name}" of shape [${shape}] needs ${bytes} bytes, its range has ${end - begin}`);
  }
  return { name, dtype, shape: shape as number[], begin, end };
}
