// Y = the largest X of each window, and the tap that it came from; of equal values the first counts. NaN counts as larger than
// all, and the last of several is taken, as in PyTorch. Of rectified numbers 0 counts beside them, and is no tap.

import { size } from "../../../src/op/tensor.ts";
import type { Twin } from "../twin.ts";
import { axes, eachTap } from "../window.ts";

export const maxPool2d: Twin = ([x], { inputs, outputs, attributes }) => {
  const { shape } = inputs[0]!;
  const [batch, , , channels] = shape as [number, number, number, number];
  const kernel = attributes.kernel as readonly number[];
  const rectified = attributes.rectified === true;
  const y = new Float64Array(size(outputs[0]!.shape)).fill(rectified ? 0 : Number.NEGATIVE_INFINITY);
  const none = rectified ? 0xffffffff : -1;
  const taps = new Float64Array(y.length).fill(none);
  eachTap(batch, axes(shape, kernel, attributes), (input, output, tap) => {
    for (let c = 0; c < channels; c++) {
      const at = output * channels + c;
      const value = x![input * channels + c]!;
      // The first is taken as it is: nothing is above -Infinity.
      if (value > y[at]! || Number.isNaN(value) || taps[at] === -1) {
        y[at] = value;
        taps[at] = tap;
      }
    }
  });
  return [y, taps];
};
