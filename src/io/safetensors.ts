// The safetensors format (Hugging Face): 8 bytes of header length, a JSON header, then the tensors' bytes without gaps.
// Reading trusts nothing: lengths, ranges, overlaps, holes and products are checked before a byte is used.

import { CheckpointError } from "../errors.ts";

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const MOST_HEADER = 100_000_000;

/** The same tensors and metadata give the same bytes: names are sorted. */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array<ArrayBuffer> {
  const names = [...tensors.keys()].sort();
  let end = 0;
  const entries = names.map((name) => {
    const { shape, data } = tensors.get(name) as StoredTensor;
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }];
  });
  const text = JSON.stringify(Object.fromEntries([["__metadata__", metadata], ...entries]));
  const head = new TextEncoder().encode(text);
  const headBytes = Math.ceil(head.length / 8) * 8;
  const bytes = new Uint8Array(8 + headBytes + end).fill(0x20, 8, 8 + headBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headBytes), true);
  bytes.set(head, 8);
  let at = 8 + headBytes;
  for (const name of names) {
    const { data } = tensors.get(name) as StoredTensor;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Reads F32 tensors. Throws CheckpointError for whatever is not exactly right. */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const fail = (what: string): never => {
    throw new CheckpointError(`checkpoint: ${what}. The file is damaged or incomplete; use another copy.`);
  };
  if (!(bytes instanceof Uint8Array)) fail("it is no Uint8Array");
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, a header alone needs 8`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headBytes = Number(view.getBigUint64(0, true));
  if (headBytes > MOST_HEADER) fail(`its header claims ${headBytes} bytes, at most ${MOST_HEADER} are allowed`);
  if (8 + headBytes > bytes.length) fail(`its header claims ${headBytes} bytes, the file has ${bytes.length}`);
  const entries = headerEntries(bytes.subarray(8, 8 + headBytes), fail);
  const dataBytes = bytes.length - 8 - headBytes;

  let metadata: Record<string, string> = {};
  const ranges: Range[] = [];
  for (const [name, entry] of entries) {
    if (name === "__metadata__") {
      if (typeof entry !== "object" || entry === null || Array.isArray(entry)) fail("its metadata is no object");
      metadata = entry as Record<string, string>;
      for (const [key, value] of Object.entries(metadata)) {
        if (typeof value !== "string") fail(`its metadata "${key}" is no text`);
      }
    } else {
      ranges.push(tensorEntry(name, entry, dataBytes, fail));
    }
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of ranges) {
    if (begin !== at) fail(`"${name}" begins at byte ${begin}, where byte ${at} is next`);
    at = end;
  }
  if (at !== dataBytes) fail(`its tensors have ${at} bytes, the file has ${dataBytes}`);
  // Only now, when the ranges are known not to overlap, is anything copied: no more than the file itself has.
  const data = bytes.subarray(8 + headBytes);
  const tensors = new Map(
    ranges.map(({ name, shape, begin, end }): [string, StoredTensor] => {
      return [name, { shape, data: new Float32Array(new Uint8Array(data.subarray(begin, end)).buffer) }];
    }),
  );
  return { tensors, metadata };
}

interface Range {
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The header's entries in order. */
function headerEntries(head: Uint8Array, fail: (what: string) => never): [string, unknown][] {
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head);
    checkKeys(text, fail);
    header = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    fail("its header is no JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) return fail("its header is no object");
  return Object.entries(header);
}

/** Refuses what JSON.parse lets pass: a key that stands twice in an object, and depth that only costs memory. */
function checkKeys(json: string, fail: (what: string) => never): void {
  const open: (Set<string> | undefined)[] = [];
  const colon = /\s*:/y;
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (sign === "{" || sign === "[") {
      if (open.push(sign === "{" ? new Set() : undefined) > 3) fail("its header is nested too deeply");
    } else if (sign === "}" || sign === "]") {
      open.pop();
    } else if (sign === '"') {
      const start = at;
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === "\\") at++;
      colon.lastIndex = at + 1;
      const keys = open.at(-1);
      if (keys === undefined || !colon.test(json)) continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      if (keys.has(key)) fail(`its header names "${key}" twice`);
      keys.add(key);
    }
  }
}

function tensorEntry(name: string, entry: unknown, dataBytes: number, fail: (what: string) => never): Range {
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (dtype !== "F32") {
    return fail(`"${name}" has the type ${typeof dtype === "string" ? dtype : typeof dtype}, only F32 is read`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) return fail(`"${name}" has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`"${name}" has no valid range`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((product: number, length: number) => product * length, 4);
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes) {
    return fail(`"${name}" of shape [${shape}] needs ${bytes} bytes, its range has ${end - begin}`);
  }
  if (end > dataBytes) return fail(`"${name}" ends at byte ${end}, the file has ${dataBytes}`);
  return { name, shape: shape as number[], begin, end };
}
