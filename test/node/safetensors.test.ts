// The file format: what was written is read, to the same bytes; what was not written by anybody in good faith is refused
// with a CheckpointError, and with nothing else: no other error, no hang, no more memory than the file has.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { CheckpointError } from "../../src/index.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type FileTensor,
  type Safetensors,
  type StoredTensor,
} from "../../src/io/safetensors.ts";

const tensor = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) =>
  fc
    .array(fc.float({ noNaN: true }), {
      minLength: shape.reduce((a, b) => a * b, 1),
      maxLength: shape.reduce((a, b) => a * b, 1),
    })
    .map((data): StoredTensor => ({ shape, data: Float32Array.from(data) })),
);

const word = fc.oneof(fc.constantFrom("a.weight", "a.bias", "é", '"', "\\", "", "__proto__", "10", "2"), fc.string());

const contents: fc.Arbitrary<Safetensors> = fc.record({
  tensors: fc
    .array(fc.tuple(word, tensor), { maxLength: 5 })
    .map((entries) => new Map(entries.filter(([name]) => name !== "__metadata__"))),
  metadata: fc.dictionary(word, fc.string(), { noNullPrototype: true }),
});

/** A file of any header text and any data, with a length that may lie. */
function fileOf(header: string, data: Uint8Array, lie = 0n): Uint8Array {
  const head = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + head.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(head.length) + lie), true);
  bytes.set(head, 8);
  bytes.set(data, 8 + head.length);
  return bytes;
}

