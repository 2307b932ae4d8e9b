// Data sets of gradus/dataset: which rows stand where, what is read and held for them, and what is refused.

import { describe, expect, test } from "vitest";
import {
  arrays,
  type BatchOptions,
  type ByteSource,
  balance,
  batch,
  type Dataset,
  join,
  map,
  records,
  shuffle,
  split,
  take,
  whole,
} from "../../src/dataset/index.ts";
import { OptionError, type Samples } from "../../src/index.ts";

/** Rows of two numbers, 10 i and 10 i + 1, and the label i. */
const numbers = (count: number) => ({
  x: Float32Array.from({ length: 2 * count }, (_, i) => 10 * Math.floor(i / 2) + (i % 2)),
  y: Uint8Array.from({ length: count }, (_, i) => i),
});
const small = (count: number) => arrays(numbers(count), { input: [2] });

/** A file of records: the label i as a byte, then so many numbers of f32 from i on; told of each read. */
function file(count: number, skip = 0, width = 3) {
  const row = 1 + 4 * width;
  const bytes = new Uint8Array(skip + count * row);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    bytes[skip + row * i] = i % 256;
    for (let j = 0; j < width; j++) view.setFloat32(skip + row * i + 1 + 4 * j, i + j / 4, true);
  }
  const reads: (readonly [offset: number, length: number])[] = [];
  const source: ByteSource = {
    size: bytes.length,
    read(offset, length) {
      reads.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  };
  return { bytes, reads, source };
}
const fields = { y: { shape: [], dtype: "u8" }, x: { shape: [3], dtype: "f32" } } as const;

const labelsOf = async (set: Dataset): Promise<number[]> => [...((await whole(set)).y as Uint8Array)];
async function walked(from: AsyncIterator<Samples>): Promise<Samples[]> {
  const found: Samples[] = [];
  for (let next = await from.next(); next.done !== true; next = await from.next()) found.push(next.value);
  return found;
}
const labels = (all: readonly Samples[]): number[][] => all.map(({ y }) => [...(y as Uint8Array)]);
const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

