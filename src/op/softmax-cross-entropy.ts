// The cross-entropy of classes as a loss.

import source from "../../shaders/softmax-cross-entropy.wgsl?raw";
import { fold, threads } from "./kernel.ts";
import { lossOp } from "./loss.ts";
import { size } from "./tensor.ts";

/** From how many classes on a workgroup takes a row: with fewer most of its threads would have little to do. */
const MANY_CLASSES = 1024;

/** Softmax and cross-entropy in one, of logits [B, .., classes] and class numbers [B, ..]. */
export const softmaxCrossEntropy = lossOp({
  name: "softmaxCrossEntropy",
  kernel: "softmax-cross-entropy",
  source,
  names: ["logits", "labels"],
  spanOf: (shape) => size(shape.slice(1, -1)),
  shares(_batch, _parts, shape) {
    const classes = shape.at(-1) as number;
    const rows = size(shape) / classes;
    const shared = classes >= MANY_CLASSES;
    return {
      holes: { SHARED: shared },
      constants: { ROWS: rows, CLASSES: classes },
      grid: shared ? fold(rows) : threads(rows),
    };
  },
});
