// dX[b, iy, ix, c] += sum over f of dY[b, oy, ox, f] W[ky, kx, c, f], for every tap through which x acts on y, and
// every f of the group of c. A transposed convolution is the same.

import { size, type Tensor } from "../../../src/op/tensor.ts";
import { dot } from "../product.ts";
import type { Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

export const conv2dBackwardInput: Twin = ([dy, w], { inputs, outputs, attributes }, _step, round) => {
  const [, filter] = inputs as [Tensor, Tensor];
  const { shape } = outputs[0]!;
  const [batch, , , channels] = shape as [number, number, number, number];
  const [inGroup, filters] = filter.shape.slice(2) as [number, number];
  const outGroup = filters / (channels / inGroup);
  const dx = new Float64Array(size(shape));
  eachTap(batch, axes(shape, filter.shape, attributes), (input, output, tap) => {
    for (let c = 0; c < channels; c++) {
      const at = input * channels + c;
      const first = Math.floor(c / inGroup) * outGroup;
      const row = (tap * inGroup + (c % inGroup)) * filters;
      dx[at] = dot(dx[at]!, dy!, output * filters + first, w!, row + first, outGroup, round);
    }
  });
  return [dx];
};

export const conv2dTranspose = conv2dBackwardInput;
