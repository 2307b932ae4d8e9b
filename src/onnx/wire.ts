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

/** Numbers by the types of the wire. */
const wires: Readonly<Record<number, "int" | "float" | "double">> = { 0: "int", 1: "double", 5: "float" };

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

  /** Numbers by what a field may be. */
  const numbers = {
    int: varint,
    float: (what: string): number => view.getFloat32(part(4, what), true),
    double: (what: string): number => view.getFloat64(part(8, what), true),
  };

  while (place < bytes.length) {
    const from = place;
    const key = varint();
    const [field, wire] = [Math.floor(key / 8), key & 7];
    const [name, kind, many] = schema[field] ?? [];
    const what = name === undefined ? `field ${field}` : `"${name}"`;
    const learn = (as: Kind | undefined, value: unknown): void => {
      if (name === undefined) return;
      if (as !== kind) refuse(at + from, `${what} has the wire type ${wire}, which it cannot have`);
      if (many) (found[name] as unknown[]).push(value);
      else found[name] = value;
    };
    if (field < 1) refuse(at + from, `a field has the number ${field}, it must be at least 1`);
    const as = wires[wire];
    if (as !== undefined) learn(as, numbers[as](what));
    else if (wire === 2) {
      const start = part(varint(), what);
      const end = place;
      const inner = bytes.subarray(start, end);
      if (typeof kind === "object") learn(kind, decode(kind, inner, at + start));
      else if (kind === "text") learn(kind, new TextDecoder().decode(inner));
      else if (kind === "bytes" || kind === undefined) learn(kind, inner);
      else {
        if (!many) refuse(at + from, `${what} is a list, it must be one number`);
        place = start;
        while (place < end) learn(kind, numbers[kind](what));
        if (place !== end)
          refuse(at + start, `${what} says it has ${end - start} bytes, its numbers take ${place - start}`);
      }
    } else refuse(at + from, `${what} has the wire type ${wire}, 0, 1, 2 and 5 are known`);
  }
  return found;
}
