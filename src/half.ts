// Numbers of 16 bits (IEEE 754 binary16), as their bits.

/** The largest of them that is finite. */
export const MOST_F16 = 65_504;

/** The value of an f16. */
export function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 31
      ? 1 / (fraction === 0 ? 0 : Number.NaN)
      : (exponent === 0 ? 2 * fraction : 1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/** The f16 that is nearest to a number; of two that are equally near the even one. */
export function toHalf(value: number): number {
  const size = Math.abs(value);
  const sign = Object.is(value, size) ? 0 : 0x8000;
  if (!(size < 2 ** 16)) return Number.isNaN(size) ? 0x7e00 : sign + 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // So far up f64 has whole numbers alone. A carry goes into the exponent, as it should.
  const units = size * 2 ** (10 - exponent) + 2 ** 52 - 2 ** 52;
  return sign + 1024 * (exponent + 14) + units;
}