/** Tensors without what reading adds. */
const plain = (tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> =>
  new Map([...tensors].sort().map(([name, { shape, data }]) => [name, { shape, data }]));

/** What reading gives: the contents, or the text of the CheckpointError. Any other error is thrown on. */
function read(bytes: Uint8Array): Safetensors<FileTensor> | string {
  try {
    return decodeSafetensors(bytes);
  } catch (error) {
    if (error instanceof CheckpointError) return error.message;
    throw error;
  }
}

describe("what was written", () => {
  test("is read again", () => {
    fc.assert(
      fc.property(contents, ({ tensors, metadata }) => {
        const found = decodeSafetensors(encodeSafetensors({ tensors, metadata }));
        expect(plain(found.tensors)).toEqual(plain(tensors));
        for (const { dtype } of found.tensors.values()) expect(dtype).toBe("F32");
        expect({ ...found.metadata }).toEqual({ ...metadata });
      }),
    );
  });

  test("has the same bytes whatever the order of its tensors, and after a journey", () => {
    fc.assert(
      fc.property(contents, ({ tensors, metadata }) => {
        const bytes = encodeSafetensors({ tensors, metadata });
        expect(encodeSafetensors({ tensors: new Map([...tensors].reverse()), metadata })).toEqual(bytes);
        expect(encodeSafetensors(decodeSafetensors(bytes))).toEqual(bytes);
      }),
    );
  });

  test("begins its data at a multiple of eight", () => {
    fc.assert(
      fc.property(contents, (given) => {
        const { buffer } = encodeSafetensors(given);
        expect(new DataView(buffer).getBigUint64(0, true) % 8n).toBe(0n);
      }),
    );
  });

  const bytes = encodeSafetensors({
    tensors: new Map([["a", { shape: [2], data: Float32Array.of(1, 2) }]]),
    metadata: {},
  });

  test("is read from the midst of a larger buffer, from a Buffer, and from an ArrayBuffer", () => {
    const whole = plain(decodeSafetensors(bytes).tensors);
    for (const offset of [1, 2, 3, 4]) {
      const shifted = new Uint8Array(bytes.length + 7);
      shifted.set(bytes, offset);
      expect(plain(decodeSafetensors(shifted.subarray(offset, offset + bytes.length)).tensors)).toEqual(whole);
    }
    for (const given of [Buffer.from(bytes), bytes.buffer])
      expect(plain(decodeSafetensors(given).tensors)).toEqual(whole);
  });

  test("is a copy once its numbers were asked for, and asked again gives the same ones", () => {
    const file = bytes.slice();
    const tensor = decodeSafetensors(file).tensors.get("a") as FileTensor;
    const { data } = tensor;
    file.fill(0);
    expect(data).toEqual(Float32Array.of(1, 2));
    expect(tensor.data).toBe(data);
  });
});

describe("what is no file at all", () => {
  const refusal = (given: unknown): string => {
    try {
      decodeSafetensors(given as Uint8Array, "load");
      return "accepted";
    } catch (error) {
      return String(error);
    }
  };
  const moved = new ArrayBuffer(8);
  structuredClone(moved, { transfer: [moved] });

  test.each<[given: unknown, says: RegExp]>([
    [new Blob([new Uint8Array(8)]), /this is Blob\. Give await file\.arrayBuffer\(\)\.$/],
    [new File([], "a.safetensors"), /this is File\. Give await file\.arrayBuffer\(\)\.$/],
    [new Response(), /this is Response\. Give await file\.arrayBuffer\(\)\.$/],
    [Promise.resolve(new Uint8Array(8)), /this is Promise\. Await it first\.$/],
    [
      "model.safetensors",
      /this is "model\.safetensors"\. Give await \(await fetch\(url\)\)\.arrayBuffer\(\), or what readFile gives\.$/,
    ],
    [new URL("https://example.org/a"), /this is URL\. Give await \(await fetch/],
    [moved, /this is ArrayBuffer\. It was transferred to a worker; transfer a copy\.$/],
    [undefined, /this is undefined/],
    [null, /this is null/],
    [8, /this is 8/],
    [[1, 2, 3], /this is Array\. Give what trainer\.save\(\) gave\.$/],
    [{ 0: 1 }, /this is \{"0":1\}/],
    [new Map(), /this is Map/],
    [new Float32Array(8), /this is Float32Array/],
    [new DataView(new ArrayBuffer(8)), /this is DataView/],
  ])("%s is refused by name, with what to do", (given, says) => {
    expect(refusal(given)).toMatch(/^CheckpointError: load: /);
    expect(refusal(given)).toMatch(says);
  });
});

describe("numbers of every type", () => {
  /** A file of one tensor, its bytes at an odd place. */
  const one = (dtype: string, shape: readonly number[], data: ArrayBufferView | ArrayBuffer): Uint8Array => {
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer) : new Uint8Array(data);
    const entries = {
      a: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
      b: { dtype, shape, data_offsets: [1, 1 + bytes.length] },
    };
    return fileOf(JSON.stringify(entries), Uint8Array.from([7, ...bytes]));
  };
  const tensorOf = (dtype: string, shape: readonly number[], data: ArrayBufferView | ArrayBuffer): FileTensor =>
    decodeSafetensors(one(dtype, shape, data)).tensors.get("b") as FileTensor;

  test.each<[dtype: string, data: ArrayBufferView, numbers: readonly number[]]>([
    ["F32", Float32Array.of(0.1, -0), [Math.fround(0.1), -0]],
    ["F64", Float64Array.of(0.1, Number.NEGATIVE_INFINITY), [Math.fround(0.1), Number.NEGATIVE_INFINITY]],
    ["F16", Uint16Array.of(0x3c00, 0xc000, 0x3555, 1, 0x83ff), [1, -2, 0.333251953125, 2 ** -24, -1023 * 2 ** -24]],
    ["F16", Uint16Array.of(0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000), [65504, 1 / 0, -1 / 0, Number.NaN, -0]],
    ["BF16", Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x3eab), [1, -2, 1 / 0, 0.333984375]],
    ["BOOL", Uint8Array.of(0, 1), [0, 1]],
    ["I8", Int8Array.of(-128, 127), [-128, 127]],
    ["U8", Uint8Array.of(0, 255), [0, 255]],
    ["I16", Int16Array.of(-32768, 32767), [-32768, 32767]],
    ["U16", Uint16Array.of(0, 65535), [0, 65535]],
    ["I32", Int32Array.of(-(2 ** 24), 2 ** 24), [-(2 ** 24), 2 ** 24]],
    ["U32", Uint32Array.of(0, 2 ** 24), [0, 2 ** 24]],
    ["I64", BigInt64Array.of(-(2n ** 24n), 5n), [-(2 ** 24), 5]],
    ["U64", BigUint64Array.of(0n, 2n ** 24n), [0, 2 ** 24]],
  ])("%s becomes f32", (dtype, data, numbers) => {
    const { data: found, ...rest } = tensorOf(dtype, [numbers.length], data);
    expect(rest).toMatchObject({ dtype, shape: [numbers.length] });
    expect([...found]).toEqual(numbers);
  });

  test("F16 is what the definition says, for all its patterns", () => {
    const { data } = tensorOf(
      "F16",
      [2 ** 16],
      Uint16Array.from({ length: 2 ** 16 }, (_, i) => i),
    );
    for (const [bits, found] of data.entries()) {
      const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
      const size =
        exponent === 0 ? fraction / 2 ** 24 : exponent < 31 ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 1 / 0;
      const right = exponent === 31 && fraction > 0 ? Number.NaN : sign === 1 ? -size : size;
      if (!Object.is(found, right)) expect(found, `bits ${bits}`).toBe(right);
    }
  });

  test.each<[dtype: string, shape: readonly number[], data: ArrayBufferView, says: string]>([
    ["F8_E4M3", [3], new Uint8Array(3), '"b" has the type F8_E4M3; F32, F64, F16, BF16, BOOL, I8,'],
    ["F4", [2, 3], new Uint8Array(3), '"b" has the type F4; F32, '],
    ["constructor", [1], new Uint8Array(3), '"b" has the type constructor; F32, '],
    [
      "I32",
      [2],
      Int32Array.of(1, 2 ** 24 + 1),
      '"b" has 16777217 at 1, of type I32, of which at most 16777216 becomes f32',
    ],
    ["I64", [2], BigInt64Array.of(1n, -(2n ** 60n)), '"b" has -1152921504606846976 at 1, of type I64'],
    ["U64", [1], BigUint64Array.of(2n ** 64n - 1n), '"b" has 18446744073709551615 at 0, of type U64'],
    ["F64", [2], Float64Array.of(1, -1e300), '"b" has -1e+300 at 1, of type F64, of which at most 3.40'],
    ["BOOL", [1], Uint8Array.of(2), '"b" has 2 at 0, of type BOOL, of which at most 1 becomes f32'],
  ])("%s that does not become f32 is refused when it is wanted, and only then", (dtype, shape, data, says) => {
    const { tensors } = decodeSafetensors(one(dtype, shape, data));
    expect([...(tensors.get("a") as FileTensor).data]).toEqual([7]);
    const wanted = (): unknown => tensors.get("b")?.data;
    expect(wanted).toThrow(CheckpointError);
    expect(wanted).toThrow(`checkpoint: ${says}`);
    expect(wanted).toThrow("The file is sound; convert this tensor to F32, or do without it.");
  });

  test("a known type has as many bytes as its shape needs", () => {
    for (const [dtype, bytes] of Object.entries({ BOOL: 1, U8: 1, BF16: 2, F16: 2, I32: 4, F64: 8, I64: 8, U64: 8 })) {
      expect(read(one(dtype, [3], new Uint8Array(3 * bytes))), dtype).not.toBeTypeOf("string");
      expect(read(one(dtype, [3], new Uint8Array(3 * bytes + 1))), dtype).toContain("its range has");
    }
  });
});

