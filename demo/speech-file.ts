// A recording as silero-vad hears it: 16-bit samples of a .wav file with one channel, cut into blocks.

import { BLOCK } from "./models/silero-vad.ts";

const [NEW, BEFORE] = [512, 64];

/** The samples of a .wav file of 16 bits and one channel, from -1 to 1. */
export function readWav(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Chunks follow the head of 12 bytes: four letters, a length, and what they say.
  let at = 12;
  while (view.getUint32(at) !== 0x64617461) at += 8 + view.getUint32(at + 4, true);
  return Float32Array.from(
    { length: view.getUint32(at + 4, true) / 2 },
    (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768,
  );
}

/** [T, 640] of each 512 new samples: with the 64 before them, zeros at first, and the last 65 but one mirrored behind. */
export function speechBlocks(samples: Float32Array): Float32Array<ArrayBuffer> {
  const blocks = Math.floor(samples.length / NEW);
  return Float32Array.from({ length: blocks * BLOCK }, (_, i) => {
    const [block, place] = [Math.floor(i / BLOCK), i % BLOCK];
    const last = BEFORE + NEW - 1;
    return samples[block * NEW - BEFORE + (place <= last ? place : 2 * last - place)] ?? 0;
  });
}
