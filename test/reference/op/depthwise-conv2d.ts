// C = A under a filter for each channel, and both ways back.

import { size } from "../../../src/op/tensor.ts";
import type { Facts, Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

/** Calls `visit` for every product: places of the pixel, of the position, and of the weight. */
function eachProduct(
  [batch, height, width, channels]: readonly number[],
  { attributes }: Facts,
  visit: (pixel: number, position: number, weight: number) => void,
): void {
  const window = axes([batch!, height!, width!], attributes.kernel as readonly number[], attributes);
  eachTap(batch!, window, (input, output, tap) => {
    for (let c = 0; c < channels!; c++) visit(input * channels! + c, output * channels! + c, tap * channels! + c);
  });
}

export const depthwiseConv2d: Twin = ([a, b], facts, _step, round) => {
  const c = new Float64Array(size(facts.outputs[0]!.shape));
  eachProduct(facts.inputs[0]!.shape, facts, (pixel, position, weight) => {
    c[position] = round(c[position]! + round(a![pixel]! * b![weight]!));
  });
  return [c];
};

export const depthwiseConv2dBackwardInput: Twin = ([dc, b], facts, _step, round) => {
  const da = new Float64Array(size(facts.outputs[0]!.shape));
  eachProduct(facts.outputs[0]!.shape, facts, (pixel, position, weight) => {
    da[pixel] = round(da[pixel]! + round(dc![position]! * b![weight]!));
  });
  return [da];
};

/** In parts: of the strips of lines, counted through the batch, each takes as many that follow one another. */
export const depthwiseConv2dBackwardFilter: Twin = ([a, dc], facts, _step, round) => {
  const splits = facts.attributes.splits as number;
  const [batch = 0, down = 0, across = 0, channels = 0] = facts.inputs[1]!.shape;
  const strip = Math.ceil(across / Math.ceil(across / 8));
  const strips = Math.ceil(across / strip);
  const height = Math.ceil((batch * down * strips) / splits);
  const db = new Float64Array(size(facts.outputs[0]!.shape));
  eachProduct(facts.inputs[0]!.shape, facts, (pixel, position, weight) => {
    const at = Math.floor(position / channels);
    const before = Math.floor(at / across) * strips + Math.floor((at % across) / strip);
    const to = (Math.floor(before / height) * db.length) / splits + weight;
    db[to] = round(db[to]! + round(a![pixel]! * dc![position]!));
  });
  return [db];
};
