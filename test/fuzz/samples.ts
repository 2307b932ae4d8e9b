// Data of a call as plain data, and as an engine gets it: arrays of several kinds with the same meaning, and that meaning in f64.

import fc from "fast-check";
import { size } from "../../src/op/tensor.ts";
import { stream } from "../../src/random.ts";
import { below, between, normals } from "../reference/numbers.ts";
import { type Config, classesOf, inputOf } from "./config.ts";

export interface Given {
  readonly count: number;
  readonly salt: number;
  readonly form: "f32" | "f64" | "list" | "bytes";
}

export const given = (most: number): fc.Arbitrary<Given> =>
  fc.record({
    count: fc.integer({ min: 1, max: most }),
    salt: fc.nat(50),
    form: fc.constantFrom<Given["form"]>("f32", "f32", "list", "f64", "bytes"),
  });

type Forms = Readonly<Record<Given["form"], (values: Float64Array) => ArrayLike<number>>>;

const f32 = (values: Float64Array) => Float32Array.from(values);
const list = (values: Float64Array) => [...values];
const f64 = (values: Float64Array) => values.slice();
const numbers: Forms = { f32, f64, list, bytes: f32 };
const labels: Forms = { f32: (y) => Uint8Array.from(y), f64, list, bytes: (y) => Uint32Array.from(y) };

/** Samples as they are given, and as the model gets them. */
export interface Meant {
  readonly count: number;
  readonly data: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> };
  readonly x: Float64Array;
  readonly y: Float64Array;
}

export function samplesOf(config: Config, { count, salt, form }: Given): Meant {
  const key = stream(salt, "samples");
  const length = count * size(inputOf(config));
  const isClass = config.loss === "crossEntropy";
  const y = isClass
    ? below(classesOf(config))(count, stream(salt, "labels"))
    : between(-1, 1)(count * classesOf(config), stream(salt, "targets"));
  const own = (isClass ? labels : numbers)[form](y);
  if (form === "bytes") {
    const bytes = Uint8Array.from(below(256)(length, key));
    return { count, data: { x: bytes, y: own }, x: Float64Array.from(bytes, (byte) => byte / 255), y };
  }
  const x = normals(length, key);
  return { count, data: { x: numbers[form](x), y: own }, x, y };
}

/** Samples from `from` to before `to`. */
export function cut({ count, data, x, y }: Meant, from: number, to: number): Meant {
  const end = Math.min(to, count);
  const part = <T extends ArrayLike<number>>(all: T): T =>
    (all as unknown as number[]).slice((from * all.length) / count, (end * all.length) / count) as unknown as T;
  return { count: end - from, data: { x: part(data.x), y: part(data.y) }, x: part(x), y: part(y) };
}
