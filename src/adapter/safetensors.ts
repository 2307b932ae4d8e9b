// Tensors of F32 in the safetensors form: 8 bytes of header length, a JSON header, then the numbers. Nothing in a file is trusted.

import { CheckpointError, DataError, type HostTensor } from "../index.ts";

export function encode(tensors: ReadonlyMap<string, HostTensor>): Uint8Array<ArrayBuffer> {
  let end = 0;
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = sorted.map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }];
  });
  const header = JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) });
  const head = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
  const bytes = new Uint8Array(8 + head.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** The tensors of a file. Throws CheckpointError, with the name and both numbers, for what does not fit. */
export function decode(place: string, given: Uint8Array | ArrayBuffer): Map<string, HostTensor> {
  if (!(given instanceof Uint8Array || given instanceof ArrayBuffer))
    throw new DataError(`${place}: it was given ${Object.prototype.toString.call(given)}. Give the bytes of the file.`);
  const bytes = given instanceof Uint8Array ? given : new Uint8Array(given);
  const fail = (what: string): never => {
    throw new CheckpointError(`${place}: ${what}. The file is damaged, or no safetensors file.`);
  };
  if (bytes.length < 8) return fail(`it has ${bytes.length} bytes, a header alone needs 8`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (8 + length > bytes.length) return fail(`its header claims ${length} bytes, the file has ${bytes.length}`);
  const begin = 8 + length;
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, begin)));
  } catch (error) {
    return fail(`its header is no JSON: ${(error as Error).message}`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) return fail("its header is no object");
  const made = new Map<string, HostTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: range } = Object(entry) as Readonly<Record<string, unknown>>;
    if (dtype !== "F32")
      throw new CheckpointError(
        `${place}: "${name}" is of ${JSON.stringify(dtype)}, here F32 is read. Read the file by fromPyTorch of gradus/pytorch, and give its tensors.`,
      );
    if (!isCounts(shape) || !isCounts(range) || range.length !== 2) return fail(`"${name}" has no shape or no range`);
    const [from, to] = range as readonly [number, number];
    const needed = shape.reduce((a, b) => a * b, 4);
    if (to - from !== needed || begin + to > bytes.length)
      return fail(
        `"${name}" of shape [${shape}] needs ${needed} bytes, its range is ${from} to ${to} of ${bytes.length - begin}`,
      );
    made.set(name, { shape, data: new Float32Array(bytes.slice(begin + from, begin + to).buffer) });
  }
  return made;
}

const isCounts = (given: unknown): given is readonly number[] =>
  Array.isArray(given) && given.every((one) => Number.isSafeInteger(one) && one >= 0);
