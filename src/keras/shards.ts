// Weights of TensorFlow.js: groups of shards, whose bytes are tensors one after the other, plain or quantised.

import { fromHalf } from "../foreign/half.ts";
import { sizeOf } from "../foreign/strided.ts";
import { entry, fail, isObject, shown } from "./config.ts";
import type { FileTensor } from "./tensor.ts";

/** How shards are given: by name, in order, all in one, or by a function that gets them. */
export type Shards =
  | Uint8Array
  | ArrayBuffer
  | readonly (Uint8Array | ArrayBuffer)[]
  | ReadonlyMap<string, Uint8Array | ArrayBuffer>
  | { readonly [path: string]: Uint8Array | ArrayBuffer }
  | ((path: string) => Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>);

/** Bytes of what is given as such. */
export function asBytes(what: string, given: unknown): Uint8Array {
  const kind = Object.prototype.toString.call(given);
  if (kind === "[object Uint8Array]") {
    // Of a Buffer of Node a slice would be no copy.
    const { buffer, byteOffset, length } = given as Uint8Array;
    return new Uint8Array(buffer, byteOffset, length);
  }
  if (kind === "[object ArrayBuffer]") return new Uint8Array(given as ArrayBuffer);
  return fail(what, `it is ${kind.slice(8, -1)}, it must be a Uint8Array or an ArrayBuffer.`);
}

/** How numbers of a type lie in a shard. */
interface Form {
  readonly bytes: number;
  read(view: DataView, at: number): number;
}

const forms: ReadonlyMap<string, Form> = new Map([
  ["float32", { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  ["float16", { bytes: 2, read: (view, at) => fromHalf(view.getUint16(at, true)) }],
  ["int32", { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  ["uint8", { bytes: 1, read: (view, at) => view.getUint8(at) }],
  ["uint16", { bytes: 2, read: (view, at) => view.getUint16(at, true) }],
  ["bool", { bytes: 1, read: (view, at) => view.getUint8(at) }],
]);

interface Spec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly form: Form;
  /** Of quantised numbers: a number is what stands there, times scale, and min. */
  readonly scaled: { readonly scale: number; readonly min: number } | undefined;
  readonly count: number;
}

function specOf(given: unknown, index: number): Spec {
  const name = isObject(given) ? entry(given, "name") : undefined;
  if (!isObject(given) || typeof name !== "string") return fail(`weight ${index}`, `${shown(given)} has no name.`);
  const place = `weight "${name}"`;
  const shape = entry(given, "shape");
  if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0))
    return fail(place, `its shape is ${shown(shape)}, it must be a list of whole numbers.`);
  const quantization = entry(given, "quantization");
  const quantized = isObject(quantization) ? quantization : undefined;
  const dtype = entry(quantized ?? given, "dtype");
  const form = forms.get(String(dtype));
  if (form === undefined) return fail(place, `its dtype is ${shown(dtype)}. Known: ${[...forms.keys()].join(", ")}.`);
  const isScaled = quantized !== undefined && dtype !== "float16";
  const [scale, min] = isScaled ? [entry(quantized, "scale"), entry(quantized, "min")] : [1, 0];
  if (!Number.isFinite(scale) || !Number.isFinite(min))
    return fail(
      place,
      `it is quantised with scale ${shown(scale)} and min ${shown(min)}, both must be finite numbers.`,
    );
  const scaled = isScaled ? { scale: scale as number, min: min as number } : undefined;
  const count = sizeOf(shape);
  return { name, shape, form, count, scaled };
}

/** Finds the bytes of each shard. */
function finder(weights: unknown, paths: readonly string[]): ((path: string, index: number) => unknown) | undefined {
  if (typeof weights === "function") return (path) => weights(path);
  if (weights instanceof Map) return (path) => weights.get(path) ?? weights.get(baseName(path));
  if (Array.isArray(weights)) {
    if (weights.length !== paths.length)
      return fail("weights", `${weights.length} shards were given, model.json names ${paths.length}.`);
    return (_, index) => weights[index];
  }
  const kind = Object.prototype.toString.call(weights);
  if (kind === "[object Uint8Array]" || kind === "[object ArrayBuffer]") return undefined;
  if (isObject(weights)) return (path) => entry(weights, path) ?? entry(weights, baseName(path));
  return fail(
    "weights",
    `they are ${shown(weights)}. Give the bytes of the shards by their names, as a list, in one, or by a function.`,
  );
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** The tensors of a manifest. */
export async function shardTensors(manifest: unknown, weights: unknown): Promise<FileTensor[]> {
  if (!Array.isArray(manifest))
    return fail("model.json", `weightsManifest is ${shown(manifest)}, it must be a list of groups.`);
  const groups = manifest.map((group: unknown, i) => {
    const [paths, specs] = isObject(group) ? [entry(group, "paths"), entry(group, "weights")] : [];
    if (!Array.isArray(paths) || !paths.every((path) => typeof path === "string") || !Array.isArray(specs))
      return fail("model.json", `group ${i} of weightsManifest is ${shown(group)}, it must have paths and weights.`);
    return { paths: paths as string[], specs: specs.map(specOf) };
  });
  const all = groups.flatMap(({ paths }) => paths);
  const find = finder(weights, all);
  const whole = find === undefined ? asBytes("weights", weights) : undefined;
  const tensors: FileTensor[] = [];
  let [index, offset] = [0, 0];
  for (const { paths, specs } of groups) {
    const needed = specs.reduce((sum, { count, form }) => sum + count * form.bytes, 0);
    let bytes: Uint8Array;
    if (whole !== undefined) {
      // All shards in one: what a group needs tells where the next begins.
      if (offset + needed > whole.length)
        return fail(
          `shard "${paths.join('", "')}"`,
          `its weights need ${needed} bytes from ${offset} on, ${whole.length} were given.`,
        );
      bytes = whole.subarray(offset, offset + needed);
      offset += needed;
    } else {
      const parts: Uint8Array[] = [];
      for (const path of paths) {
        const given = await find?.(path, index++);
        if (given === undefined || given === null)
          return fail(`shard "${path}"`, `it is missing. model.json names ${all.length} shards.`);
        parts.push(asBytes(`shard "${path}"`, given));
      }
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      if (length !== needed)
        return fail(
          `shard "${paths.join('", "')}"`,
          `it has ${length} bytes, its ${specs.length} weights need ${needed}.`,
        );
      bytes = parts.length === 1 ? (parts[0] as Uint8Array) : joined(parts, length);
    }
    let at = 0;
    for (const spec of specs) {
      const { name, shape, form, count } = spec;
      const own = bytes.subarray(at, at + count * form.bytes);
      at += own.length;
      tensors.push({ name, shape, numbers: () => numbersOf(own, spec) });
    }
  }
  if (whole !== undefined && offset !== whole.length)
    return fail("weights", `${whole.length} bytes were given, all weights together need ${offset}.`);
  return tensors;
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function numbersOf(bytes: Uint8Array, { form, count, scaled }: Spec): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = Float32Array.from({ length: count }, (_, i) => form.read(view, i * form.bytes));
  if (scaled === undefined) return numbers;
  return numbers.map((value) => value * scaled.scale + scaled.min);
}
