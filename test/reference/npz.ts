// Arrays of NumPy in an .npz file, which is a zip of .npy files: as much of both as numpy.savez writes.

import { inflateRawSync } from "node:zlib";

/** An array, row-major. */
export interface Shaped {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

const types: Readonly<Record<string, (view: DataView, i: number) => number>> = {
  "<f8": (view, i) => view.getFloat64(8 * i, true),
  "<f4": (view, i) => view.getFloat32(4 * i, true),
  "<i8": (view, i) => Number(view.getBigInt64(8 * i, true)),
  "<i4": (view, i) => view.getInt32(4 * i, true),
  "|u1": (view, i) => view.getUint8(i),
};

/** An array with its head, a dictionary of Python. */
function npyOf(bytes: Uint8Array): Shaped {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [length, start] = view.getUint8(6) === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const head = new TextDecoder().decode(bytes.subarray(start, start + length));
  const type = /'descr': '([^']+)'/.exec(head)?.[1] as string;
  const shape = [...(/'shape': \(([^)]*)\)/.exec(head)?.[1] ?? "").matchAll(/\d+/g)].map(Number);
  const read = types[type];
  if (read === undefined) throw new Error(`npy: no type ${type}.`);
  const own = bytes.slice(start + length);
  const numbers = new DataView(own.buffer);
  const count = shape.reduce((all, one) => all * one, 1);
  return { shape, values: Float64Array.from({ length: count }, (_, i) => read(numbers, i)) };
}

/** The arrays by name, found by the list at the end of the file. */
export function npzOf(bytes: Uint8Array): ReadonlyMap<string, Shaped> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (view.getUint32(end, true) !== 0x0605_4b50) end--;
  const files = new Map<string, Shaped>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < view.getUint16(end + 10, true); i++) {
    const [method, size] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true)];
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true)) as [
      number,
      number,
      number,
    ];
    const local = view.getUint32(at + 42, true);
    const data = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const packed = bytes.subarray(data, data + size);
    const file = method === 0 ? packed : new Uint8Array(inflateRawSync(packed));
    files.set(new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name)).replace(/\.npy$/, ""), npyOf(file));
    at += 46 + name + extra + comment;
  }
  return files;
}