describe("rows", () => {
  test("of arrays keep their kind, whether flat, nested or by name, and what is told of them", async () => {
    const rows = await whole(take(shuffle(small(5), { seed: 2 }), 5));
    const order = [...(rows.y as Uint8Array)];
    expect(order).not.toEqual(range(5));
    expect([...order].sort()).toEqual(range(5));
    expect(rows.x).toEqual(Float32Array.from(order.flatMap((i) => [10 * i, 10 * i + 1])));
    const nested = arrays({
      x: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      y: [7, 8, 9],
      mean: 2,
    });
    expect(await whole(take(nested, 2))).toEqual({
      x: [
        [1, 2],
        [3, 4],
      ],
      y: [7, 8],
      mean: 2,
    });
    const named = arrays(
      { x: { a: new Uint8Array([1, 2, 3, 4]), b: [5, 6] }, y: { c: [[7], [8]] } },
      { input: { a: { shape: [2], classes: 9 }, b: [1] } },
    );
    expect(await whole(shuffle(named, { seed: 1 }))).toEqual(
      expect.objectContaining({ x: { a: expect.any(Uint8Array), b: expect.any(Array) } }),
    );
    const one = await named.rows(Uint32Array.of(1));
    expect(one).toEqual({ x: { a: new Uint8Array([3, 4]), b: [6] }, y: { c: [[8]] } });
  });

  test("of a file are what stands there, in any order, and neighbours come in one read", async () => {
    const { source, reads } = file(100, 7);
    const set = records(source, fields, { skip: 7 });
    expect([set.count, set.bytes]).toEqual([100, 13]);
    const { x, y } = await set.rows(Uint32Array.of(3, 4, 5, 90, 2));
    expect([...(y as Uint8Array)]).toEqual([3, 4, 5, 90, 2]);
    expect([...(x as Float32Array)]).toEqual([3, 4, 5, 90, 2].flatMap((i) => [i, i + 0.25, i + 0.5]));
    // What lies between them costs less than another read does.
    expect(reads).toEqual([
      [7 + 3 * 13, 88 * 13],
      [7 + 2 * 13, 13],
    ]);
    expect(await whole(records(new Blob([file(9).bytes]), fields))).toEqual(
      await whole(records(file(9).source, fields)),
    );
  });

  test("far from one another are not read with what lies between, and no read is larger than a mebibyte", async () => {
    const reads: number[] = [];
    const source = {
      size: 2 ** 23,
      read(_: number, length: number) {
        reads.push(length);
        return new Uint8Array(length);
      },
    };
    const set = records(source, { x: { shape: [1024], dtype: "u8" } });
    await set.rows(Uint32Array.of(0, 1, 18, 40));
    expect(reads.splice(0)).toEqual([19 * 1024, 1024]);
    await whole(set);
    expect(reads).toEqual(new Array(8).fill(2 ** 20));
  });

  test("have every type of number, by name too", async () => {
    const bytes = new Uint8Array(2 * 31);
    const view = new DataView(bytes.buffer);
    for (const row of [0, 1]) {
      const at = row * 31;
      view.setInt8(at, -1 - row);
      view.setUint16(at + 1, 60_000 + row, true);
      view.setInt16(at + 3, -300, true);
      view.setUint32(at + 5, 2 ** 31 + row, true);
      view.setInt32(at + 9, -(2 ** 30), true);
      view.setFloat32(at + 13, 0.5 + row, true);
      view.setFloat64(at + 17, 0.1 + row, true);
      bytes.set([1, 2, 3, 4, 5, 6], at + 25);
    }
    const one = (dtype: string) => ({ shape: [], dtype: dtype as "u8" });
    const set = records(new Blob([bytes]), {
      x: { a: one("i8"), b: one("u16"), c: one("i16"), d: one("u32"), e: one("i32"), f: one("f32"), g: one("f64") },
      y: { shape: [2, 3], dtype: "u8" },
    });
    expect(await whole(set)).toEqual({
      x: {
        a: Int8Array.of(-1, -2),
        b: Uint16Array.of(60_000, 60_001),
        c: Int16Array.of(-300, -300),
        d: Uint32Array.of(2 ** 31, 2 ** 31 + 1),
        e: Int32Array.of(-(2 ** 30), -(2 ** 30)),
        f: Float32Array.of(0.5, 1.5),
        g: Float64Array.of(0.1, 1.1),
      },
      y: Uint8Array.of(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6),
    });
  });

  test("of files side by side are joined", async () => {
    const images = new Blob([new Uint8Array(16), Uint8Array.from({ length: 12 }, (_, i) => i)]);
    const classes = new Blob([new Uint8Array(8), Uint8Array.of(9, 8, 7)]);
    const set = join(
      records(images, { x: { shape: [2, 2, 1], dtype: "u8" } }, { skip: 16 }),
      records(classes, { y: { shape: [], dtype: "u8" } }, { skip: 8 }),
    );
    expect([set.count, set.bytes]).toEqual([3, 5]);
    expect(await set.rows(Uint32Array.of(2, 0))).toEqual({
      x: Uint8Array.of(8, 9, 10, 11, 0, 1, 2, 3),
      y: Uint8Array.of(7, 9),
    });
  });
});

describe("parts", () => {
  test("by shares have each row once, in the order of the set, and others for another seed", async () => {
    const set = small(101);
    const [a, b, c] = (await Promise.all(split(set, [0.5, 0.3, 0.2], { seed: 3 }).map(labelsOf))) as [
      number[],
      number[],
      number[],
    ];
    expect([a.length, b.length, c.length]).toEqual([51, 30, 20]);
    expect([...a, ...b, ...c].sort((p, q) => p - q)).toEqual(range(101));
    for (const one of [a, b, c]) expect(one).toEqual(one.toSorted((p, q) => p - q));
    expect(await labelsOf(split(set, [0.5], { seed: 3 })[0]!)).toEqual(a);
    expect(await labelsOf(split(set, [0.5], { seed: 4 })[0]!)).not.toEqual(a);
    expect(await Promise.all(split(set, [0.9, 0.1]).map(labelsOf))).toEqual([range(91), range(10, 91)]);
  });

  test("that are balanced have as many rows of each class", async () => {
    const y = [0, 0, 0, 0, 0, 1, 1, 2];
    const set = arrays({ x: range(8), y }, { input: [1] });
    const most = await whole(balance(set, y));
    expect(most.y).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    const times = range(8).map((row) => (most.x as number[]).filter((one) => one === row).length);
    expect(times.slice(0, 5)).toEqual([1, 1, 1, 1, 1]);
    expect(times.slice(5, 7).sort()).toEqual([2, 3]);
    expect((await whole(balance(set, y, { to: "least" }))).y).toEqual([0, 1, 2]);
    const kept = async (seed: number) => (await whole(balance(set, y, { to: "least", seed }))).x;
    expect(new Set((await Promise.all(range(20).map(kept))).map(String)).size).toBeGreaterThan(3);
  });
});

