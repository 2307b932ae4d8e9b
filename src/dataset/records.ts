// Rows in a file: records of one length after one another, read where they are asked for. Numbers are copied out of what was read into arrays of
// their own, so that it does not matter where in a file they stand.

import { checkOptions, say } from "../foreign/options.ts";
import { DataError, OptionError, type Samples } from "../index.ts";
import type { Dataset } from "./dataset.ts";

/** What bytes are read from: a file of Node or Deno, a store of your own. A Blob or a File, also one of OPFS, serves as it is. */
export interface ByteSource {
  /** Bytes in it. */
  readonly size: number;
  /** So many bytes from `offset` on. */
  read(offset: number, length: number): Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>;
}

const kinds = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** The type of numbers in a file: the lowest byte first, as WebGPU and all usual machines have it. */
export type RecordType = keyof typeof kinds;

/** Numbers of a record. */
export interface Field {
  /** Of one row; [] is a single number. */
  readonly shape: readonly number[];
  /** "u8" stays bytes on the GPU. */
  readonly dtype: RecordType;
}

/** What a record has, in the order in which it stands in the file; of several inputs or outputs by name. */
export interface Fields {
  /** What the model takes. */
  readonly x?: Field | { readonly [name: string]: Field };
  /** What it is to give. */
  readonly y?: Field | { readonly [name: string]: Field };
  /** What the sample counts. */
  readonly weight?: Field | { readonly [name: string]: Field };
}

/** Options of `records`. */
export interface RecordsOptions {
  /** Bytes before the first record, such as a header. Default 0. */
  readonly skip?: number;
  /** Records. Default: as many as there are bytes. */
  readonly count?: number;
}

/** Bytes between two records that are read with them, rather than in two reads. */
const GAP = 2 ** 14;
/** Bytes of one read at most, but for a longer record; and so many reads at once. */
const MOST = 2 ** 20;
const AT_ONCE = 4;

/** Numbers of a record with their place in it. */
interface Placed {
  /** Where they go: "x", or "x.image". */
  readonly path: readonly string[];
  readonly kind: (typeof kinds)[RecordType];
  readonly width: number;
  readonly offset: number;
  readonly bytes: number;
}

function placedOf(place: string, fields: Fields): readonly Placed[] {
  if (typeof fields !== "object" || fields === null)
    throw new OptionError(`${place}: its fields are ${say(fields)}. Write { x: { shape: [28, 28, 1], dtype: "u8" } }.`);
  const found: Placed[] = [];
  let offset = 0;
  const put = (path: readonly string[], field: unknown): void => {
    const name = path.join(".");
    const { shape, dtype } = Object(field) as Partial<Field>;
    if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 1))
      throw new OptionError(
        `${place}: ${name}.shape is ${say(shape)}. Give lengths of at least 1, such as [64, 64, 3], or [] for a number.`,
      );
    if (typeof dtype !== "string" || !Object.hasOwn(kinds, dtype))
      throw new OptionError(
        `${place}: ${name}.dtype is ${say(dtype)}, it must be one of ${Object.keys(kinds).join(", ")}.`,
      );
    const width = shape.reduce((a, b) => a * b, 1);
    const kind = kinds[dtype];
    const bytes = width * kind.BYTES_PER_ELEMENT;
    found.push({ path, kind, width, offset, bytes });
    offset += bytes;
  };
  for (const [key, given] of Object.entries(fields)) {
    if (!["x", "y", "weight"].includes(key))
      throw new OptionError(`${place}: a record has no "${key}". It may have x, y, weight.`);
    const isField = "shape" in Object(given) || "dtype" in Object(given) || typeof given !== "object" || given === null;
    if (isField) put([key], given);
    else for (const [name, field] of Object.entries(given)) put([key, name], field);
  }
  if (found.length === 0)
    throw new OptionError(`${place}: a record has no fields. Write { x: { shape: [28, 28, 1], dtype: "u8" } }.`);
  return found;
}

type Read = (offset: number, length: number) => Promise<Uint8Array>;

