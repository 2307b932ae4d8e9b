// Ways in which a sound file becomes a wrong one: its bytes, numbers in it that readers believe, the order of its parts, and what stands
// in a tree of records and lists. Everything hangs on the seed alone.

import { randomFrom, stream } from "../../../src/random.ts";

export interface Chance {
  /** A whole number below this. */
  below(count: number): number;
  pick<T>(list: readonly T[]): T;
}

export function chanceOf(seed: number, path: string): Chance {
  const random = randomFrom(stream(seed, path));
  // Two draws: one has 24 bits alone.
  const below = (count: number): number =>
    Math.floor(((random.uniform() * 2 ** 24 + random.uniform()) / 2 ** 24) * count) % Math.max(1, count);
  return { below, pick: (list) => list[below(list.length)] as (typeof list)[number] };
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** Numbers that a reader may stumble over. */
const hostile = [
  0,
  1,
  2,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 40,
  2 ** 53,
];

/** Those that a field of so many bytes can just hold, with a sign or without. */
const ofWidth = (width: number): readonly number[] => [
  ...[0, 1, 2 ** (8 * width - 1), 2 ** (8 * width) - 1, 2 ** (8 * width - 2)],
  ...(width < 8 ? [2 ** (8 * width - 1) - 1, 2 ** (8 * width - 1) - 2] : [2 ** 53, 2 ** 40, 2 ** 32]),
];

function write(bytes: Uint8Array, at: number, width: number, value: number): void {
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  for (let i = 0; i < width && at + i < bytes.length; i++, rest >>= 8n) bytes[at + i] = Number(rest & 255n);
}

function read(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = Math.min(width, bytes.length - at) - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
  return value;
}

/** How many changes: one in half of all cases. */
const changes = (chance: Chance): number => chance.pick([1, 1, 1, 2, 2, 3]);

/** Changes anywhere. */
export function wrongBytes(given: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer> = given.slice();
  for (let count = changes(chance); count > 0; count--) {
    const at = chance.below(bytes.length + 1);
    const length = 1 + chance.below(chance.pick([2, 8, 64]));
    const part = bytes.subarray(at, at + length);
    const ways: readonly (() => void)[] = [
      () => (bytes[at] = chance.below(256)),
      () => (bytes[at] = (bytes[at] as number) ^ (1 << chance.below(8))),
      () => {
        const width = chance.pick([1, 2, 4, 8]);
        write(bytes, at, width, chance.pick([...ofWidth(width), bytes.length, bytes.length + 1]));
      },
      () => (bytes = bytes.slice(0, at)),
      () => (bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length))),
      () => (bytes = joined(bytes.subarray(0, at), part, part, bytes.subarray(at + length))),
      () => bytes.copyWithin(at, chance.below(bytes.length), chance.below(bytes.length)),
      () => void part.fill(chance.pick([0, 255])),
    ];
    chance.pick(ways)();
  }
  return bytes;
}

/** A number of a file that says how long, how many or where. */
export interface Field {
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
}

/** One or two of the fields get what is hostile, what another field has, or one more or less. */
export function wrongFields(given: Uint8Array, fields: readonly Field[], chance: Chance): Uint8Array<ArrayBuffer> {
  const bytes: Uint8Array<ArrayBuffer> = given.slice();
  for (let count = 1 + chance.below(2); count > 0 && fields.length > 0; count--) {
    const { at, width } = chance.pick(fields);
    const own = read(bytes, at, width);
    const other = chance.pick(fields);
    const near = [own + 1, own - 1, own * 2, read(bytes, other.at, other.width), bytes.length, bytes.length - at, -1];
    write(bytes, at, width, chance.pick(chance.below(2) === 0 ? ofWidth(width) : near));
  }
  return bytes;
}

