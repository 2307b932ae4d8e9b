// The cross-entropy of classes as a loss.

import source from "../../shaders/softmax-cross-entropy.wgsl?raw";
import { fold, threads } from "./kernel.ts";
import { type LossAttributes, lossOp } from "./loss.ts";
import { sharesRow } from "./split.ts";
import { size } from "./tensor.ts";

/** From how many classes on a workgroup takes a row: with fewer most of its threads would have little to do. */
const MANY_CLASSES = 1024;

export type ClassesAttributes = LossAttributes & {
  /** Whether targets are probabilities, [B, .., classes], and not class numbers. Default false. */
  readonly soft?: boolean;
  /** The part of a target that all classes share. Default 0. */
  readonly smoothing?: number;
  /** A label that does not count, for which there must be scales of 0. Default: none. */
  readonly ignored?: number;
};

/** Softmax and cross-entropy in one, of logits [B, .., classes] and class numbers [B, ..] or probabilities. */
export const softmaxCrossEntropy = lossOp({
  name: "softmaxCrossEntropy",
  kernel: "softmax-cross-entropy",
  source,
  names: ["logits", ({ soft }) => (soft === true ? "targets" : "labels")],
  classes: "class_weights",
  spanOf: (shape) => size(shape.slice(1, -1)),
  byRow: true,
  shares({ shape, attributes, classed, device }) {
    const { soft = false, smoothing = 0, ignored } = attributes as ClassesAttributes;
    const classes = shape.at(-1) as number;
    const rows = size(shape) / classes;
    const shared = sharesRow(rows, classes, MANY_CLASSES, device);
    const smooth = smoothing > 0;
    return {
      holes: {
        ...{ SHARED: shared, SOFT: soft, SMOOTH: smooth, WIDE: soft || smooth },
        ...{ CLASSED: classed, IGNORING: ignored !== undefined },
      },
      constants: {
        ...{ ROWS: rows, CLASSES: classes },
        ...(smooth && { SMOOTHING: smoothing }),
        ...(ignored !== undefined && { IGNORED: ignored }),
      },
      grid: shared ? fold(rows) : threads(rows),
      by: shared ? "workgroup" : "thread",
    };
  },
});
