// What stories about the update share: a small classifier, data for it, and ways to look at tensors.

import {
  adamw,
  type CompileOptions,
  compile,
  crossEntropy,
  dense,
  type HostTensor,
  relu,
  sequential,
  type Trainer,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";

/** Samples of six numbers in two classes. */
export const samples = (count: number, salt = 3) => ({
  x: Float32Array.from({ length: count * 6 }, (_, i) => uniform(salt, i) - 0.5),
  y: Uint8Array.from({ length: count }, (_, i) => (uniform(salt, 6 * i) > 0.5 ? 1 : 0)),
});

/** The samples from `from` to before `to`. */
export const slice = ({ x, y }: ReturnType<typeof samples>, from: number, to: number) => ({
  x: x.slice(from * 6, to * 6),
  y: y.slice(from, to),
});

/** Three layers with six tensors: `stem.0.weight`, `stem.0.bias`, and so on. */
export const small = (device: GPUDevice, options: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) }), {
    device,
    input: [6],
    batch: 8,
    loss: crossEntropy(),
    optimizer: adamw({ lr: 0.01 }),
    seed: 5,
    ...options,
  });

export type Tensors = ReadonlyMap<string, HostTensor>;

/** Tensors as `setWeights` and `applyGradients` take them. */
export const plain = (tensors: Tensors): Record<string, Float32Array> =>
  Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));

/** The bits of tensors as text, by name. */
export const bits = (tensors: Tensors): Map<string, string> =>
  new Map([...tensors].map(([name, { data }]) => [name, String(new Uint32Array(data.slice().buffer))]));

/** Tensors as f64. */
export const doubles = (tensors: Tensors): Map<string, number[]> =>
  new Map([...tensors].map(([name, { data }]) => [name, [...data]]));

export const norm = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};

/** |a - b| / |b| over all numbers. */
export function distance(a: Tensors, b: ReadonlyMap<string, ArrayLike<number>>): number {
  const pairs = [...b].flatMap(([name, values]) =>
    Array.from(values, (value, i) => [(a.get(name)?.data[i] ?? Number.NaN) - value, value] as const),
  );
  return norm(pairs.map(([gap]) => gap)) / norm(pairs.map(([, value]) => value));
}

/** The numbers of tensors, for `distance`. */
export const numbers = (tensors: Tensors): Map<string, Float32Array> =>
  new Map([...tensors].map(([name, { data }]) => [name, data]));

/** Gradients for every tensor, of this step. */
export const gradientsOf = (weights: Tensors, step: number, scale = 1): Record<string, Float32Array> =>
  Object.fromEntries(
    [...weights].map(([name, { data }], at) => [
      name,
      data.map((_, i) => scale * (uniform(1000 * step + at, i) - 0.5)),
    ]),
  );

/** The layer of a tensor. */
export const layerOf = (tensor: string): string => tensor.slice(0, tensor.lastIndexOf("."));