describe("a file that is not right", () => {
  const entry = (shape: readonly number[], begin: number, end: number): string =>
    JSON.stringify({ dtype: "F32", shape, data_offsets: [begin, end] });
  const huge = Number.MAX_SAFE_INTEGER;
  const eight = new Uint8Array(8);

  test.each<[what: string, bytes: Uint8Array]>([
    ["empty", new Uint8Array()],
    ["shorter than a length", new Uint8Array(7)],
    ["a length beyond the end", fileOf("{}", eight, 9n)],
    ["a length of 2^64 - 1", fileOf("{}", eight, -3n)],
    ["a length that cuts the header", fileOf('{"a":1}', eight, -1n)],
    ["no JSON", fileOf("{", eight)],
    ["no text", new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff])],
    ["a list", fileOf("[]", eight)],
    ["null", fileOf("null", eight)],
    ["a header that is nested deeply", fileOf(`{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`, eight)],
    ["data without a tensor", fileOf("{}", eight)],
    ["a hole in front", fileOf(`{"a":${entry([1], 4, 8)}}`, eight)],
    ["a hole in the midst", fileOf(`{"a":${entry([1], 0, 4)},"b":${entry([1], 8, 12)}}`, new Uint8Array(12))],
    ["an overlap", fileOf(`{"a":${entry([2], 0, 8)},"b":${entry([1], 4, 8)}}`, eight)],
    ["two tensors in one place", fileOf(`{"a":${entry([2], 0, 8)},"b":${entry([2], 0, 8)}}`, eight)],
    ["a tensor beyond the end", fileOf(`{"a":${entry([3], 0, 12)}}`, eight)],
    ["a range that runs backwards", fileOf(`{"a":${entry([1], 8, 4)}}`, eight)],
    ["a range of another length than its shape", fileOf(`{"a":${entry([3], 0, 8)}}`, eight)],
    ["a shape whose product is too large", fileOf(`{"a":${entry([huge, huge], 0, 8)}}`, eight)],
    ["a shape whose product is no number", fileOf(`{"a":${entry([...Array(30).fill(huge), 0], 0, 8)}}`, eight)],
    ["a negative length", fileOf(`{"a":${entry([-2], 0, 8)}}`, eight)],
    ["half a number", fileOf(`{"a":${entry([0.5], 0, 2)}}`, eight)],
    ["a range of three numbers", fileOf('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}', eight)],
    ["no type", fileOf('{"a":{"shape":[2],"data_offsets":[0,8]}}', eight)],
    ["another type of the wrong length", fileOf('{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}', eight)],
    ["an unknown type beyond the end", fileOf('{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,9]}}', eight)],
    [
      "unknown types that run past the end and back",
      fileOf(
        '{"a":{"dtype":"F4","shape":[9],"data_offsets":[0,8]},"b":{"dtype":"F4","shape":[9],"data_offsets":[8,4]}}',
        new Uint8Array(4),
      ),
    ],
    ["an unknown type of no shape", fileOf('{"a":{"dtype":"F4","shape":[-1],"data_offsets":[0,8]}}', eight)],
    ["a type that is no text", fileOf('{"a":{"dtype":{"toString":1},"shape":[2],"data_offsets":[0,8]}}', eight)],
    ["a tensor that is null", fileOf('{"a":null}', eight)],
    ["a tensor that is a text", fileOf('{"a":"F32"}', eight)],
    ["a key that stands twice", fileOf(`{"a":${entry([0], 0, 0)},"a":${entry([2], 0, 8)}}`, eight)],
    ["a key twice, once in escapes", fileOf(`{"a":${entry([0], 0, 0)},"\\u0061":${entry([2], 0, 8)}}`, eight)],
    ["a part of a tensor twice", fileOf('{"a":{"dtype":"F32","shape":[9],"shape":[2],"data_offsets":[0,8]}}', eight)],
    ["metadata that is no text", fileOf(`{"__metadata__":{"a":1},"a":${entry([2], 0, 8)}}`, eight)],
    ["metadata that is no object", fileOf(`{"__metadata__":"text","a":${entry([2], 0, 8)}}`, eight)],
  ])("is refused: %s", (_, bytes) => {
    expect(read(bytes)).toMatch(/^checkpoint: .*\. The file is damaged or incomplete; use another copy\.$/);
  });

  test("is refused for its depth alone, before anything is made of it", () => {
    for (const deep of [`${"[".repeat(1e6)}${"]".repeat(1e6)}`, '{"a":'.repeat(1e6)]) {
      expect(read(fileOf(`{"a":${deep}`, eight))).toContain("its header is nested too deeply");
    }
  });

  test("cannot reach a prototype by its names", () => {
    const file = fileOf(`{"__metadata__":{"__proto__":"x"},"__proto__":${entry([2], 0, 8)}}`, eight);
    const found = read(file) as Safetensors;
    expect([...found.tensors.keys()]).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
    expect(Object.getPrototypeOf(found.metadata)).toBe(Object.prototype);
  });

  test("is refused without a copy of what it claims many times over", () => {
    const data = new Uint8Array(2 ** 22);
    const claims = Array.from({ length: 5000 }, (_, i) => `"t${i}":${entry([2 ** 20], 0, 2 ** 22)}`);
    const file = fileOf(`{${claims.join()}}`, data);
    const before = process.memoryUsage().arrayBuffers;
    const copies = [vi.spyOn(ArrayBuffer.prototype, "slice"), vi.spyOn(Uint8Array.prototype, "slice")];
    expect(read(file)).toContain("begins at byte 0, where byte 4194304 is next");
    expect(copies.flatMap(({ mock }) => mock.calls).length).toBeLessThan(10);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * data.byteLength);
    vi.restoreAllMocks();
  });

  // Were it the square of the length, it would take hours: the test's time limit is the judge.
  test("is read in time that grows with its length only", { timeout: 120_000 }, () => {
    const empty = Array.from({ length: 200_000 }, (_, i) => `"t${i}":${entry([0], 0, 0)}`);
    expect((read(fileOf(`{${empty.join()}}`, new Uint8Array())) as Safetensors).tensors.size).toBe(200_000);
    const long = "x".repeat(2e7);
    expect((read(fileOf(`{"__metadata__":{"a":"${long}"}}`, new Uint8Array())) as Safetensors).metadata.a).toBe(long);
  });
});
