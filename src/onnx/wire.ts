// Protocol buffers: the wire format that ONNX files are in. A message is a list of numbered fields; a schema says which of them are
// read, under which name and as what, and all others are passed over, as the format wants it. Every length is held against what is
// left of the file before anything is made of it.

import { fail } from "./fail.ts";

/** How a field is read: a whole number, a text, bytes, f32, f64, or a message of a schema of its own. */
export type Kind = "int" | "text" | "bytes" | "float" | "double" | Schema;

/** Fields by number: name, kind, and whether there may be several. */
export interface Schema {
  readonly [field: number]: readonly [name: string, kind: Kind, many?: "many"];
}

export type Message = { readonly [name: string]: unknown };

const refuse = (at: number, what: string): never =>
  fail(`at byte ${at}: ${what}. The file is damaged, or no ONNX file.`);

/** The message that stands in `bytes`, in which a text that is missing is empty; `at` is where these begin in the file, for errors. */
export function decode(schema: Schema, bytes: Uint8Array, at = 0): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Record<string, unknown> = {};
  for (const [name, kind, many] of Object.values(schema)) found[name] = many ? [] : kind === "text" ? "" : undefined;
  let place = 0;

  /** A number of up to 64 bits, signed as int64 is. Beyond 2^53 it is the nearest that a number can be. */
  function varint(): number {
    const from = place;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (place >= bytes.length)
        refuse(at + from, `a number goes on behind the end, ${bytes.length - from} bytes are left`);
      const byte = bytes[place++] as number;
      // Nearly all are of one byte.
      if (byte < 128 && shift === 0n) return byte;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
    return refuse(at + from, "a number has more than 10 bytes, 10 are the most");
  }

  /** `length` bytes that must be there. */
  function part(length: number, what: string): number {
    const left = bytes.length - place;
    if (length < 0 || length > left) refuse(at + place, `${what} says it has ${length} bytes, ${left} are left`);
    place += length;
    return place - length;
  }

  const number = (size: number, what: string): number => {
    const start = part(size, what);
    return size === 4 ? view.getFloat32(start, true) : view.getFloat64(start, true);
  };

  while (place < bytes.length) {
    const from = place;
    const key = varint();
    const [field, wire] = [Math.floor(key / 8), key & 7];
    const entry = schema[field];
    const [name, kind, many] = entry ?? [];
    const what = entry === undefined ? `field ${field}` : `"${name}"`;
    const learn = (as: Kind, value: unknown): void => {
      if (entry === undefined) return;
      if (as !== kind) refuse(at + from, `${what} has the wire type ${wire}, which it cannot have`);
      if (many) (found[name as string] as unknown[]).push(value);
      else found[name as string] = value;
    };
    if (field < 1) refuse(at + from, `a field has the number ${field}, it must be at least 1`);
    if (wire === 0) learn("int", varint());
    else if (wire === 1) learn("double", number(8, what));
    else if (wire === 5) learn("float", number(4, what));
    else if (wire === 2) {
      const start = part(varint(), what);
      const end = place;
      const inner = bytes.subarray(start, end);
      if (typeof kind === "object") learn(kind, decode(kind, inner, at + start));
      else if (kind === "text") learn(kind, new TextDecoder().decode(inner));
      else if (kind === "bytes") learn(kind, inner);
      else if (kind !== undefined) {
        if (!many) refuse(at + from, `${what} is a list, it must be one number`);
        place = start;
        while (place < end) learn(kind, kind === "int" ? varint() : number(kind === "float" ? 4 : 8, what));
        if (place !== end)
          refuse(at + start, `${what} says it has ${end - start} bytes, its numbers take ${place - start}`);
      }
    } else refuse(at + from, `${what} has the wire type ${wire}, 0, 1, 2 and 5 are known`);
  }
  return found;
}
