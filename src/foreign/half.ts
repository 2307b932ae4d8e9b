// Floats of 16 bits, as files of others have them.

/** The number that a half of IEEE 754 stands for: sign, 5 bits of exponent, 10 of fraction. */
export function half(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const word = new Uint32Array(1);
const asFloat = new Float32Array(word.buffer);

/** The number that a bfloat16 stands for: its bits are the upper half of an f32. */
export function brain(bits: number): number {
  word[0] = bits << 16;
  return asFloat[0] as number;
}
