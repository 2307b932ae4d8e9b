// The cross-entropy of classes as a loss.

import source from "../../shaders/softmax-cross-entropy.wgsl?raw";
import { fold, threads } from "./kernel.ts";
import { lossOp } from "./loss.ts";

/** From how many classes on a workgroup takes a row: with fewer most of its threads would have little to do. */
const MANY_CLASSES = 1024;

/** Softmax and cross-entropy in one, of logits [B, classes] and class numbers [B]. */
export const softmaxCrossEntropy = lossOp({
  name: "softmaxCrossEntropy",
  kernel: "softmax-cross-entropy",
  source,
  names: ["logits", "labels", "CLASSES"],
  shares(batch, classes) {
    const shared = classes >= MANY_CLASSES;
    return { holes: { SHARED: shared }, grid: shared ? fold(batch) : threads(batch) };
  },
});
