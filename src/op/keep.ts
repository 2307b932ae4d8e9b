// What an evaluation leaves behind its metrics, to be read with them: counts, and the loss of each sample.

import source from "../../shaders/keep.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import lossesSource from "../../shaders/sample-losses.wgsl?raw";
import { threads } from "./kernel.ts";
import { defineOp } from "./op.ts";
import { size } from "./tensor.ts";

type KeepAttributes = {
  /** The word at which they stand. */
  readonly first: number;
  /** Whether they are whole numbers, to be added up over the steps of a submission. */
  readonly added: boolean;
};

/** x of any shape, into the metrics. */
export const keep = defineOp({
  name: "keep",
  inputs: ["x"],
  outputs: ["metrics"],
  shape: (_, __: KeepAttributes) => ({ metrics: { shape: [4], suffix: "metrics", role: "metrics" } }),
  kernel: {
    name: "keep",
    source,
    choose({ tensors: { x }, attributes }) {
      const { first, added } = attributes as KeepAttributes;
      const length = size(x.shape);
      return {
        holes: { STEP: step, ADDED: added },
        constants: { LENGTH: length, FIRST: first },
        grid: threads(length),
      };
    },
  },
});

/** The rows that a loss leaves, [B parts, 2] -> y [B]: the share of each sample, of which the mean is the loss. */
export const sampleLosses = defineOp({
  name: "sampleLosses",
  inputs: ["rows"],
  outputs: ["y"],
  shape: (_, { batch }: { readonly batch: number }) => ({ y: { shape: [batch] } }),
  kernel: {
    name: "sample-losses",
    source: lossesSource,
    choose({ tensors: { rows, y } }) {
      const batch = size(y.shape);
      return { constants: { BATCH: batch, PARTS: (rows.shape[0] as number) / batch }, grid: threads(batch) };
    },
  },
});
