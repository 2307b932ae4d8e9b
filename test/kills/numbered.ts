// Checkpoints that tell which they are: each number of the one with number k is k, so that one that is made of two shows.

import type { CheckpointStore } from "../../src/callbacks/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/index.ts";

/** Numbers in one: 2 MB, so that a write takes longer than a moment. */
const LENGTH = 512 * 1024;

export function checkpoint(number: number): Uint8Array<ArrayBuffer> {
  const data = new Float32Array(LENGTH).fill(number);
  const tensor = { dtype: "F32", shape: [LENGTH], data, bytes: new Uint8Array(data.buffer) };
  return encodeSafetensors({ tensors: new Map([["weight", tensor]]), metadata: {} });
}

/** The number of a checkpoint; 0 where there is none yet, NaN where it is torn. */
export function numberOf(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return 0;
  try {
    const data = decodeSafetensors(bytes).tensors.get("weight")?.data;
    const [number = Number.NaN] = data ?? [];
    return data?.length === LENGTH && data.every((value) => value === number) ? number : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/** Writes one after another from `number` on, and tells of each that is written. */
export async function writeOn(store: CheckpointStore, number: number, told: (number: number) => void): Promise<never> {
  for (let k = number; ; k++) {
    await store.write(checkpoint(k));
    told(k);
  }
}