/** Parts of a file in another order, twice, a hundred times, not at all or cut. */
export function wrongParts<Part>(given: readonly Part[], chance: Chance, cut: (part: Part) => Part): Part[] {
  const parts = [...given];
  for (let count = 1 + chance.below(2); count > 0 && parts.length > 0; count--) {
    const [i, k] = [chance.below(parts.length), chance.below(parts.length)];
    const [one, other] = [parts[i] as Part, parts[k] as Part];
    const ways: readonly (() => void)[] = [
      () => ([parts[i], parts[k]] = [other, one]),
      () => parts.splice(k, 0, one),
      () => parts.splice(k, 0, ...new Array<Part>(100).fill(one)),
      () => parts.splice(i, 1),
      () => (parts[i] = other),
      () => (parts[i] = cut(one)),
    ];
    chance.pick(ways)();
  }
  return parts;
}

// biome-ignore lint/suspicious/noExplicitAny: a tree may hold whatever its file can say.
type Any = any;

/** All places of a tree; of a long list some. */
function placesOf(tree: Any): [holder: Any, key: string | number][] {
  const places: [Any, string | number][] = [];
  const visit = (holder: Any): void => {
    if (typeof holder !== "object" || holder === null || ArrayBuffer.isView(holder)) return;
    const keys = Array.isArray(holder) ? [...holder.keys()] : Object.keys(holder);
    const step = Math.max(1, Math.floor(keys.length / 40));
    for (const [i, key] of keys.entries()) {
      if (i % step !== 0) continue;
      places.push([holder, key]);
      visit(holder[key]);
    }
  };
  visit(tree);
  return places;
}

const foreign = [
  null,
  [],
  {},
  "",
  "x",
  -1,
  0,
  1e99,
  0.5,
  2 ** 53,
  true,
  false,
  "__proto__",
  "constructor",
  [null],
  [[]],
];

/** What may stand in the place of another where a file's form has kinds: a list is of the kind of its first part, a record of its keys. */
function kindOf(value: Any): string {
  if (typeof value === "number") return Number.isInteger(value) ? "whole" : "number";
  if (ArrayBuffer.isView(value)) return "bytes";
  if (Array.isArray(value)) return `list of ${kindOf(value[0])}`;
  return typeof value === "object" && value !== null ? Object.keys(value).sort().join() : typeof value;
}

/** What stands in the place of a value; `keepsKinds` where the file's form can hold no other kind there. */
function other(
  value: Any,
  places: readonly (readonly [Any, string | number])[],
  chance: Chance,
  keepsKinds: boolean,
): Any {
  const like = places.map(([holder, key]) => holder[key]).filter((one) => kindOf(one) === kindOf(value));
  const ways: readonly (() => Any)[] = [
    ...(keepsKinds ? [] : [() => structuredClone(chance.pick(foreign))]),
    () => structuredClone(chance.pick(like)),
    () => {
      if (typeof value === "number") return chance.pick([...hostile, -1, -2, value + 1, value - 1, -value, value * 2]);
      if (typeof value === "string")
        return chance.pick(["", "x", `${value}x`, value.slice(1), value.toUpperCase(), "ab".repeat(500), "__proto__"]);
      if (typeof value === "boolean") return !value;
      if (ArrayBuffer.isView(value)) return wrongBytes(value as Uint8Array, chance);
      if (Array.isArray(value)) return wrongParts(value, chance, (one) => one);
      // What is not there may be anything, and so no record where the form has another kind.
      return value === undefined && keepsKinds ? undefined : {};
    },
  ];
  return chance.pick(ways)();
}

/** The tree with places changed, left out, or named otherwise. */
export function wrongTree<Tree>(given: Tree, chance: Chance, { keepsKinds = false } = {}): Tree {
  const tree: Any = structuredClone(given);
  for (let count = changes(chance); count > 0; count--) {
    const places = placesOf(tree);
    if (places.length === 0) return tree;
    const [holder, key] = chance.pick(places);
    const way = Array.isArray(holder) ? 2 : chance.below(6);
    if (way === 0) delete holder[key];
    else if (way === 1 && !keepsKinds) holder[chance.pick(places)[1]] = holder[key];
    else holder[key] = other(holder[key], places, chance, keepsKinds);
  }
  return tree;
}
