// Where the weights live: one arena for all parameters, and arenas of the same length with the same offsets for their
// gradients and moments. Every tensor starts on a block, so a workgroup of the update belongs to exactly one tensor and
// thus to one row of the layer table.

import { size } from "../graph/graph.ts";

/** Elements of a block: 256 f32 are 1024 bytes, a multiple of the 256-byte binding alignment. */
export const BLOCK = 256;

export interface Placed {
  readonly name: string;
  readonly shape: readonly number[];
  /** Path of the layer that owns the tensor. */
  readonly layer: string;
  /** First element in the arena. */
  readonly offset: number;
  readonly length: number;
}

export interface Layout {
  readonly tensors: readonly Placed[];
  /** Blocks of one arena; its bytes are `blocks * BLOCK * 4`. */
  readonly blocks: number;
  /** Row of the layer table for every block: row i belongs to tensor i. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** Places tensors one after the other, each at the start of a block. */
export function layOut(
  tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly layer: string }[],
): Layout {
  let block = 0;
  const rows: number[] = [];
  const placed = tensors.map(({ name, shape, layer }, row) => {
    const length = size(shape);
    const offset = block * BLOCK;
    const blocks = Math.ceil(length / BLOCK);
    for (let i = 0; i < blocks; i++) rows.push(row);
    block += blocks;
    return { name, shape, layer, offset, length };
  });
  return { tensors: placed, blocks: block, rows: Uint32Array.from(rows) };
}

export const arenaBytes = (layout: Layout): number => layout.blocks * BLOCK * 4;
