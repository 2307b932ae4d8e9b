// Losses as a user names them.

import type { Loss } from "../op/layer.ts";
import { meanSquaredError as squares } from "../op/mean-squared-error.ts";
import { softmaxCrossEntropy } from "../op/softmax-cross-entropy.ts";

/** Softmax and cross-entropy in one: [B, classes] logits against one class number a sample, natural logarithm. */
export const crossEntropy = (): Loss => ({ op: softmaxCrossEntropy, integerTarget: true });
/** The mean of the squared differences over all numbers of a batch, for targets in the shape of the output. */
export const meanSquaredError = (): Loss => ({ op: squares, integerTarget: false });
