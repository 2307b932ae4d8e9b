// Protocol buffers: the wire format that ONNX files are in. A message is a list of numbered fields; a schema says which of them are
// read, under which name and as what, and all others are passed over, as the format wants it. Every length is held against what is
// left of the file before anything is made of it.

import { CheckpointError } from "../index.ts";

/** How a field is read: a whole number, a text, bytes, f32, f64, or a message of a schema of its own. */
export type Kind = "int" | "text" | "bytes" | "float" | "double" | Schema;

/** Fields by number: name, kind, and whether there may be several. */
export interface Schema {
  readonly [field: number]: readonly [name: string, kind: Kind, many?: "many"];
}

export type Message = { readonly [name: string]: unknown };

const BYTES = { 1: 8, 5: 4 } as const;

const refuse = (at: number, what: string): never => {
  throw new CheckpointError(
    `onnx: at byte ${at}: ${what}. The file is damaged, or it is no ONNX file; fetch it again.`,
  );
};

/** The message that stands in `bytes`; `at` is where these begin in the file, for errors. */
export function decode(schema: Schema, bytes: Uint8Array, at = 0): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Record<string, unknown> = {};
  for (const [, [name, , many]] of Object.entries(schema)) if (many) found[name] = [];
  let place = 0;

  /** A number of up to 64 bits, signed as int64 is. Beyond 2^53 it is the nearest that a number can be. */
  function varint(): number {
    const from = place;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (place >= bytes.length)
        refuse(at + from, `a number goes on behind the end, ${bytes.length - from} bytes are left of it`);
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

  while (place < bytes.length) {
    const from = place;
    const key = varint();
    const [field, wire] = [Math.floor(key / 8), key & 7];
    if (field < 1 || field > 2 ** 29)
      refuse(at + from, `a field has the number ${field}, it must be from 1 to ${2 ** 29}`);
    const entry = schema[field];
    const [name, kind, many] = entry ?? ["", "bytes"];
    const what = name === "" ? `field ${field}` : `"${name}"`;
    const learn = (value: unknown): void => {
      if (many) (found[name] as unknown[]).push(value);
      else if (entry !== undefined) found[name] = value;
    };
    const expect = (...kinds: readonly unknown[]): void => {
      if (entry !== undefined && !kinds.includes(typeof kind === "object" ? "message" : kind))
        refuse(at + from, `${what} has the wire type ${wire}, which it cannot have`);
    };
    if (wire === 0) {
      expect("int");
      learn(varint());
    } else if (wire === 1 || wire === 5) {
      expect(wire === 1 ? "double" : "float");
      const start = part(BYTES[wire], what);
      if (entry !== undefined) learn(wire === 1 ? view.getFloat64(start, true) : view.getFloat32(start, true));
    } else if (wire === 2) {
      const length = varint();
      const start = part(length, what);
      if (entry === undefined) continue;
      const inner = bytes.subarray(start, start + length);
      if (typeof kind === "object") learn(decode(kind, inner, at + start));
      else if (kind === "text") learn(new TextDecoder().decode(inner));
      else if (kind === "bytes") learn(inner);
      else if (!many) refuse(at + from, `${what} is a list, it must be one number`);
      else if (kind === "int") {
        place = start;
        while (place < start + length) learn(varint());
        if (place !== start + length)
          refuse(at + start, `${what} says it has ${length} bytes, its numbers take ${place - start}`);
      } else {
        const size = kind === "float" ? 4 : 8;
        if (length % size !== 0) refuse(at + start, `${what} has ${length} bytes, which is no multiple of ${size}`);
        for (let i = start; i < start + length; i += size)
          learn(size === 4 ? view.getFloat32(i, true) : view.getFloat64(i, true));
      }
    } else refuse(at + from, `${what} has the wire type ${wire}, 0, 1, 2 and 5 are known`);
  }
  return found;
}
