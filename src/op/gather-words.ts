// Labels, targets, weights and tokens of the batch, as they are; targets may be bytes.

import source from "../../shaders/gather-words.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { defineOp } from "./op.ts";
import { type DType, dims, size } from "./tensor.ts";

export type WordsAttributes = {
  /** With the batch first. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly suffix: string;
  /** What a byte counts; 0 where they are words. */
  readonly factor: number;
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
    beside: true,
    choose({ tensors: { y }, attributes }) {
      const { factor } = attributes as WordsAttributes;
      const length = size(y.shape);
      return {
        holes: { STEP: step, BYTES: factor > 0 },
        constants: {
          ...{ LENGTH: length, WIDTH: length / (y.shape[0] as number) },
          ...(factor > 0 && { FACTOR: factor }),
        },
        grid: length,
        note: dims(y),
      };
    },
  },
});
