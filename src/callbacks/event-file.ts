// TensorBoard's event files: TFRecord framing around protocol buffers. A record is its length (8 bytes), the masked CRC-32C of the length, the
// data, and the masked CRC-32C of the data, all little-endian (tensorflow/core/lib/io/record_writer.h; event.proto, summary.proto).

/** Castagnoli's polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0);
  return rest;
});

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (rest >>> 8) ^ (remainders[(rest ^ byte) & 255] as number);
  return ~rest >>> 0;
}

/** As it is stored: turned by 15 bits and moved, since a sum of data that hold their own sum says little. */
export function maskedCrc(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

export function record(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

const text = new TextEncoder();

/** A whole number in groups of 7 bits, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

/** Wire types of protocol buffers. */
const [VARINT, DOUBLE, BYTES, FLOAT] = [0, 1, 2, 5];

function field(number: number, wire: number | undefined, value: ArrayLike<number>): number[] {
  const key = number * 8 + (wire as number);
  return wire === BYTES ? [key, ...varint(value.length), ...Array.from(value)] : [key, ...Array.from(value)];
}

function float(value: number, bytes: 4 | 8): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 8) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return new Uint8Array(view.buffer);
}

/** The first record of a file. `time` is in seconds since 1970. */
export const versionRecord = (time: number): Uint8Array<ArrayBuffer> =>
  record(Uint8Array.from([...field(1, DOUBLE, float(time, 8)), ...field(3, BYTES, text.encode("brain.Event:2"))]));

/** Numbers by tag, as of a step. */
export function scalarRecord(
  time: number,
  step: number,
  scalars: readonly (readonly [tag: string, value: number])[],
): Uint8Array<ArrayBuffer> {
  const values = scalars.flatMap(([tag, value]) =>
    field(1, BYTES, [...field(1, BYTES, text.encode(tag)), ...field(2, FLOAT, float(value, 4))]),
  );
  return record(
    Uint8Array.from([
      ...field(1, DOUBLE, float(time, 8)),
      ...field(2, VARINT, varint(step)),
      ...field(5, BYTES, values),
    ]),
  );
}
