// A case that an engine has made ready to run, and what all engines start from.

import { noise } from "../workload.ts";
import type { KernelCase } from "./cases.ts";

export interface Runner {
  /** Resolves when the GPU has done it so often. */
  run(count: number): Promise<void>;
  /** The result's first numbers, in Gradus's layout. */
  sample(): Promise<Float32Array>;
  dispose(): void;
}

/** Makes runners; none of a case that the engine has no kernel for. */
export type CreateRunner = (one: KernelCase) => Promise<Runner | undefined>;

/** Numbers of the result that engines are compared by. */
export const SAMPLE = 64;

/** The numbers of what is given: even in (-0.5, 0.5). Inputs come first, then results and the gradient of the first of them. */
export const valuesOf = (place: number, length: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => noise(100 + place, i) / 2 ** 32 - 0.5);

/** The place of that gradient, where there is one input or two and one result. */
export const gradientPlace = ({ shapes }: KernelCase): number => shapes.length + 1;

/** "conv2d", or "conv2d: b" for the gradient of b: by which peers find what they have. */
export const wayOf = ({ op, gradients }: KernelCase): string => [op.name, ...gradients].join(": ");

/** The largest difference of two samples beside the largest number. */
export function apart(a: Float32Array, b: Float32Array): number {
  const largest = Math.max(...a.map(Math.abs), ...b.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN)))) / largest;
}
