// Y = the mean of X over the positions of each window that lie in the image. dX: each of them takes an equal share of dY.

import { size } from "../../../src/op/tensor.ts";
import type { Facts, Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

/** Calls `visit` for all that windows see of images of a shape: places of the number and of the output, and how many it sees. */
function eachSeen(
  shape: readonly number[],
  { attributes }: Facts,
  visit: (x: number, y: number, seen: number) => void,
) {
  const window = axes(shape, attributes.kernel as readonly number[], attributes);
  const seen: number[] = [];
  const [height, width] = attributes.kernel as [number, number];
  eachTap(shape[0]!, window, (_, output) => {
    seen[output] = attributes.countPadding === true ? height * width : (seen[output] ?? 0) + 1;
  });
  const channels = shape[3]!;
  eachTap(shape[0]!, window, (input, output) => {
    for (let c = 0; c < channels; c++) visit(input * channels + c, output * channels + c, seen[output]!);
  });
}

export const averagePool2d: Twin = ([x], facts, _step, round) => {
  const y = new Float64Array(size(facts.outputs[0]!.shape));
  const counts = new Float64Array(y.length);
  eachSeen(facts.inputs[0]!.shape, facts, (from, to, seen) => {
    y[to] = round(y[to]! + x![from]!);
    counts[to] = seen;
  });
  return [y.map((sum, i) => round(sum / counts[i]!))];
};

export const averagePool2dBackward: Twin = ([dy], facts, _step, round) => {
  const dx = new Float64Array(size(facts.outputs[0]!.shape));
  eachSeen(facts.outputs[0]!.shape, facts, (to, from, seen) => (dx[to] = round(dx[to]! + round(dy![from]! / seen))));
  return [dx];
};
