// dX: each window hands its gradient to the position of the tap that it chose.

import { size } from "../../../src/op/tensor.ts";
import type { Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

export const maxPool2dBackward: Twin = ([dy, taps], { outputs, attributes }, _step, round) => {
  const { shape } = outputs[0]!;
  const [batch, , , channels] = shape as [number, number, number, number];
  const kernel = attributes.kernel as readonly number[];
  const dx = new Float64Array(size(shape));
  eachTap(batch, axes(shape, kernel, attributes), (input, output, tap) => {
    for (let c = 0; c < channels; c++) {
      const from = output * channels + c;
      const to = input * channels + c;
      if (taps![from] === tap) dx[to] = round(dx[to]! + dy![from]!);
    }
  });
  return [dx];
};
