// Rows of the op table for where a step begins and ends: gathering a batch, losses, and the metrics that are read back.

import { size } from "./graph.ts";
import type { Backward, Op } from "./op.ts";
import { partsOfRow } from "./split.ts";

/**
 * The batch of this step out of the data set on the GPU: inputs data.x, data.y, data.order and data.norm; outputs the
 * inputs [B, ...] as f32 and the labels or targets. Rows beyond the step's count repeat row 0 and are masked by the loss.
 */
const gather: Op = {
  name: "gather",
  arity: 4,
  outputs: (_, { input, target, integerTarget }) => [
    { shape: String(input).split("x").map(Number), suffix: "input" },
    {
      shape: String(target).split("x").map(Number),
      suffix: "target",
      dtype: integerTarget === true ? "u32" : "f32",
    },
  ],
  backward: null, // data has no gradient
  kernel: "gather",
};

/**
 * A loss gives [B, 2], the loss and the hit of each row, and, when training, the gradient of its input at once. Where `parts`
 * of a long row go to several threads, it is [B parts, 2], and their losses add up to that of the row.
 */
function lossRow(name: string, kernel: string, parts: (columns: number) => number = () => 1): Op {
  return {
    name,
    arity: 2,
    outputs: ([prediction], { gradient }) => [
      { shape: [prediction!.shape[0]! * parts(size(prediction!.shape.slice(1))), 2], suffix: "loss" },
      ...(gradient === true ? [{ shape: prediction!.shape, suffix: "loss.gradient" }] : []),
    ],
    backward(b: Backward) {
      if (b.wants(0)) b.give(0, b.outputs[1]!);
    },
    kernel,
  };
}

/** [B, 2] or [B parts, 2] -> one slot of the metrics: step, mean loss over the step's rows, hits, and whether all was finite. */
const metrics: Op = {
  name: "metrics",
  arity: 1,
  outputs: () => [{ shape: [4], suffix: "metrics", role: "metrics" }],
  backward: null, // it ends the forward pass
  kernel: "metrics",
};

export const lossOps: readonly Op[] = [
  gather,
  lossRow("softmaxCrossEntropy", "softmax-cross-entropy"),
  lossRow("meanSquaredError", "mean-squared-error", partsOfRow),
  metrics,
];
