// dX[b, iy, ix, c] += sum over f of dY[b, oy, ox, f] W[ky, kx, c, f], for every tap through which x acts on y.

import { size, type Tensor } from "../../../src/op/tensor.ts";
import { dot } from "../product.ts";
import type { Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

export const conv2dBackwardInput: Twin = ([dy, w], { inputs, outputs, attributes }, _step, round) => {
  const [, filter] = inputs as [Tensor, Tensor];
  const { shape } = outputs[0]!;
  const [batch, , , channels] = shape as [number, number, number, number];
  const filters = filter.shape[3]!;
  const dx = new Float64Array(size(shape));
  eachTap(batch, axes(shape, filter.shape, attributes), (input, output, tap) => {
    for (let c = 0; c < channels; c++) {
      const at = input * channels + c;
      dx[at] = dot(dx[at]!, dy!, output * filters, w!, (tap * channels + c) * filters, filters, round);
    }
  });
  return [dx];
};
