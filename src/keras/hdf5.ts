// The part of HDF5 that Keras writes: groups, attributes, and data sets whose numbers lie in one piece. Nothing is believed: each place
// is held against the length of the file, each block is visited once, and nothing is allocated beyond what the file holds.
// After the HDF5 File Format Specification, version 3.0.

import { fromHalf } from "../foreign/half.ts";
import { sizeOf } from "../foreign/strided.ts";
import { CheckpointError } from "../index.ts";

/** A value of an attribute. */
export type Attribute = string | number | readonly (string | number)[];

/** A data set. */
export interface Dataset {
  readonly shape: readonly number[];
  /** Numbers, read when they are asked for. */
  numbers(): Float32Array<ArrayBuffer>;
}

/** A group. */
export interface Group {
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** What lies in it, by name. */
  names(): readonly string[];
  /** A group or a data set in it. */
  child(name: string): Group | Dataset | undefined;
  /** The same, by path. */
  get(path: string): Group | Dataset | undefined;
}

export const isDataset = (found: Group | Dataset | undefined): found is Dataset =>
  found !== undefined && "numbers" in found;

/** Whether the bytes begin as those of HDF5 do. */
export const isHdf5 = (bytes: Uint8Array): boolean =>
  [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);

/** All bits set, as a number: what stands nowhere. */
const NOWHERE = 2 ** 64;
/** More messages, or more links of one group, than any file of Keras has. */
const MOST = 1 << 16;

/** What stands where in the file. */
interface Bytes {
  readonly all: Uint8Array;
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
  /** A length or a place: beyond 2^53 it is rounded, and beyond any file. */
  u64(at: number): number;
  text(at: number, length: number): string;
  part(at: number, length: number): Uint8Array;
}

function refuse(what: string): never {
  throw new CheckpointError(`fromKeras: the HDF5 file ${what}`);
}

function bytesOf(all: Uint8Array): Bytes {
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  const at = (place: number, length: number): number => {
    if (Number.isSafeInteger(place) && place >= 0 && length <= all.length - place) return place;
    return refuse(`is cut off or damaged: ${length} bytes should stand at ${place}, it has ${all.length}.`);
  };
  const part = (place: number, length: number): Uint8Array => all.subarray(at(place, length), place + length);
  return {
    all,
    u8: (place) => view.getUint8(at(place, 1)),
    u16: (place) => view.getUint16(at(place, 2), true),
    u32: (place) => view.getUint32(at(place, 4), true),
    u64: (place) => Number(view.getBigUint64(at(place, 8), true)),
    // A name may be filled up with zeros.
    text: (place, length) => new TextDecoder().decode(part(place, length)).replace(/\0+$/, ""),
    part,
  };
}

/** A message of an object: what it is, and where it stands. */
interface Message {
  readonly type: number;
  readonly flags: number;
  readonly at: number;
  readonly size: number;
}

const messageTypes = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  link: 6,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbols: 17,
  attributeInfo: 21,
};

/** The messages of the object at a place, those of its continuations too. */
function messagesOf(file: Bytes, start: number): Message[] {
  const isNew = file.u32(start) === 0x5244_484f; // "OHDR"
  const version = isNew ? file.u8(start + 4) : file.u8(start);
  if (version !== (isNew ? 2 : 1)) return refuse(`has at ${start} an object of version ${version}, known are 1 and 2.`);
  const flags = isNew ? file.u8(start + 5) : 0;
  const head = isNew ? 4 + ((flags & 4) >> 1) : 8;
  const blocks: [at: number, size: number][] = [];
  if (isNew) {
    let at = start + 6 + (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0);
    const width = 1 << (flags & 3);
    const size = width === 8 ? file.u64(at) : width === 4 ? file.u32(at) : width === 2 ? file.u16(at) : file.u8(at);
    at += width;
    blocks.push([at, size]);
  } else blocks.push([start + 16, file.u32(start + 8)]);
  const seen = new Set<number>();
  const found: Message[] = [];
  for (const [begin, length] of blocks) {
    if (seen.has(begin)) return refuse(`comes back to the block at ${begin} of the object at ${start}.`);
    seen.add(begin);
    file.part(begin, length);
    for (let at = begin; at + head <= begin + length; ) {
      const type = isNew ? file.u8(at) : file.u16(at);
      const size = file.u16(at + (isNew ? 1 : 2));
      const message = { type, flags: file.u8(at + (isNew ? 3 : 4)), at: at + head, size };
      if (at + head + size > begin + length)
        return refuse(
          `has at ${at} a message of ${size} bytes, and ${begin + length - at - head} are left of its block.`,
        );
      if (type === messageTypes.continuation) {
        const [next, bytes] = [file.u64(message.at), file.u64(message.at + 8)];
        blocks.push(isNew ? [next + 4, bytes - 8] : [next, bytes]);
      } else found.push(message);
      if (found.length + blocks.length > MOST)
        return refuse(`has more than ${MOST} messages in the object at ${start}.`);
      at += head + size;
    }
  }
  return found;
}

