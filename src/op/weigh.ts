// From weights to what each value of a loss counts in its mean.

import step from "../../shaders/parts/step.wgsl?raw";
import source from "../../shaders/weigh.wgsl?raw";
import { defineOp } from "./op.ts";
import { size } from "./tensor.ts";

export type WeighAttributes = {
  /** Values of the loss in a batch. */
  readonly values: number;
  readonly factor: number;
  /** Whether the sum is divided by the number of values, and not by the sum of weights. */
  readonly counted: boolean;
};

/** [B, ..] weights -> [B, ..] scales. */
export const weigh = defineOp({
  name: "weigh",
  inputs: ["weights"],
  outputs: ["scales"],
  moves: () => true,
  shape: ({ weights: { shape } }, _: WeighAttributes) => ({ scales: { shape } }),
  kernel: {
    name: "weigh",
    source,
    choose({ tensors: { weights }, attributes }) {
      const { values, factor, counted } = attributes as WeighAttributes;
      const length = size(weights.shape);
      return {
        holes: { STEP: step, SUMMED: !counted },
        constants: {
          LENGTH: length,
          WIDTH: length / (weights.shape[0] as number),
          VALUES: values / length,
          FACTOR: factor,
        },
        grid: [1, 1, 1],
      };
    },
  },
});
