// Pictures before they reach a device: the f64 twin of what the GPU tests hold kernels against is PyTorch's resize, and what is no picture, or has
// nothing to see, is refused by name.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fromPixels, type Pixels } from "../../src/image/index.ts";
import { pictureOf } from "../../src/image/pixels.ts";
import type { Trainer } from "../../src/index.ts";
import { resized } from "../reference/resized.ts";

interface Case {
  readonly picture: { readonly height: number; readonly width: number; readonly rgb: readonly number[] };
  readonly size: readonly [height: number, width: number];
  readonly antialias: boolean;
  readonly values: readonly number[];
}

const { cases } = JSON.parse(readFileSync("test/golden/resized.json", "utf8")) as { cases: readonly Case[] };

test.each(
  cases.map(
    (one) =>
      [`${one.picture.height} x ${one.picture.width} to ${one.size.join(" x ")}, ${one.antialias}`, one] as const,
  ),
)("the twin resizes as PyTorch does: %s", (_, { picture: { height, width, rgb }, size, antialias, values }) => {
  const data = Uint8Array.from({ length: 4 * height * width }, (_, i) =>
    i % 4 === 3 ? 255 : (rgb[3 * Math.floor(i / 4) + (i % 4)] as number),
  );
  const found = resized({ data, width, height }, [...size, 3], { antialias, centerCrop: false });
  expect(found.length).toBe(values.length);
  for (const [i, value] of values.entries()) expect(Math.abs((found[i] as number) - value)).toBeLessThan(1e-6);
});

/** Something that calls itself so, as classes of a browser do. */
const called = (name: string, members: object): unknown => ({ ...members, [Symbol.toStringTag]: name });

test.each<[unknown, string]>([
  [undefined, "DataError: x is undefined. Give an ImageBitmap, HTMLCanvasElement, "],
  [[1, 2], "DataError: x is a list. "],
  [new Uint8Array(4), "DataError: x is "],
  [
    called("ImageBitmap", { width: 0, height: 0 }),
    "DataError: x, an ImageBitmap, is empty: it has 0 x 0 pixels. It was closed",
  ],
  [
    called("HTMLCanvasElement", { width: 3, height: 0 }),
    "DataError: x, an HTMLCanvasElement, is empty: it has 3 x 0 pixels. ",
  ],
  [
    called("HTMLImageElement", { complete: false, naturalWidth: 9, naturalHeight: 9 }),
    "DataError: x, an HTMLImageElement, is empty: it has 0 x 0 pixels. Wait until it has loaded: await image.decode().",
  ],
  [
    called("HTMLVideoElement", { readyState: 1, videoWidth: 640, videoHeight: 480 }),
    "DataError: x, an HTMLVideoElement, is empty: it has 0 x 0 pixels. Wait for its first picture: its event loadeddata.",
  ],
  [called("VideoFrame", { displayWidth: 0, displayHeight: 0 }), "DataError: x, a VideoFrame, is empty"],
  [{ data: new Uint8Array(15), width: 2, height: 2 }, "ShapeError: x.data has 15 bytes, 2 x 2 pixels have 16. "],
  [{ data: new Float32Array(16), width: 2, height: 2 }, "DataError: x.data is a Float32Array. Give bytes"],
  [
    { data: new Uint8Array(0), width: 0, height: 2 },
    "DataError: x.width is 0. It must be a whole number of pixels, at least 1.",
  ],
])("what is no picture is refused: %o", (pixels, message) => {
  let said = "";
  try {
    pictureOf("x", pixels);
  } catch (error) {
    said = `${(error as Error).name}: ${(error as Error).message}`;
  }
  expect(said).toContain(message);
});

test.each([undefined, {}, { network: {} }])("what is no trainer is refused: %o", (trainer) =>
  expect(fromPixels(trainer as Trainer, [] as Pixels[])).rejects.toThrow(
    "it takes a trainer of compile or a network of inference.",
  ),
);