/** How values are written. */
interface Type {
  readonly kind: "float" | "signed" | "unsigned" | "text" | "texts";
  readonly size: number;
  readonly littleEndian: boolean;
}

function typeOf(file: Bytes, at: number): Type {
  const [kind, bits, size] = [file.u8(at) & 15, file.u8(at + 1), file.u32(at + 4)];
  const littleEndian = (bits & 1) === 0;
  if (kind === 0 && [1, 2, 4, 8].includes(size)) return { kind: bits & 8 ? "signed" : "unsigned", size, littleEndian };
  if (kind === 1 && [2, 4, 8].includes(size)) return { kind: "float", size, littleEndian };
  if (kind === 3 && size > 0) return { kind: "text", size, littleEndian };
  if (kind === 9 && (bits & 15) === 1) return { kind: "texts", size: 16, littleEndian };
  return refuse(
    `has at ${at} values of class ${kind} with ${size} bytes. Known are whole numbers, floats of 2, 4 or 8 bytes, and text.`,
  );
}

/** Lengths of the axes. */
function shapeOf(file: Bytes, at: number): readonly number[] {
  const [version, rank] = [file.u8(at), file.u8(at + 1)];
  if (version !== 1 && version !== 2) return refuse(`has at ${at} a shape of version ${version}, known are 1 and 2.`);
  if (version === 2 && file.u8(at + 3) === 2) return [0];
  return Array.from({ length: rank }, (_, i) => file.u64(at + (version === 1 ? 8 : 4) + 8 * i));
}

/** A number of a type. */
function numberAt(view: DataView, at: number, { kind, size, littleEndian }: Type): number {
  if (kind === "float") {
    if (size === 2) return fromHalf(view.getUint16(at, littleEndian));
    return size === 4 ? view.getFloat32(at, littleEndian) : view.getFloat64(at, littleEndian);
  }
  const isSigned = kind === "signed";
  if (size === 8) return Number(isSigned ? view.getBigInt64(at, littleEndian) : view.getBigUint64(at, littleEndian));
  if (size === 4) return isSigned ? view.getInt32(at, littleEndian) : view.getUint32(at, littleEndian);
  if (size === 2) return isSigned ? view.getInt16(at, littleEndian) : view.getUint16(at, littleEndian);
  return isSigned ? view.getInt8(at) : view.getUint8(at);
}

/** A text of a length of its own, which lies in a heap. */
function heapText(file: Bytes, at: number): string {
  const [length, heap, index] = [file.u32(at), file.u64(at + 4), file.u32(at + 12)];
  if (length === 0) return "";
  if (file.text(heap, 4) !== "GCOL") return refuse(`has no heap at ${heap}.`);
  const end = heap + file.u64(heap + 8);
  for (let place = heap + 16; place + 16 <= end; ) {
    const [own, size] = [file.u16(place), file.u64(place + 8)];
    if (own === index) {
      if (length > size) return refuse(`has at ${place} ${size} bytes of text, and ${length} should be there.`);
      return file.text(place + 16, length);
    }
    if (own === 0) break;
    place += 16 + Math.ceil(size / 8) * 8;
  }
  return refuse(`has no text ${index} in its heap at ${heap}.`);
}