/** How a source is read. */
function readerOf(place: string, source: unknown): { readonly size: number; readonly read: Read } {
  const { size, read, slice } = Object(source) as Partial<ByteSource & Blob>;
  if (!Number.isSafeInteger(size) || (typeof read !== "function" && typeof slice !== "function"))
    throw new OptionError(
      `${place}: ${say(source)} is nothing to read from. Give a Blob, a File, or { size, read(offset, length) }.`,
    );
  const bytesOf = (offset: number, length: number) =>
    typeof read === "function"
      ? (source as ByteSource).read(offset, length)
      : (source as Blob).slice(offset, offset + length).arrayBuffer();
  return {
    size: size as number,
    async read(offset, length) {
      const found = await bytesOf(offset, length);
      if (found?.byteLength !== length)
        throw new DataError(
          `${place}: ${found?.byteLength ?? 0} of ${length} bytes came from place ${offset}. Is the file whole?`,
        );
      return ArrayBuffer.isView(found) ? found : new Uint8Array(found);
    },
  };
}

/** Records that are read at once: places among those asked for, and where in the file. */
interface Run {
  readonly first: number;
  last: number;
  readonly from: number;
  until: number;
}

function runsOf(numbers: Uint32Array, bytes: number): Run[] {
  const runs: Run[] = [];
  for (const [i, row] of numbers.entries()) {
    const run = runs.at(-1);
    const goesOn = run !== undefined && row >= run.until - 1 && (row - run.until) * bytes <= GAP;
    if (goesOn && (row + 1 - run.from) * bytes <= MOST)
      Object.assign(run, { last: i, until: Math.max(run.until, row + 1) });
    else runs.push({ first: i, last: i, from: row, until: row + 1 });
  }
  return runs;
}

/**
 * A file of records as a data set: each has its fields one after another, as `fields` lists them, without anything between. Nothing is read yet.
 * Beside what it gives, a read holds up to 4 MB. Throws OptionError for what cannot be read, DataError where the file does not hold whole records,
 * and while reading where bytes are missing.
 *
 * @example
 * const file = await (await folder.getFileHandle("images.bin")).getFile(); // of OPFS
 * const set = records(file, { y: { shape: [], dtype: "u8" }, x: { shape: [64, 64, 3], dtype: "u8" } });
 * await trainer.fit(batch(set, 64, { shuffle: true, memory: 64e6 }), { epochs: 3 });
 */
export function records(source: Blob | ByteSource, fields: Fields, options: RecordsOptions = {}): Dataset {
  const place = "records";
  const { size, read } = readerOf(place, source);
  const placed = placedOf(place, fields);
  checkOptions(place, options, { skip: "a whole number of at least 0", count: "a whole number of at least 1" });
  const { skip = 0 } = options;
  const bytes = placed.reduce((sum, field) => sum + field.bytes, 0);
  const { count = (size - skip) / bytes } = options;
  if (!Number.isSafeInteger(count) || count < 1 || skip + count * bytes > size) {
    throw new DataError(
      `${place}: the source has ${size} bytes, of which ${skip} are skipped; ${options.count === undefined ? "records" : `${count} records`} of ${bytes} bytes do not fit. Check skip, count and fields.`,
    );
  }
  return {
    ...{ count, bytes },
    async rows(numbers) {
      const made = placed.map(({ kind, width }) => new kind(numbers.length * width));
      const fill = async ({ first, last, from, until }: Run): Promise<void> => {
        const found = await read(skip + from * bytes, (until - from) * bytes);
        for (const [i, field] of placed.entries()) {
          const to = new Uint8Array((made[i] as Uint8Array).buffer);
          for (let at = first; at <= last; at++) {
            const start = ((numbers[at] as number) - from) * bytes + field.offset;
            to.set(found.subarray(start, start + field.bytes), at * field.bytes);
          }
        }
      };
      const runs = runsOf(numbers, bytes);
      for (let at = 0; at < runs.length; at += AT_ONCE) await Promise.all(runs.slice(at, at + AT_ONCE).map(fill));
      const samples: Record<string, unknown> = {};
      for (const [
        i,
        {
          path: [part = "", name],
        },
      ] of placed.entries())
        samples[part] = name === undefined ? made[i] : { ...(samples[part] as object), [name]: made[i] };
      return samples as unknown as Samples;
    },
  };
}
