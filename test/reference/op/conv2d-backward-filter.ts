// dW[ky, kx, c, f] = sum over batch and output positions of X under the tap times dY, for c and f of one group. A second output, if there is one, is
// the sum of dY over batch and positions. With splits the sums stay in parts, cut along the output positions.

import { size, type Tensor } from "../../../src/op/tensor.ts";
import { addScaled, termsOfPart } from "../product.ts";
import type { Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

export const conv2dBackwardFilter: Twin = ([x, dy], { inputs, outputs, attributes }, _step, round) => {
  const [image, result] = inputs as [Tensor, Tensor];
  const [batch, , , channels] = image.shape as [number, number, number, number];
  const filters = result.shape[3]!;
  const { groups = 1 } = attributes;
  const [inGroup, outGroup] = [channels / (groups as number), filters / (groups as number)];
  const kernel = attributes.kernel as readonly number[];
  const parts = attributes.splits as number;
  const positions = size(result.shape) / filters;
  const terms = termsOfPart(positions, parts);
  const rows = kernel[0]! * kernel[1]! * inGroup;

  const dw = new Float64Array(parts * rows * filters);
  eachTap(batch, axes(image.shape, kernel, attributes), (input, output, tap) => {
    const first = Math.floor(output / terms) * rows + tap * inGroup;
    for (let c = 0; c < channels; c++) {
      const factor = x![input * channels + c]!;
      const from = Math.floor(c / inGroup) * outGroup;
      addScaled(dw, (first + (c % inGroup)) * filters + from, dy!, output * filters + from, outGroup, factor, round);
    }
  });
  if (outputs.length === 1) return [dw];
  const sum = new Float64Array(parts * filters);
  for (let k = 0; k < positions; k++) {
    addScaled(sum, Math.floor(k / terms) * filters, dy!, k * filters, filters, 1, round);
  }
  return [dw, sum];
};