function attributeOf(file: Bytes, start: number): [name: string, value: Attribute] {
  const version = file.u8(start);
  if (version < 1 || version > 3)
    return refuse(`has at ${start} an attribute of version ${version}, known are 1 to 3.`);
  const [nameLength, typeLength, shapeLength] = [file.u16(start + 2), file.u16(start + 4), file.u16(start + 6)];
  const padded = (length: number): number => (version === 1 ? Math.ceil(length / 8) * 8 : length);
  let at = start + (version === 3 ? 9 : 8);
  const name = file.text(at, nameLength);
  at += padded(nameLength);
  const type = typeOf(file, at);
  at += padded(typeLength);
  const shape = shapeOf(file, at);
  at += padded(shapeLength);
  const count = sizeOf(shape);
  file.part(at, count * type.size);
  const view = new DataView(file.all.buffer, file.all.byteOffset, file.all.byteLength);
  const values = Array.from({ length: count }, (_, i) => {
    const place = at + i * type.size;
    if (type.kind === "text") return file.text(place, type.size);
    return type.kind === "texts" ? heapText(file, place) : numberAt(view, place, type);
  });
  return [name, shape.length === 0 ? (values[0] as string | number) : values];
}

function datasetOf(file: Bytes, start: number, messages: readonly Message[]): Dataset {
  const find = (type: number, what: string): number =>
    messages.find((message) => message.type === type)?.at ?? refuse(`has a data set at ${start} without ${what}.`);
  const shape = shapeOf(file, find(messageTypes.dataspace, "a shape"));
  const type = typeOf(file, find(messageTypes.datatype, "a type of numbers"));
  const layout = find(messageTypes.layout, "a place");
  return {
    shape,
    numbers() {
      const [version, kind] = [file.u8(layout), file.u8(layout + 1)];
      if (messages.some((message) => message.type === messageTypes.filters) || kind === 2)
        return refuse(
          `has a data set at ${start} in chunks or compressed. Write it in one piece, as Keras does by itself.`,
        );
      if ((version !== 3 && version !== 4) || kind > 1)
        return refuse(
          `has a data set at ${start} with a layout of version ${version} and kind ${kind}. Known are versions 3 and 4, kinds 0 and 1.`,
        );
      if (type.kind === "text" || type.kind === "texts") return refuse(`has text at ${start} where numbers should be.`);
      const [at, bytes] =
        kind === 0 ? [layout + 4, file.u16(layout + 2)] : [file.u64(layout + 2), file.u64(layout + 10)];
      const count = sizeOf(shape);
      if (count * type.size !== bytes)
        return refuse(
          `has a data set at ${start} of shape [${shape}] with ${bytes} bytes, ${count * type.size} should be there.`,
        );
      if (at === NOWHERE)
        return bytes === 0
          ? new Float32Array(0)
          : refuse(`has a data set at ${start} whose numbers were never written.`);
      const part = file.part(at, bytes).slice();
      if (type.kind === "float" && type.size === 4 && type.littleEndian) return new Float32Array(part.buffer);
      const view = new DataView(part.buffer);
      return Float32Array.from({ length: count }, (_, i) => numberAt(view, i * type.size, type));
    },
  };
}

/** Links of a group in the old form: a tree of nodes whose leaves name objects, with names in a heap. */
function symbolsOf(file: Bytes, tree: number, heap: number): Map<string, number> {
  if (file.text(heap, 4) !== "HEAP") return refuse(`has no heap of names at ${heap}.`);
  const [length, names] = [file.u64(heap + 8), file.u64(heap + 24)];
  const links = new Map<string, number>();
  const seen = new Set<number>();
  const waiting = [tree];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node)) return refuse(`comes back to the node at ${node}.`);
    seen.add(node);
    const sign = file.text(node, 4);
    const used = file.u16(node + 6);
    if (sign === "TREE" && file.u8(node + 4) === 0) {
      for (let i = used - 1; i >= 0; i--) waiting.push(file.u64(node + 32 + 16 * i));
    } else if (sign === "SNOD") {
      for (let i = 0; i < used; i++) {
        const at = node + 8 + 40 * i;
        const offset = file.u64(at);
        if (offset >= length) return refuse(`has a name at ${offset} of a heap of ${length} bytes.`);
        const rest = file.part(names + offset, Math.min(length - offset, 1 << 12));
        const end = rest.indexOf(0);
        if (end < 0) return refuse(`has a name at ${names + offset} without an end.`);
        links.set(file.text(names + offset, end), file.u64(at + 8));
      }
    } else return refuse(`has no node of a group at ${node}.`);
    if (seen.size + waiting.length + links.size > MOST)
      return refuse(`has a group of more than ${MOST} objects at ${tree}.`);
  }
  return links;
}

