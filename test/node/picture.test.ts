// Pictures of the tasks as one PNG file: read again by its parts, it holds what it was made of.

import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { png } from "../../demo/train/png.ts";
import { sheetOf } from "../../demo/train/sheet.ts";

/** Three pictures of 1 x 2 pixels, two in a row. */
const pictures = { height: 1, width: 2, columns: 2, pixels: Uint8Array.of(10, 20, 30, 40, 50, 60) };

test("pictures stand in rows, twice as large, with gaps around them", () => {
  const { height, width, pixels } = sheetOf(pictures);
  expect([height, width]).toEqual([2 * (2 + 4) + 4, 2 * (4 + 4) + 4]);
  const row = (y: number): number[] => [...pixels.subarray(y * width, (y + 1) * width)];
  const gap = [64, 64, 64, 64];
  expect(row(0)).toEqual(new Array(20).fill(64));
  expect(row(4)).toEqual([...gap, 10, 10, 20, 20, ...gap, 30, 30, 40, 40, ...gap]);
  expect(row(5)).toEqual(row(4));
  expect(row(10)).toEqual([...gap, 50, 50, 60, 60, ...new Array(12).fill(64)]);
});

test("captions stand under their pictures", () => {
  const { height, width, pixels } = sheetOf({ ...pictures, width: 6, pixels: new Uint8Array(6), captions: ["7"] });
  const ink = Array.from({ length: height }, (_, y) =>
    [...pixels.subarray(y * width, (y + 1) * width)].map((shade) => (shade === 255 ? "#" : ".")).join(""),
  );
  const left = [10, 12, 14, 16, 18].map((y) => ink[y]?.slice(4, 10));
  expect(left).toEqual(["######", "....##", "..##..", "..##..", "..##.."]);
});

interface Chunk {
  readonly kind: string;
  readonly data: Buffer;
  readonly crc: number;
}

function chunksOf(file: Buffer): Chunk[] {
  const found: Chunk[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const kind = file.toString("latin1", at + 4, at + 8);
    found.push({ kind, data: file.subarray(at + 8, at + 8 + length), crc: file.readUInt32BE(at + 8 + length) });
    at += length + 12;
  }
  return found;
}

test("the file has the chunks of a grey PNG, row by row without filters", () => {
  const sheet = sheetOf(pictures);
  const [header, body, end] = chunksOf(png(pictures)) as [Chunk, Chunk, Chunk];
  expect([header.kind, body.kind, end.kind]).toEqual(["IHDR", "IDAT", "IEND"]);
  expect([header.data.readUInt32BE(0), header.data.readUInt32BE(4)]).toEqual([sheet.width, sheet.height]);
  expect([...header.data.subarray(8)]).toEqual([8, 0, 0, 0, 0]);
  expect(end.crc).toBe(0xae426082); // the same in every PNG
  const rows = inflateSync(body.data);
  expect(rows.length).toBe(sheet.height * (sheet.width + 1));
  for (let y = 0; y < sheet.height; y++) {
    const row = rows.subarray(y * (sheet.width + 1), (y + 1) * (sheet.width + 1));
    expect([...row]).toEqual([0, ...sheet.pixels.subarray(y * sheet.width, (y + 1) * sheet.width)]);
  }
});
