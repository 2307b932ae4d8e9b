// Numbers that a user gives by tensor name: checked against the model, and matched with the weights of another one.

import { checkFinite, collect, described, isList, type Numbers } from "../data/numbers.ts";
import { CheckpointError, DataError, instead, listed, NameError, ShapeError } from "../errors.ts";
import { weightsOf } from "../io/checkpoint.ts";
import { size } from "../op/tensor.ts";
import { checkOptions, isRecord } from "../option.ts";
import { matching } from "../pattern.ts";
import type { Placed } from "../plan/layout.ts";

/** Numbers with their shape, such as the tensors that `weights()` and `gradients()` give. */
export interface ShapedNumbers {
  /** Lengths of the axes, outermost first. */
  readonly shape: readonly number[];
  /** Row-major: the last axis is the fastest. */
  readonly data: Numbers;
}

/** Numbers by tensor name, in an object or a Map: row-major, nested as the tensor is, or with their shape. */
export type NamedNumbers =
  | Readonly<Record<string, Numbers | ShapedNumbers>>
  | ReadonlyMap<string, Numbers | ShapedNumbers>;

export interface NumberBounds {
  /** They need not be finite. Default false. */
  readonly anyNumber?: boolean;
  /** The largest absolute value. Default: that of f32. */
  readonly most?: number;
  /** Names of weights that take none, since they never train. Default: none. */
  readonly base?: readonly string[];
}

/** Numbers of a tensor, checked. */
export interface PlacedNumbers {
  readonly placed: Placed;
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * What of `given` this model has by name, checked as `placedNumbers` does. Throws NameError where it has none of them.
 */
export function startingWeights(tensors: readonly Placed[], given: NamedNumbers): PlacedNumbers[] {
  const place = "compile: weights";
  const names = tensors.map(({ name }) => name);
  return placedNumbers(place, tensors, new Map(ownOf(place, names, [...entriesOf(place, given)])));
}

/** Entries by name that are of this model. Throws NameError where there are none. */
export function ownOf<T>(place: string, names: readonly string[], all: readonly (readonly [string, T])[]) {
  const own = all.filter(([name]) => names.includes(name));
  if (own.length > 0) return own;
  throw new NameError(
    `${place}: none of them is of this model. They are called ${listed(all.map(([name]) => name))}; the model has ${listed(names)}.`,
  );
}

/** The tensor of that name. Throws NameError where there is none, and where it never trains. */
export function placedAt(place: string, tensors: readonly Placed[], name: string, base: readonly string[]): Placed {
  if (base.includes(name)) throw new NameError(`${place}: "${name}" is of the base and never trains. Leave it out.`);
  const placed = tensors.find((tensor) => tensor.name === name);
  if (placed !== undefined) return placed;
  const names = tensors.map((tensor) => tensor.name);
  throw new NameError(`${place}: there is no tensor "${name}".${instead(name, "Tensors:", names)}`);
}

/**
 * Numbers with their places; all are checked before any is used. Throws NameError, ShapeError and DataError, with the name of the
 * tensor and the place in it.
 */
export function placedNumbers(
  place: string,
  tensors: readonly Placed[],
  given: NamedNumbers,
  { anyNumber = false, most, base = [] }: NumberBounds = {},
): PlacedNumbers[] {
  return [...entriesOf(place, given)].map(([name, numbers]) => {
    const placed = placedAt(place, tensors, name, base);
    const data = isShaped(numbers) ? numbers.data : numbers;
    const what = `${place}: "${name}"`;
    const collected = collect(what, data);
    const { values } = collected;
    if (values.length !== placed.length) {
      throw new ShapeError(
        `${what} of shape [${placed.shape}] has ${placed.length} numbers, ${values.length} were given.`,
      );
    }
    const shape = isShaped(numbers) ? numbers.shape : collected.shape;
    if ((isShaped(numbers) || shape.length > 1) && String(shape) !== String(placed.shape)) {
      throw new ShapeError(`${what} has shape [${placed.shape}], numbers of shape [${shape}] were given.`);
    }
    if (!anyNumber) checkFinite(what, data, collected, () => "", placed.most ?? most);
    return { placed, values: values instanceof Float32Array ? values : new Float32Array(values) };
  });
}

const isShaped = (given: unknown): given is ShapedNumbers =>
  typeof given === "object" && given !== null && !isList(given) && "data" in given && "shape" in given;

function entriesOf(place: string, given: unknown): Map<string, Numbers | ShapedNumbers> {
  if (given instanceof Map) return given;
  if (isRecord(given) && !isList(given) && !(given instanceof ArrayBuffer)) return new Map(Object.entries(given));
  throw new DataError(`${place}: it was given ${described(given)}. Give an object or a Map of numbers by tensor name.`);
}

/** Whether it is an object literal, and no file, promise or the like. */
const isPlain = (given: unknown): boolean =>
  [Object.prototype, null].includes(Object.getPrototypeOf(Object(given))) && typeof Object(given).then !== "function";

/** What became of the tensors of a transfer. */
export interface Transferred {
  /** Names of the tensors that took the numbers of another. */
  readonly loaded: readonly string[];
  /** Tensors of this model that the source lacks, or has in another shape. */
  readonly missing: readonly string[];
  /** Tensors of the source that were not used. */
  readonly unexpected: readonly string[];
  /** Tensors of the source that were left out by wish. */
  readonly excepted: readonly string[];
}

/** Options of `transfer`. */
export interface TransferOptions {
  /** Layers or tensors that are not taken: a pattern, or several, as `freeze` takes them. */
  readonly except?: string | readonly string[];
}

/**
 * The weights of `source` that fit by name and shape, and what became of the others; they are still to be checked. Throws
 * CheckpointError where none fits, NameError where `except` matches nothing in either model.
 */
export function fittingWeights(
  tensors: readonly Placed[],
  source: NamedNumbers | Uint8Array | ArrayBuffer,
  options: TransferOptions = {},
) {
  checkOptions("transfer", options, ["except"]);
  const given: ReadonlyMap<string, unknown> =
    source instanceof Map || isPlain(source) || (isList(source) && !(source instanceof Uint8Array))
      ? entriesOf("transfer", source as NamedNumbers)
      : weightsOf(source as Uint8Array);
  const names = tensors.map(({ name }) => name);
  const all = [...new Set([...names, ...given.keys()])];
  const { except = [] } = options;
  const left = new Set([except].flat().flatMap((pattern) => matching("transfer: except", pattern as string, all, all)));
  const taken = [...given.keys()].filter((name) => !left.has(name));
  const loaded = tensors
    .filter(({ name, shape }) => taken.includes(name) && fits(given.get(name), shape))
    .map(({ name }) => name);
  if (loaded.length === 0) {
    throw new CheckpointError(
      `transfer: no tensor fits by name and shape. It holds ${listed([...given.keys()])}; this model has ${listed(names)}.`,
    );
  }
  const result: Transferred = {
    loaded,
    missing: names.filter((name) => !loaded.includes(name) && !(left.has(name) && given.has(name))),
    unexpected: taken.filter((name) => !loaded.includes(name)),
    excepted: [...given.keys()].filter((name) => left.has(name)),
  };
  const weights = new Map(loaded.map((name) => [name, given.get(name) as Numbers | ShapedNumbers]));
  return { weights, result };
}

/** Numbers without a shape fit by their count. What is no numbers fits too, to be refused with its name. */
function fits(given: unknown, shape: readonly number[]): boolean {
  if (isShaped(given)) return String(given.shape) === String(shape);
  return !isList(given) || isList(given[0]) || given.length === size(shape);
}
