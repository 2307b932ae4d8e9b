// Where a step begins: the batch out of the data set, and what its numbers are scaled and shifted by.

import source from "../../shaders/gather.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { threads } from "./kernel.ts";
import type { Kernel } from "./op.ts";
import { defineOp } from "./op.ts";
import { dims, size } from "./tensor.ts";

type Format = {
  readonly input: readonly number[];
  readonly target: readonly number[];
  readonly integerTarget: boolean;
  readonly targets: boolean;
  readonly bytes: boolean;
  readonly period: number;
  /** What a byte of the target counts; 0 where it is words. */
  readonly factor: number;
};

const kernel: Kernel<"data_x" | "data_y" | "data_order" | "data_norm" | "x" | "y"> = {
  name: "gather",
  source,
  choose({ tensors: { x, y }, attributes }) {
    const { targets, bytes, period, factor } = attributes as Format;
    const batch = x.shape[0] as number;
    const features = size(x.shape) / batch;
    const vector = features % 4 === 0;
    const words = y === undefined ? 0 : size(y.shape);
    const count = Math.max(size(x.shape) / (vector ? 4 : 1), targets ? words : 0);
    return {
      holes: {
        STEP: step,
        BYTES: bytes,
        VECTOR: vector,
        WIDE_WORDS: vector && !bytes,
        NORM: period > 0,
        WITH_TARGET: targets,
        BYTE_TARGET: factor > 0,
      },
      constants: {
        BATCH: batch,
        FEATURES: features,
        TARGETS: words / batch,
        ...(period > 0 && { PERIOD: period }),
        ...(factor > 0 && { FACTOR: factor }),
      },
      grid: threads(count),
      note: `${dims(x)}${bytes ? " from bytes" : ""}`,
    };
  },
};

/** The inputs [B, ...] as f32, and labels or targets. Rows beyond the step's count repeat row 0 and are masked by the loss. */
export const gather = defineOp({
  name: "gather",
  inputs: ["data_x", "data_y", "data_order", "data_norm"],
  outputs: ["x", "y"],
  shape: (_, { input, target, integerTarget }: Format) => ({
    x: { shape: input, suffix: "input" },
    y: { shape: target, suffix: "target", dtype: integerTarget ? "u32" : "f32" },
  }),
  kernel,
});
