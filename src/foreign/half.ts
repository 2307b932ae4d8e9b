// Floats of 16 bits, as files of others have them.

export { fromHalf } from "../half.ts";

const word = new Uint32Array(1);
const asFloat = new Float32Array(word.buffer);

/** The number that a bfloat16 stands for: its bits are the upper half of an f32. */
export function brain(bits: number): number {
  word[0] = bits << 16;
  return asFloat[0] as number;
}