/** A link in the new form; undefined where it names another path or file. */
function linkOf(file: Bytes, at: number): [name: string, place: number] | undefined {
  const flags = file.u8(at + 1);
  let place = at + 2;
  const type = flags & 8 ? file.u8(place++) : 0;
  place += (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0);
  const width = 1 << (flags & 3);
  const length =
    width === 1 ? file.u8(place) : width === 2 ? file.u16(place) : width === 4 ? file.u32(place) : file.u64(place);
  place += width;
  const name = file.text(place, length);
  return type === 0 ? [name, file.u64(place + length)] : undefined;
}

function linksOf(file: Bytes, start: number, messages: readonly Message[]): ReadonlyMap<string, number> {
  const links = new Map<string, number>();
  for (const { type, at } of messages) {
    if (type === messageTypes.symbols)
      for (const [name, place] of symbolsOf(file, file.u64(at), file.u64(at + 8))) links.set(name, place);
    if (type === messageTypes.link) {
      const link = linkOf(file, at);
      if (link !== undefined) links.set(...link);
    }
    if (type === messageTypes.linkInfo && file.u64(at + 2 + (file.u8(at + 1) & 1 ? 8 : 0)) !== NOWHERE)
      return refuse(
        `has a group at ${start} in the dense form of newer libraries. Write it with libver "earliest", as h5py does by itself.`,
      );
  }
  return links;
}

function objectAt(file: Bytes, start: number): Group | Dataset {
  const messages = messagesOf(file, start);
  if (messages.some(({ type }) => type === messageTypes.layout)) return datasetOf(file, start, messages);
  const links = linksOf(file, start, messages);
  let attributes: ReadonlyMap<string, Attribute> | undefined;
  return {
    get attributes() {
      attributes ??= new Map(
        messages.filter(({ type }) => type === messageTypes.attribute).map(({ at }) => attributeOf(file, at)),
      );
      return attributes;
    },
    names: () => [...links.keys()],
    get(path) {
      let found: Group | Dataset | undefined = this;
      for (const name of path.split("/")) {
        if (name === "") continue;
        found = found === undefined || isDataset(found) ? undefined : found.child(name);
      }
      return found;
    },
    child(name) {
      const place = links.get(name);
      return place === undefined ? undefined : objectAt(file, place);
    },
  };
}

/** The root of a file. Throws CheckpointError with the place in the file where something does not hold. */
export function openHdf5(bytes: Uint8Array): Group {
  if (!isHdf5(bytes)) return refuse("does not begin as one.");
  const file = bytesOf(bytes);
  const version = file.u8(8);
  if (version > 3) return refuse(`is of version ${version}, known are 0 to 3.`);
  const [offsets, lengths] = version < 2 ? [file.u8(13), file.u8(14)] : [file.u8(9), file.u8(10)];
  if (offsets !== 8 || lengths !== 8)
    return refuse(`has places of ${offsets} and lengths of ${lengths} bytes, known are 8 and 8.`);
  const base = file.u64(version === 0 ? 24 : version === 1 ? 28 : 12);
  if (base !== 0) return refuse(`begins at ${base}, known is 0.`);
  const root = objectAt(file, file.u64(version === 0 ? 64 : version === 1 ? 68 : 36));
  return isDataset(root) ? refuse("has a data set where its root should be.") : root;
}
