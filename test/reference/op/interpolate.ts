// Y[o] between the two pixels of X beside it, along both axes; dX: each pixel gets back what outputs took of it.

import { size } from "../../../src/op/tensor.ts";
import type { Facts, Twin } from "../twin.ts";

/** For each output along an axis the pixels that it takes of, with the share of each. */
function taken(small: number, times: number, alignCorners: boolean): readonly (readonly [number, number])[][] {
  const large = small * times;
  return Array.from({ length: large }, (_, o) => {
    const free = alignCorners ? (large === 1 ? 0 : (o * (small - 1)) / (large - 1)) : (o + 0.5) / times - 0.5;
    const at = Math.min(Math.max(free, 0), small - 1);
    const low = Math.min(Math.floor(at), small - 1);
    return at === low
      ? [[low, 1]]
      : [
          [low, low + 1 - at],
          [low + 1, at - low],
        ];
  });
}

/** Calls `visit` for each output and each pixel that it takes of: their places, and the share. */
function eachShare(
  [batch, height, width, channels]: readonly number[],
  { attributes }: Facts,
  visit: (output: number, pixel: number, share: number) => void,
): void {
  const [down, across] = attributes.size as readonly [number, number];
  const aligned = attributes.alignCorners === true;
  const [rows, columns] = [taken(height!, down, aligned), taken(width!, across, aligned)];
  for (let b = 0; b < batch!; b++) {
    for (const [oy, ys] of rows.entries()) {
      for (const [ox, xs] of columns.entries()) {
        for (const [y, shareY] of ys) {
          for (const [x, shareX] of xs) {
            for (let c = 0; c < channels!; c++) {
              const output = ((b * rows.length + oy) * columns.length + ox) * channels! + c;
              visit(output, ((b * height! + y) * width! + x) * channels! + c, shareY * shareX);
            }
          }
        }
      }
    }
  }
}

export const interpolate: Twin = ([x], facts, _step, round) => {
  const y = new Float64Array(size(facts.outputs[0]!.shape));
  eachShare(facts.inputs[0]!.shape, facts, (o, p, share) => (y[o] = round(y[o]! + round(round(share) * x![p]!))));
  return [y];
};

export const interpolateBackward: Twin = ([dy], facts, _step, round) => {
  const dx = new Float64Array(size(facts.outputs[0]!.shape));
  eachShare(facts.outputs[0]!.shape, facts, (o, p, share) => (dx[p] = round(dx[p]! + round(round(share) * dy![o]!))));
  return [dx];
};
