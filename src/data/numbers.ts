// Numbers as a user gives them: typed arrays, arrays, and nested ones of equal rows. Whatever is no number is refused with
// its place before it is converted, since a conversion makes 0 of null and 1 of true. What comes out is memory of our own.

import { DataError, ShapeError } from "../errors.ts";
import { size } from "../op/tensor.ts";
import { shown } from "../option.ts";

/** A typed array, an array, or an array of rows of one shape. */
export type Numbers = ArrayLike<number> | readonly Numbers[];

type Typed = Uint8Array | Float32Array | Float64Array;

/** Numbers in one piece, and how they were nested: [length] where they were not. Bytes stay bytes. */
export interface Collected {
  readonly values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** Deeper than any shape, so that an array that holds itself ends too. */
export const MOST_AXES = 12;

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Typed arrays of numbers, from whatever page they come: not those of bigints, and no DataView. */
const isTyped = (value: unknown): value is Typed =>
  ArrayBuffer.isView(value) && /^(?:Uint|Int|Float)\d+(?:Clamped)?Array$/.test(tagOf(value));

export const isBytes = (value: unknown): value is Uint8Array | Uint8ClampedArray =>
  /^Uint8(?:Clamped)?Array$/.test(tagOf(value));

/** Whether something has numbers, or rows of them, one after another. */
export const isList = (value: unknown): value is ArrayLike<unknown> =>
  typeof value === "object" &&
  value !== null &&
  (isTyped(value) || (!ArrayBuffer.isView(value) && isCount((value as ArrayLike<unknown>).length)));

const isCount = (length: unknown): boolean => Number.isSafeInteger(length) && (length as number) >= 0;

/** A value as a message names it, without its numbers. */
export function described(value: unknown): string {
  if (typeof value === "string") return `the text ${shown(value)}`;
  if (typeof value !== "object" || value === null) return shown(value);
  const tag = tagOf(value);
  return `${/^[AEIO]/.test(tag) ? "an" : "a"} ${tag}${"length" in value ? ` of ${value.length}` : ""}`;
}

/** The place of number `i` in what was given: `[5]`, or `[1][2]` where it is nested. */
function placeOf(shape: readonly number[], i: number): string {
  const at: number[] = [];
  let rest = i;
  for (const length of shape.toReversed()) {
    at.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return at.map((index) => `[${index}]`).join("");
}

/**
 * Copies numbers into one piece. `name` is how messages call them, `tail` what they add of number `i`. Throws DataError
 * where something is no number, ShapeError where rows differ.
 */
export function collect(
  name: string,
  given: unknown,
  Kind: typeof Float32Array | typeof Float64Array = Float32Array,
  tail: (i: number) => string = () => "",
): Collected {
  if (!isList(given)) {
    throw new DataError(
      `${name} is ${described(given)}. Give an array or a typed array of numbers, such as new Float32Array(buffer) or Float32Array.from(values, Number).`,
    );
  }
  const shape = [given.length];
  let leaf = given;
  while (!isTyped(leaf) && isList(leaf[0]) && shape.length < MOST_AXES) {
    leaf = leaf[0];
    shape.push(leaf.length);
  }
  const refuse = (value: unknown, i: number): never => {
    const place = `${name}${placeOf(shape, i)} is ${described(value)}${tail(i)}`;
    const cause = value === null ? "JSON writes NaN as null. " : "";
    throw new DataError(`${place}. ${cause}Every value must be a number that is finite in f32.`);
  };
  // Asked before memory is: an array-like may claim any length.
  if (!isTyped(leaf) && leaf.length > 0 && typeof leaf[0] !== "number") refuse(leaf[0], 0);
  const length = size(shape);
  const isOfBytes = isBytes(leaf);
  const values = isOfBytes ? new Uint8Array(new ArrayBuffer(Math.ceil(length / 4) * 4), 0, length) : new Kind(length);
  const fill = (node: ArrayLike<unknown>, axis: number, at: number): void => {
    if (node.length !== shape[axis]) {
      const [row, first] = [at, 0].map((i) => name + placeOf(shape.slice(0, axis), i / size(shape.slice(axis))));
      throw new ShapeError(`${row} has ${node.length} entries, ${first} has ${shape[axis]}. Give rows of one length.`);
    }
    if (axis < shape.length - 1) {
      const width = size(shape.slice(axis + 1));
      for (let i = 0; i < node.length; i++) {
        const row = node[i];
        if (isList(row)) fill(row, axis + 1, at + i * width);
        else refuse(row, at + i * width);
      }
    } else if (isBytes(node) !== isOfBytes) {
      throw new DataError(`${name} has rows of bytes beside others. Give all of them as bytes, or none.`);
    } else if (isTyped(node)) values.set(node, at);
    else copyNumbers(node, values, at, refuse);
  };
  fill(given, 0, 0);
  return { values, shape };
}

function copyNumbers(
  from: ArrayLike<unknown>,
  to: Collected["values"],
  at: number,
  refuse: (value: unknown, i: number) => never,
): void {
  for (let i = 0; i < from.length; i++) {
    const value = from[i];
    if (typeof value === "number") to[at + i] = value;
    else refuse(value, at + i);
  }
}

/** Refuses the first number that is not finite, or whose absolute value is more than `most`. */
export function checkFinite(
  name: string,
  given: unknown,
  { values, shape }: Collected,
  tail: (i: number) => string,
  most = Number.MAX_VALUE,
): void {
  if (values instanceof Uint8Array) return;
  const bad = firstBeyond(values, most);
  if (bad < 0) return;
  const place = placeOf(shape, bad);
  // What was given, since f32 may have made another number of it.
  let value: unknown = given;
  for (const index of place.match(/\d+/g) ?? []) value = (value as ArrayLike<unknown>)[Number(index)];
  const bound = most === Number.MAX_VALUE ? "" : `, and at most ${most} in size`;
  throw new DataError(`${name}${place} is ${value}${tail(bad)}. Every number must be finite in f32${bound}.`);
}

function firstBeyond(values: Float32Array | Float64Array, most: number): number {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i] as number) <= most)) return i;
  return -1;
}

/** Whether numbers are nested in no way, or exactly as `rest` says below the first axis, or as one row each. */
export function isNestedAs(shape: readonly number[], rest: readonly number[]): boolean {
  const own = shape.slice(1);
  return own.length === 0 || String(own) === String(rest) || (own.length === 1 && own[0] === size(rest));
}
