// Messages of ONNX as bytes, by the schemas that they are read by.

import type { Message, Schema } from "../onnx/wire.ts";

/** Bytes that grow. */
function sink() {
  let bytes = new Uint8Array(1024);
  let length = 0;
  const room = (count: number): void => {
    if (length + count <= bytes.length) return;
    const more = new Uint8Array(Math.max(bytes.length * 2, length + count));
    more.set(bytes.subarray(0, length));
    bytes = more;
  };
  return {
    /** A whole number, below 0 as int64 has it. */
    varint(value: number): void {
      room(10);
      let rest = BigInt.asUintN(64, BigInt(value));
      while (rest > 127n) {
        bytes[length++] = Number(rest & 127n) | 128;
        rest >>= 7n;
      }
      bytes[length++] = Number(rest);
    },
    bytes(given: Uint8Array): void {
      room(given.length);
      bytes.set(given, length);
      length += given.length;
    },
    number(value: number, size: 4 | 8): void {
      room(size);
      const view = new DataView(bytes.buffer, length, size);
      if (size === 4) view.setFloat32(0, value, true);
      else view.setFloat64(0, value, true);
      length += size;
    },
    done: (): Uint8Array<ArrayBuffer> => bytes.slice(0, length),
  };
}

/** A message of this schema; what it does not have is left out. */
export function encode(schema: Schema, message: Message): Uint8Array<ArrayBuffer> {
  const out = sink();
  const nested = (field: number, bytes: Uint8Array): void => {
    out.varint(field * 8 + 2);
    out.varint(bytes.length);
    out.bytes(bytes);
  };
  for (const [key, [name, kind, many]] of Object.entries(schema)) {
    const field = Number(key);
    const value = message[name];
    if (value === undefined) continue;
    for (const one of many ? (value as readonly unknown[]) : [value]) {
      if (typeof kind === "object") nested(field, encode(kind, one as Message));
      else if (kind === "text") nested(field, new TextEncoder().encode(one as string));
      else if (kind === "bytes") nested(field, one as Uint8Array);
      else if (kind === "int") {
        out.varint(field * 8);
        out.varint(one as number);
      } else {
        out.varint(field * 8 + (kind === "float" ? 5 : 1));
        out.number(one as number, kind === "float" ? 4 : 8);
      }
    }
  }
  return out.done();
}
