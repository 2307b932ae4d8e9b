// Y[b, oy, ox, f] = sum over the taps (ky, kx) inside the image and over c of X[b, iy, ix, c] W[ky, kx, c, f].

import { size, type Tensor } from "../../../src/op/tensor.ts";
import { addScaled } from "../product.ts";
import type { Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

export const conv2d: Twin = ([x, w], { inputs, outputs, attributes }, _step, round) => {
  const [image, filter] = inputs as [Tensor, Tensor];
  const [batch, , , channels] = image.shape as [number, number, number, number];
  const filters = filter.shape[3]!;
  const y = new Float64Array(size(outputs[0]!.shape));
  eachTap(batch, axes(image.shape, filter.shape, attributes), (input, output, tap) => {
    for (let c = 0; c < channels; c++) {
      const factor = x![input * channels + c]!;
      addScaled(y, output * filters, w!, (tap * channels + c) * filters, filters, factor, round);
    }
  });
  return [y];
};
