// Files as the pieces that they are made of, and back: instructions of a pickle, entries of a zip archive, header and numbers of safetensors,
// tokens of a tokenizer.bin. What is no such file is one piece, since a wrong one is cut up again.

import type { Field } from "./wrong.ts";
import { joined } from "./wrong.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u16 = (value: number): number[] => [value & 255, (value >> 8) & 255];
const u32 = (value: number): number[] => [...u16(value % 65536), ...u16(Math.floor(value / 65536))];

/** Bytes behind an instruction of a pickle: as many as said, a length before them of so many bytes, or two lines. */
const behind: Readonly<Record<number, number | readonly [length: number] | "lines">> = {
  ...{ 128: 1, 149: 8, 74: 4, 75: 1, 77: 2, 71: 8, 113: 1, 114: 4, 104: 1, 106: 4, 99: "lines" },
  ...{ 138: [1], 88: [4], 140: [1], 85: [1], 84: [4] },
};

/** The instructions of all pickles that stand here one after the other, each with what belongs to it; the last piece is the rest. */
export function instructionsOf(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && (at === 0 || parts.at(-1)?.[0] !== 0x2e || bytes[at] === 0x80)) {
    const own = behind[bytes[at] as number] ?? 0;
    let end = at + 1;
    if (own === "lines") end = bytes.indexOf(10, bytes.indexOf(10, end) + 1) + 1;
    else if (typeof own === "number") end += own;
    else {
      for (let i = own[0] - 1, length = 0; i >= 0; i--) {
        length = length * 256 + (bytes[end + i] ?? 0);
        if (i === 0) end += own[0] + length;
      }
    }
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return [...parts, bytes.subarray(at)];
}

/** A file in an archive, as it lies there. */
export interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
}

/** The entries of a sound archive. */
export function entriesOf(bytes: Uint8Array): Entry[] {
  const data = view(bytes);
  let end = bytes.length - 22;
  while (data.getUint32(end, true) !== 0x06054b50) end--;
  let at = data.getUint32(end + 16, true);
  return Array.from({ length: data.getUint16(end + 10, true) }, () => {
    const [crc, packed, size, local] = [16, 20, 24, 42].map((by) => data.getUint32(at + by, true)) as [
      number,
      number,
      number,
      number,
    ];
    const [name, extra, comment] = [28, 30, 32].map((by) => data.getUint16(at + by, true)) as [number, number, number];
    const text = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name));
    const begin = local + 30 + data.getUint16(local + 26, true) + data.getUint16(local + 28, true);
    const entry = { name: text, method: data.getUint16(at + 10, true), crc, size };
    at += 46 + name + extra + comment;
    return { ...entry, data: bytes.subarray(begin, begin + packed) };
  });
}

const nothing: Entry = { name: "", data: new Uint8Array(), method: 0, crc: 0, size: 0 };

/** An archive of these entries, which may lack what they should have. */
export function archiveOf(entries: readonly Partial<Entry>[]): Bytes {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const given of entries) {
    const { name, data, method, crc, size } = { ...nothing, ...given };
    const text = new TextEncoder().encode(name);
    const sizes = [...u32(crc), ...u32(data.length), ...u32(size), ...u16(text.length), ...u16(0)];
    const fields = [...u16(20), ...u16(0), ...u16(method), ...u32(0), ...sizes];
    files.push(Uint8Array.of(...u32(0x04034b50), ...fields), text, data);
    directory.push(
      Uint8Array.of(...u32(0x02014b50), ...u16(20), ...fields, ...new Array(10).fill(0), ...u32(at)),
      text,
    );
    at += 30 + text.length + data.length;
  }
  const table = joined(...directory);
  const counts = [...u16(entries.length), ...u16(entries.length)];
  return joined(
    ...files,
    table,
    Uint8Array.of(...u32(0x06054b50), 0, 0, 0, 0, ...counts, ...u32(table.length), ...u32(at), 0, 0),
  );
}

const records: Readonly<Record<number, readonly (readonly [at: number, width: Field["width"]])[]>> = {
  67324752: [[4, 2], [6, 2], [8, 2], [14, 4], [18, 4], [22, 4], [26, 2], [28, 2]], // biome-ignore format: a row each
  33639248: [[8, 2], [10, 2], [16, 4], [20, 4], [24, 4], [28, 2], [30, 2], [32, 2], [42, 4]], // biome-ignore format: a row each
  101010256: [[8, 2], [10, 2], [12, 4], [16, 4], [20, 2]], // biome-ignore format: a row each
};

/** Sizes, counts and places in the records of an archive. */
export function archiveFields(bytes: Uint8Array): Field[] {
  const data = view(bytes);
  return Array.from({ length: Math.max(0, bytes.length - 22) }, (_, at) =>
    (records[data.getUint32(at, true)] ?? []).map(([by, width]) => ({ at: at + by, width })),
  ).flat();
}

/** Header and numbers of safetensors. */
export function headerOf(bytes: Uint8Array): { readonly header: object; readonly data: Uint8Array } {
  const length = Number(view(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return { header, data: bytes.subarray(8 + length) };
}

export function headed(header: unknown, data: Uint8Array): Bytes {
  const text = new TextEncoder().encode(JSON.stringify(header) ?? "");
  const length = new Uint8Array(8);
  view(length).setBigUint64(0, BigInt(text.length), true);
  return joined(length, text, data);
}

/** Each token of a tokenizer.bin: score, length and piece. */
export function tokenizerBin(pieces: readonly string[]): Bytes[] {
  const tokens = pieces.map((piece, i) => {
    const text = new TextEncoder().encode(piece);
    const head = new Uint8Array(8);
    view(head).setFloat32(0, -i, true);
    view(head).setInt32(4, text.length, true);
    return joined(head, text);
  });
  return [Uint8Array.of(...u32(Math.max(...tokens.map(({ length }) => length - 8)))), ...tokens];
}

/** What follows each of these signatures in an HDF5 file: numbers of 1 to 8 bytes at any place. */
const SIGNATURES = ["\x89HDF", "TREE", "SNOD", "HEAP", "GCOL", "OHDR", "OCHK", "FRHP", "BTHD", "BTLF"];

export function hdf5Fields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at + 4 <= bytes.length; at++) {
    if (!SIGNATURES.includes(String.fromCharCode(...bytes.subarray(at, at + 4)))) continue;
    for (let by = 4; by < 64; by += 2) for (const width of [1, 2, 4, 8] as const) fields.push({ at: at + by, width });
  }
  // Places in the file: eight bytes, on a boundary of eight.
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const value = Number(view(bytes).getBigUint64(at, true));
    if (value > 0 && value < bytes.length) fields.push({ at, width: 8 });
  }
  return fields;
}