describe("batches", () => {
  test("have each row once an epoch, each epoch its own order, and the last one what is left", async () => {
    const all = batch(small(23), 5, { shuffle: true, seed: 1 });
    expect(all.batches).toBe(5);
    const [first, again, second] = await Promise.all(
      [0, 0, 1].map(async (epoch) => labels(await walked(all.from(epoch, 0)))),
    );
    expect(first!.map(({ length }) => length)).toEqual([5, 5, 5, 5, 3]);
    expect(first!.flat().toSorted((p, q) => p - q)).toEqual(range(23));
    expect(again).toEqual(first);
    expect(second!.flat().toSorted((p, q) => p - q)).toEqual(range(23));
    expect(second).not.toEqual(first);
    const plain = batch(small(23), 5, { dropLast: true });
    expect([plain.batches, labels(await walked(plain.from(3, 0)))]).toEqual([4, range(4).map((i) => range(5, 5 * i))]);
    const seen: number[][] = [];
    for await (const { y } of plain) seen.push([...(y as Uint8Array)]);
    expect(seen.flat()).toEqual(range(20));
  });

  /** Windows of 2 blocks of 8 rows: the last block, of 4, comes anywhere. */
  const course: BatchOptions = { shuffle: true, seed: 7, block: 8, memory: (2 * 16 + 5) * 13 };

  test("of a file go by blocks: rows of a window come together, mixed, and blocks in a drawn order", async () => {
    const { source } = file(100);
    const all = batch(records(source, fields), 5, course);
    const order = (await walked(all.from(0, 0))).flatMap(({ y }) => [...(y as Uint8Array)]);
    expect(order.toSorted((p, q) => p - q)).toEqual(range(100));
    // Window by window, the blocks that it has.
    const windows: number[][] = [];
    for (let at = 0; at < 100; ) {
      const blocks = new Set<number>();
      let rows = 0;
      let many = at;
      while (many < 100 && (rows < 16 || blocks.size < 2)) {
        blocks.add(Math.floor(order[many]! / 8));
        rows = [...blocks].reduce((sum, one) => sum + Math.min(8, 100 - 8 * one), 0);
        if (blocks.size === 2 && many - at + 1 === rows) break;
        many++;
      }
      windows.push([...blocks]);
      at += blocks.size === 2 ? rows : 100;
    }
    expect(windows.map(({ length }) => length)).toEqual([2, 2, 2, 2, 2, 2, 1]);
    expect(windows.flat().toSorted((p, q) => p - q)).toEqual(range(13));
    expect(windows.flat()).not.toEqual(range(13));
    // Another epoch has other blocks beside one another.
    const next = (await walked(all.from(1, 0))).flatMap(({ y }) => [...(y as Uint8Array)]);
    const blocks = (rows: readonly number[]) => [...new Set(rows.map((row) => Math.floor(row / 8)))].sort();
    expect(blocks(next.slice(0, 12))).not.toEqual(blocks(order.slice(0, 12)));
    // Mixed within a window: no block comes as a whole first.
    expect(new Set(order.slice(0, 8).map((row) => Math.floor(row / 8))).size).toBe(2);
  });

  test.each([1, 6, 13, 19, 20])(
    "from batch %i on are those that were still to come, and what was passed is not read",
    async (from) => {
      const row = 1 + 4 * 600;
      const { source, reads } = file(100, 0, 600);
      const set = records(source, { ...fields, x: { shape: [600], dtype: "f32" } });
      const all = batch(set, 5, { ...course, memory: (2 * 16 + 5) * row });
      const whole = await walked(all.from(4, 0));
      const read = (): number => reads.splice(0).reduce((sum, [, length]) => sum + length, 0);
      expect(read()).toBe(100 * row);
      expect(await walked(all.from(4, from))).toEqual(whole.slice(from));
      const more = read();
      // The window in which it begins is read as a whole.
      expect(more).toBeLessThan((100 - 5 * from + 16) * row);
      expect(more).toBeGreaterThanOrEqual((100 - 5 * from) * row);
      if (from === 20) expect(more).toBe(0);
    },
  );

  test("hold what `memory` says at most, read ahead by one window, and let all of it go", async () => {
    const { source, reads } = file(100);
    const all = batch(records(source, fields), 5, course);
    const walk = all.from(0, 0);
    expect(all.held).toBe(0);
    await walk.next();
    // One window serves, the next one was asked for.
    expect(reads.length).toBeGreaterThanOrEqual(2);
    expect(all.held).toBeLessThanOrEqual(32 * 13);
    expect(all.held).toBeGreaterThan(16 * 13);
    await walked(walk);
    expect(all.held).toBe(0);
    expect(all.mostHeld).toBeLessThanOrEqual(course.memory!);
    expect(all.mostHeld).toBeGreaterThan(32 * 13);
    const left = all.from(1, 0);
    await left.next();
    await left.return?.();
    expect(all.held).toBe(0);
  });

  test("read a large file in blocks of 256 KiB: so many reads, each byte once", async () => {
    const reads: number[] = [];
    const source = {
      size: 5000 * 12_289,
      read(_: number, length: number) {
        reads.push(length);
        return new Uint8Array(length);
      },
    };
    const set = records(source, { y: { shape: [], dtype: "u8" }, x: { shape: [64, 64, 3], dtype: "u8" } });
    const all = batch(set, 64, { shuffle: true, memory: 8e6 });
    let rows = 0;
    for await (const { y } of all) rows += (y as Uint8Array).length;
    expect([rows, reads.reduce((sum, length) => sum + length, 0)]).toEqual([5000, 5000 * 12_289]);
    expect(all.mostHeld).toBeLessThanOrEqual(8e6);
    // 22 rows a block; blocks that are neighbours in a window may be one read.
    expect(reads.length).toBeLessThanOrEqual(Math.ceil(5000 / 22));
    expect(reads.length).toBeGreaterThan(150);
  });

  test("are mapped by their places, and taken", async () => {
    const all = batch(small(20), 5);
    const places: object[] = [];
    const mapped = map(all, async ({ x, y }, place) => {
      places.push(place);
      return { x, y: (y as Uint8Array).map((label) => label + 100) };
    });
    expect(mapped.batches).toBe(4);
    expect(labels(await walked(mapped.from(2, 3)))).toEqual([range(5, 115)]);
    expect(places).toEqual([{ epoch: 2, batch: 3 }]);
    const few = take(mapped, 2);
    expect(few.batches).toBe(2);
    expect(labels(await walked(few.from(0, 1)))).toEqual([range(5, 105)]);
    expect(await walked(few.from(0, 2))).toEqual([]);
    // An iterable that knows no places is walked over.
    const list = [numbers(2), numbers(3), numbers(4)];
    expect(labels(await walked(map(list, (one) => one).from(5, 2)))).toEqual([range(4)]);
    expect(map(list, (one) => one).batches).toBeUndefined();
  });

  test("tell of a file that fails, where it is waited for, and let go", async () => {
    const { source } = file(100);
    let reads = 0;
    const failing: ByteSource = {
      size: source.size,
      read(offset, length) {
        if (++reads === 3) throw new Error("the disk is gone");
        return source.read(offset, length);
      },
    };
    const all = batch(records(failing, fields), 5, { ...course, shuffle: false });
    await expect(walked(all.from(0, 0))).rejects.toThrow("the disk is gone");
    expect(all.held).toBe(0);
    const short = { size: source.size, read: (offset: number, length: number) => source.read(offset, length - 1) };
    await expect(whole(records(short, fields))).rejects.toThrow(
      "records: 1299 of 1300 bytes came from place 0. Is the file whole?",
    );
  });
});

