// The cells of the optimizer benchmark as plain data: how many numbers, in how many tensors, with how many rates. Every
// tensor is whole blocks of the update, so the padded size is the same along the axis of tensors.

import { adam } from "../../../demo/bench/engine.ts";
import { noise } from "../../../demo/bench/workload.ts";
import { BLOCK } from "../../../src/plan/layout.ts";

export interface Cell {
  /** Numbers in total. */
  readonly parameters: number;
  readonly tensors: number;
  /** Distinct rates asked for; there are never more of them than tensors. */
  readonly rates: number;
}

/**
 * What is measured by default and by `--quick`: totals and the axes of each. Peers launch several kernels a tensor and
 * know one rate an optimizer: fewer cells, with one rate. Many rounds of short blocks: on a machine that others use
 * too, a short block is more likely to be left alone.
 */
export const grids = {
  full: {
    parameters: [1 << 20, 1 << 22],
    tensors: [1, 10, 62, 200, 512],
    rates: [1, 8, 64, 512],
    peerTensors: [1, 62, 512],
    rounds: 31,
  },
  quick: { parameters: [1 << 20], tensors: [1, 62, 512], rates: [1, 512], peerTensors: [1, 62], rounds: 11 },
} as const;

export const distinctRates = ({ tensors, rates }: Cell): number => Math.min(tensors, rates);

/** Length of each tensor: as equal as whole blocks allow. */
export function lengthsOf({ parameters, tensors }: Cell): number[] {
  const start = (tensor: number): number => Math.floor((tensor * (parameters / BLOCK)) / tensors) * BLOCK;
  return Array.from({ length: tensors }, (_, tensor) => start(tensor + 1) - start(tensor));
}

/** The group of tensors of one rate that `tensor` belongs to. */
export const groupOf = (cell: Cell, tensor: number): number => tensor % distinctRates(cell);

export const rateOf = (cell: Cell, tensor: number): number => adam.lr * (1 + groupOf(cell, tensor) / 512);

/** The same gradient at every step, away from zero. */
export const gradientOf = (parameters: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: parameters }, (_, i) => {
    const word = noise(7, i);
    return (0.5 + (word >>> 1) / 2 ** 32) * (word & 1 ? 1 : -1);
  });

/** An engine with the weights of one cell, all 0 at first. */
export interface Contestant {
  /** Runs `steps` updates; resolves when the GPU is done. */
  run(steps: number): Promise<void>;
  /** The first weight of every tensor. */
  firsts(): Promise<number[]>;
}

/** A peer with tensors of these gradients. Resolves when they are on the GPU. */
export type CreateContestant = (gradients: readonly Float32Array<ArrayBuffer>[]) => Promise<Contestant>;

/** Under a constant gradient, Adam moves a weight by its rate each step: refuses an engine that does otherwise. */
export function checkMoves(
  engine: string,
  cell: Cell,
  firsts: readonly number[],
  gradient: Float32Array,
  steps: number,
): void {
  let offset = 0;
  for (const [tensor, length] of lengthsOf(cell).entries()) {
    const expected = -steps * rateOf(cell, tensor) * Math.sign(gradient[offset] as number);
    const got = firsts[tensor] ?? Number.NaN;
    if (!(Math.abs(got - expected) <= 2e-4 * Math.abs(expected))) {
      throw new Error(
        `${engine}, ${cell.parameters} parameters: after ${steps} steps the first weight of tensor ${tensor} of ` +
          `${cell.tensors} is ${got}, it should be ${expected}. Its time means nothing until it computes the same.`,
      );
    }
    offset += length;
  }
}
