// Where the weights live: one arena for all parameters, and arenas of the same length with the same offsets for their
// gradients and moments. Every tensor starts on a block, so a workgroup of the update belongs to exactly one tensor and
// thus to one row of the layer table.

import { MOST_F16 } from "../half.ts";
import { bytesOf, type Stored, size } from "../op/tensor.ts";

/** Elements of a block: of whatever type, a multiple of the 256-byte binding alignment. */
export const BLOCK = 256;

export interface Placed {
  readonly name: string;
  readonly shape: readonly number[];
  /** Path of the layer that owns the tensor. */
  readonly layer: string;
  /** First element in the arena. */
  readonly offset: number;
  readonly length: number;
  /** The largest number that it can hold, where that is less than f32 does. */
  readonly most?: number;
}

export interface Layout {
  readonly tensors: readonly Placed[];
  /** Blocks of one arena. */
  readonly blocks: number;
  /** Of all numbers in it. */
  readonly dtype: Stored;
}

/** Places tensors one after the other, each at the start of a block. */
export function layOut(
  tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly layer: string }[],
  dtype: Stored = "f32",
): Layout {
  let block = 0;
  const placed = tensors.map(({ name, shape, layer }) => {
    const length = size(shape);
    const offset = block * BLOCK;
    block += Math.ceil(length / BLOCK);
    return { name, shape, layer, offset, length, ...(dtype === "f16" && { most: MOST_F16 }) };
  });
  return { tensors: placed, blocks: block, dtype };
}

export const blockBytes = ({ dtype }: Pick<Layout, "dtype">): number => BLOCK * bytesOf(dtype);

export const arenaBytes = (layout: Layout): number => layout.blocks * blockBytes(layout);

/** A word for each block: row of the layer table (tensor i has row i), rule (4 bits), how many of its numbers count - 1 (8 bits). */
export function blockWords({ tensors, blocks }: Layout, ruleOf: (row: number) => number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(blocks);
  for (const [row, { offset, length }] of tensors.entries()) {
    for (let at = 0; at < length; at += BLOCK) {
      words[(offset + at) / BLOCK] = (row << 12) | (ruleOf(row) << 8) | (Math.min(BLOCK, length - at) - 1);
    }
  }
  return words;
}

/** For each row: its first block, how many it has, its rule, and 0. */
export const spansOf = ({ tensors }: Layout, ruleOf: (row: number) => number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(
    tensors.flatMap(({ offset, length }, row) => [offset / BLOCK, Math.ceil(length / BLOCK), ruleOf(row), 0]),
  );
