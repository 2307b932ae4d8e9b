// Y[b, oy, ox, f] = sum over the taps (ky, kx) inside the image and over c of X[b, iy, ix, c] W[ky, kx, c, f]; each
// group of filters over its group of channels.

import { size, type Tensor } from "../../../src/op/tensor.ts";
import { addScaled } from "../product.ts";
import type { Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

export const conv2d: Twin = ([x, w], { inputs, outputs, attributes }, _step, round) => {
  const [image, filter] = inputs as [Tensor, Tensor];
  const [batch, , , channels] = image.shape as [number, number, number, number];
  const [inGroup, filters] = filter.shape.slice(2) as [number, number];
  const outGroup = filters / (channels / inGroup);
  const y = new Float64Array(size(outputs[0]!.shape));
  eachTap(batch, axes(image.shape, filter.shape, attributes), (input, output, tap) => {
    for (let c = 0; c < channels; c++) {
      const factor = x![input * channels + c]!;
      const first = Math.floor(c / inGroup) * outGroup;
      const row = (tap * inGroup + (c % inGroup)) * filters;
      addScaled(y, output * filters + first, w!, row + first, outGroup, factor, round);
    }
  });
  return [y];
};
