// Labels, targets, weights and tokens of the batch, as they are.

import source from "../../shaders/gather-words.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { defineOp } from "./op.ts";
import { type DType, dims, size } from "./tensor.ts";

export type WordsAttributes = {
  /** With the batch first. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly suffix: string;
};

/** [B, ..] of a stream beside those that `gather` takes. */
export const gatherWords = defineOp({
  name: "gatherWords",
  inputs: ["data", "data_order"],
  outputs: ["y"],
  shape: (_, { shape, dtype, suffix }: WordsAttributes) => ({ y: { shape, dtype, suffix } }),
  kernel: {
    name: "gather-words",
    source,
    choose({ tensors: { y } }) {
      const length = size(y.shape);
      return {
        holes: { STEP: step },
        constants: { LENGTH: length, WIDTH: length / (y.shape[0] as number) },
        grid: length,
        note: dims(y),
      };
    },
  },
});
