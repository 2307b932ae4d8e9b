// A picture as a sample, in f64 and plain loops: its part in the middle, resized as PyTorch does (bilinear, align_corners=false, antialias), seen
// before a background, in 1, 3 or 4 channels.

import type { FromPixelsOptions, PixelData } from "../../src/image/index.ts";

type Options = Pick<FromPixelsOptions, "centerCrop" | "antialias"> & { readonly background?: readonly number[] };

/** For each place of an axis the pixels that it is made of, with their weights. */
function taps(
  part: number,
  size: number,
  antialias: boolean,
): (readonly (readonly [pixel: number, weight: number])[])[] {
  const scale = part / size;
  const wide = antialias ? Math.max(1, scale) : 1;
  return Array.from({ length: size }, (_, i) => {
    const all = Array.from({ length: part }, (_, pixel) => {
      const weight = 1 - Math.abs(pixel + 0.5 - (i + 0.5) * scale) / wide;
      return [pixel, Math.max(0, weight)] as const;
    }).filter(([, weight]) => weight > 0);
    const sum = all.reduce((total, [, weight]) => total + weight, 0);
    return all.map(([pixel, weight]) => [pixel, weight / sum] as const);
  });
}

/** Numbers from 0 to 255, [height, width, channels]. */
export function resized(
  { data, width, height }: PixelData,
  [h, w, channels]: readonly [number, number, number],
  { centerCrop = true, antialias = true, background = [255, 255, 255] }: Options = {},
): Float64Array {
  const tall = centerCrop ? Math.max(1, Math.min(height, Math.round((width * h) / w))) : height;
  const wide = centerCrop ? Math.max(1, Math.min(width, Math.round((height * w) / h))) : width;
  const [top, left] = [Math.floor((height - tall) / 2), Math.floor((width - wide) / 2)];
  const color = (y: number, x: number): number[] => {
    const rgba = [...data.subarray(4 * ((top + y) * width + left + x)).subarray(0, 4)];
    const alpha = (rgba[3] as number) / 255;
    if (channels === 4) return rgba;
    return rgba.slice(0, 3).map((value, c) => value * alpha + (background[c] as number) * (1 - alpha));
  };
  const [rows, columns] = [taps(tall, h, antialias), taps(wide, w, antialias)];
  const out = new Float64Array(h * w * channels);
  for (const [i, row] of rows.entries()) {
    for (const [j, column] of columns.entries()) {
      const sum = [0, 0, 0, 0];
      for (const [y, a] of row)
        for (const [x, b] of column)
          for (const [c, value] of color(y, x).entries()) sum[c] = (sum[c] as number) + a * b * value;
      const [red = 0, green = 0, blue = 0] = sum;
      const told = channels === 1 ? [0.299 * red + 0.587 * green + 0.114 * blue] : sum.slice(0, channels);
      out.set(told, (i * w + j) * channels);
    }
  }
  return out;
}