const any = (value: unknown) => value as never;
const set = small(10);
test.each<readonly [string, () => unknown]>([
  [
    "arrays: x is 4 numbers after one another, and nothing says how many a row has. Give the shape of one, { input: [28, 28, 1] }.",
    () => arrays({ x: [1, 2, 3, 4] }),
  ],
  [
    "arrays: x has 5 numbers, which is no multiple of the 2 of a row. Check input.",
    () => arrays({ x: [1, 2, 3, 4, 5] }, { input: [2] }),
  ],
  [
    "arrays: y has 3 entries, which is no multiple of 2 rows. Give as many of each, and the shape of a row of x as input.",
    () => arrays({ x: [1, 2], y: [1, 2, 3] }, { input: [1] }),
  ],
  ["arrays: data.x is undefined. Give { x, y } with arrays of numbers.", () => arrays(any({}))],
  ["arrays: its options are 2, they must be an object.", () => arrays({ x: [[1]] }, any(2))],
  ["arrays: input is 2, it must be a shape, or shapes by name.", () => arrays({ x: [1] }, any({ input: 2 }))],
  ['arrays: it has no "inputs". It may have input.', () => arrays({ x: [1] }, any({ inputs: [1] }))],
  [
    "split: [object Object] is no data set. Give what arrays(), records() or another function of gradus/dataset made.",
    () => split(any({ x: [1] }), [1]),
  ],
  ["split: its shares add up to 1.5, they must be at most 1 together.", () => split(set, [0.9, 0.6])],
  ["split: share 1 is -1, it must be a number from 0 to 1.", () => split(set, [0.9, -1])],
  ["split: share 0 is 0.01, which leaves no row of 10. Give more rows, or another share.", () => split(set, [0.01])],
  ["split: its shares are 0.5. Give a list, [0.9, 0.1].", () => split(set, any(0.5))],
  ["shuffle: seed is 0.5, it must be a whole number.", () => shuffle(set, { seed: 0.5 })],
  ["balance: its labels are 3, the set has 10 rows. Give a label for each.", () => balance(set, [1, 2, 3])],
  ['balance: to is "all", it must be "most" or "least".', () => balance(set, range(10), any({ to: "all" }))],
  ["join: its sets have 10 and 3 rows. Give as many of each.", () => join(set, small(3))],
  ["join: it was given no set. Give at least one.", () => join()],
  ["take: 11 rows are asked for, the set has 10. Take fewer.", () => take(set, 11)],
  ["take: count is 0, it must be a whole number of at least 1.", () => take(set, 0)],
  ["take: 5 is no batches. Give what batch() made, or an iterable of { x, y }.", () => take(any(5), 1)],
  ["map: change is undefined, it must be a function.", () => map([], any(undefined))],
  ["batch: size is 0, it must be a whole number of at least 1.", () => batch(set, 0)],
  [
    'batch: it has no "shufle". It may have seed, shuffle, dropLast, memory, block.',
    () => batch(set, 1, any({ shufle: true })),
  ],
  ["batch: its options are 5, they must be an object.", () => batch(set, 1, any(5))],
  [
    "batch: the set has 10 rows and a batch 11, so that dropLast leaves none. Give smaller batches.",
    () => batch(set, 11, { dropLast: true }),
  ],
  [
    "batch: memory is 90 bytes, a batch of 5 rows and two more of 13 bytes each are 91. Give at least these.",
    () => batch(records(file(9).source, fields), 5, { memory: 90 }),
  ],
  [
    "records: 5 is nothing to read from. Give a Blob, a File, or { size, read(offset, length) }.",
    () => records(any(5), fields),
  ],
  ['records: a record has no "z". It may have x, y, weight.', () => records(new Blob([]), any({ z: fields.x }))],
  [
    'records: x.dtype is "float", it must be one of u8, i8, u16, i16, u32, i32, f32, f64.',
    () => records(new Blob([]), any({ x: { shape: [], dtype: "float" } })),
  ],
  [
    "records: x.shape is [2, 0]. Give lengths of at least 1, such as [64, 64, 3], or [] for a number.",
    () => records(new Blob([]), { x: { shape: [2, 0], dtype: "u8" } }),
  ],
  [
    'records: a record has no fields. Write { x: { shape: [28, 28, 1], dtype: "u8" } }.',
    () => records(new Blob([]), {}),
  ],
  [
    "records: the source has 117 bytes, of which 1 are skipped; records of 13 bytes do not fit. Check skip, count and fields.",
    () => records(file(9).source, fields, { skip: 1 }),
  ],
  [
    "records: the source has 117 bytes, of which 0 are skipped; 10 records of 13 bytes do not fit. Check skip, count and fields.",
    () => records(file(9).source, fields, { count: 10 }),
  ],
])("%s", (message, call) => {
  expect(call).toThrow(message);
});

test("what is wrong with options is an OptionError", () => {
  expect(() => batch(set, 0)).toThrow(OptionError);
});
