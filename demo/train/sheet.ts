// One grey image of many pictures in rows, twice as large, with the captions under them.

import type { Pictures } from "../tasks/task.ts";

const SCALE = 2;
/** Pixels between pictures, and around all. */
const GAP = 4;
const BACKGROUND = 64;
const INK = 255;

/** Rows of three bits. */
const glyphs: Readonly<Record<string, readonly number[]>> = {
  0: [7, 5, 5, 5, 7],
  1: [2, 6, 2, 2, 7],
  2: [7, 1, 7, 4, 7],
  3: [7, 1, 3, 1, 7],
  4: [5, 5, 7, 1, 1],
  5: [7, 4, 7, 1, 7],
  6: [7, 4, 7, 5, 7],
  7: [7, 1, 2, 2, 2],
  8: [7, 5, 7, 5, 7],
  9: [7, 5, 7, 1, 7],
  "≠": [1, 7, 2, 7, 4],
  " ": [0, 0, 0, 0, 0],
};
/** Of a glyph and the space beside it. */
const [GLYPH_WIDTH, GLYPH_HEIGHT] = [4, 5];

export interface Sheet {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

export function sheetOf({ height, width, columns, pixels, captions }: Pictures): Sheet {
  const count = pixels.length / (height * width);
  const line = captions === undefined ? 0 : GLYPH_HEIGHT * SCALE + GAP;
  const [down, across] = [height * SCALE + line + GAP, width * SCALE + GAP];
  const sheet = { height: Math.ceil(count / columns) * down + GAP, width: columns * across + GAP };
  const made = new Uint8Array(sheet.height * sheet.width).fill(BACKGROUND);

  /** Puts a picture with its upper left corner at (top, left); of `grey` where it is undefined nothing is drawn. */
  function put(
    top: number,
    left: number,
    [rows, cells]: readonly [number, number],
    grey: (y: number, x: number) => number | undefined,
  ): void {
    for (let y = 0; y < rows * SCALE; y++) {
      for (let x = 0; x < cells * SCALE; x++) {
        const shade = grey(Math.floor(y / SCALE), Math.floor(x / SCALE));
        if (shade !== undefined) made[(top + y) * sheet.width + left + x] = shade;
      }
    }
  }

  for (let n = 0; n < count; n++) {
    const top = GAP + Math.floor(n / columns) * down;
    const left = GAP + (n % columns) * across;
    put(top, left, [height, width], (y, x) => pixels[(n * height + y) * width + x]);
    for (const [i, character] of [...(captions?.[n] ?? "")].entries()) {
      const rows = glyphs[character] ?? [];
      const at = left + i * GLYPH_WIDTH * SCALE;
      put(top + height * SCALE + GAP, at, [GLYPH_HEIGHT, GLYPH_WIDTH - 1], (y, x) =>
        ((rows[y] ?? 0) >> (2 - x)) & 1 ? INK : undefined,
      );
    }
  }
  return { ...sheet, pixels: made };
}
