// What the update rules of rule.safetensors were fed, number for number as in rule.py: six tensors and their gradients.
// No transcendental functions, so that both languages get the same bits.

import { noise } from "../../demo/bench/workload.ts";

export interface RuleTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Gradients are about this large. */
  readonly scale: number;
}

/** The order picks the streams. Rates and decays are in the metadata of rule.safetensors; "f" is only in some cases. */
export const tensors: readonly RuleTensor[] = [
  { name: "a", shape: [1], scale: 1 },
  { name: "b", shape: [3], scale: 1e-3 },
  { name: "c", shape: [257], scale: 0.1 },
  { name: "d", shape: [16, 17], scale: 10 },
  { name: "e", shape: [64], scale: 1 },
  { name: "f", shape: [129, 128], scale: 0.01 },
];

/** Starting values of a tensor, row-major: uniform in (-spread, spread), from stream 2000 + index; "e" starts from zeros. */
export function startOf(name: string, spread: number): Float32Array {
  const { index, length } = find(name);
  const width = name === "e" ? 0 : spread;
  return Float32Array.from({ length }, (_, i) => width * uniform(2000 + index, i));
}

/**
 * Gradient of a tensor at step 0, 1, ...: uniform noise from stream 3000 + 16 * step + index, about a mean that depends
 * on the element; then scaled. Every eighth gradient of "e" is zeros.
 */
export function gradientOf(name: string, step: number): Float32Array {
  const { index, length, scale } = find(name);
  const seed = 3000 + 16 * step + index;
  const width = name === "e" && step % 8 === 7 ? 0 : scale;
  return Float32Array.from({ length }, (_, i) => width * (uniform(seed, i) + ((i % 7) - 3) / 6));
}

const uniform = (seed: number, i: number): number => (noise(seed, i) / 2 ** 32) * 2 - 1;

function find(name: string): { index: number; length: number; scale: number } {
  const index = tensors.findIndex((tensor) => tensor.name === name);
  const tensor = tensors[index];
  if (tensor === undefined) throw new RangeError(`there is no tensor ${name}, only a, b, c, d, e and f`);
  return { index, length: tensor.shape.reduce((a, b) => a * b, 1), scale: tensor.scale };
}
