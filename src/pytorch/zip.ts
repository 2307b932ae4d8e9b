// The files within a zip archive, by its directory (PKWARE's APPNOTE). PyTorch stores them as they are; what somebody packed again is
// unpacked by the platform's own stream, which never gets further than the size that the directory claims.

import { CheckpointError } from "../index.ts";
import type { Refuse } from "./refuse.ts";

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Where its data begins. */
  readonly at: number;
}

export interface Archive {
  readonly names: readonly string[];
  /** The bytes of a file in it; undefined where there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
}

const END = 0x06054b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
/** Stands where a number needs zip64. */
const TOO_LARGE = 0xffffffff;
/** How often the bytes of an archive all it holds may be, unpacked. Weights hardly pack at all. */
const MOST_RATIO = 16;

export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length > 3 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === LOCAL;

export function readZip(bytes: Uint8Array, refuse: Refuse): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOf(view, refuse);
  const count = view.getUint16(end + 10, true);
  const entries = new Map<string, Entry>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY)
      refuse(`byte ${at}: entry ${i} of ${count} of the archive's directory is not there`);
    const [nameBytes, extra, comment] = [28, 30, 32].map((by) => view.getUint16(at + by, true)) as [
      number,
      number,
      number,
    ];
    if (at + 46 + nameBytes + extra + comment > end)
      refuse(`byte ${at}: entry ${i} of the archive's directory ends behind byte ${end}, where the directory ends`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    if (entries.has(name)) refuse(`byte ${at}: the archive has "${name}" twice`);
    entries.set(name, entryAt(view, at, name, refuse));
    at += 46 + nameBytes + extra + comment;
  }
  const all = [...entries.values()].reduce((sum, { method, size }) => sum + (method === 0 ? 0 : size), 0);
  const most = MOST_RATIO * bytes.length + 65536;
  if (all > most)
    refuse(
      `the archive of ${bytes.length} bytes unpacks to ${all}, at most ${most} are read`,
      "Pack it without compression.",
    );
  return {
    names: [...entries.keys()],
    async read(name) {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      const data = bytes.subarray(entry.at, entry.at + entry.packed);
      return entry.method === 0 ? data : inflated(name, data, entry, refuse);
    },
  };
}

/** Where the record at the end of an archive begins; a comment of at most 65535 bytes may follow it. */
function endOf(view: DataView, refuse: Refuse): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 65535); at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  return refuse(`the archive's directory is missing at the end of its ${view.byteLength} bytes`);
}

function entryAt(view: DataView, at: number, name: string, refuse: Refuse): Entry {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  const [crc, packed, size, local] = [16, 20, 24, 42].map((by) => view.getUint32(at + by, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (flags & 1) refuse(`"${name}" is encrypted`, "Unpack the archive and store it without a password.");
  if (method !== 0 && method !== 8)
    refuse(`"${name}" is packed by method ${method}, stored (0) and deflated (8) are read`, "Pack it again.");
  if ([packed, size, local].includes(TOO_LARGE))
    refuse(`"${name}" needs zip64, of files above 4 GB`, "Save the tensors in several files.");
  if (method === 0 && packed !== size) refuse(`"${name}" is stored in ${packed} bytes and has ${size}`);
  if (local + 30 > view.byteLength || view.getUint32(local, true) !== LOCAL)
    refuse(`byte ${local}: the head of "${name}" is not there`);
  const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (begin + packed > view.byteLength)
    refuse(`"${name}" has bytes ${begin} to ${begin + packed}, the file has ${view.byteLength}`);
  return { method, crc, packed, size, at: begin };
}

/** Deflated data as the one member of a gzip file, which says its checksum and size behind it: so the platform checks both. */
async function inflated(name: string, data: Uint8Array, { crc, size }: Entry, refuse: Refuse): Promise<Uint8Array> {
  const tail = new DataView(new ArrayBuffer(8));
  tail.setUint32(0, crc, true);
  tail.setUint32(4, size, true);
  const head = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
  const member = new Blob([head, new Uint8Array(data), tail.buffer]);
  const made = new Uint8Array(size);
  let done = 0;
  try {
    const reader = member.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined) break;
      if (done + value.length > size) {
        await reader.cancel();
        refuse(`"${name}" unpacks to more than the ${size} bytes that it claims`);
      }
      made.set(value, done);
      done += value.length;
    }
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    refuse(`"${name}" does not unpack: ${(error as Error).message}`);
  }
  if (done !== size) refuse(`"${name}" unpacks to ${done} bytes and claims ${size}`);
  return made;
}
