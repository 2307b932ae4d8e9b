// The kernels at the end of a step: the losses, and the metrics.

import meanSquaredErrorSource from "../../shaders/mean-squared-error.wgsl?raw";
import metricsSource from "../../shaders/metrics.wgsl?raw";
import finite from "../../shaders/parts/finite.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import softmaxCrossEntropySource from "../../shaders/softmax-cross-entropy.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { type Choice, dims, fold, type Grid, type Kernel, threads, type Work } from "./kernel.ts";

/** What a loss shares out in its own way: who takes which part of a row. */
interface Shares extends Partial<Pick<Choice, "holes" | "constants">> {
  readonly grid: Grid;
}

function lossChoice(
  { inputs, outputs, attributes }: Work,
  [prediction, truth, columns]: readonly [prediction: string, truth: string, columns: string],
  shares: (batch: number, columns: number) => Shares,
): Choice {
  const [p, t] = inputs as [Tensor, Tensor];
  const [rows, gradient] = outputs as [Tensor, Tensor?];
  const batch = p.shape[0] as number;
  const length = size(p.shape) / batch;
  const { holes, constants, grid } = shares(batch, length);
  return {
    holes: { STEP: step, GRADIENT: attributes.gradient === true, ...holes },
    constants: { BATCH: batch, [columns]: length, ...constants },
    tensors: { [prediction]: p, [truth]: t, rows, ...(gradient === undefined ? {} : { [`d${prediction}`]: gradient }) },
    grid,
    note: dims(p),
  };
}

/** From how many classes on a workgroup takes a row: with fewer most of its threads would have little to do. */
const MANY_CLASSES = 1024;

export const softmaxCrossEntropy: Kernel = {
  name: "softmax-cross-entropy",
  source: softmaxCrossEntropySource,
  choose: (work) =>
    lossChoice(work, ["logits", "labels", "CLASSES"], (batch, classes) => {
      const shared = classes >= MANY_CLASSES;
      return { holes: { SHARED: shared }, grid: shared ? fold(batch) : threads(batch) };
    }),
};

export const meanSquaredError: Kernel = {
  name: "mean-squared-error",
  source: meanSquaredErrorSource,
  choose: (work) =>
    lossChoice(work, ["prediction", "targets", "COLUMNS"], (batch) => {
      const threadsOfAll = (work.outputs[0] as Tensor).shape[0] as number;
      return { constants: { PARTS: threadsOfAll / batch }, grid: threads(threadsOfAll) };
    }),
};

export const metrics: Kernel = {
  name: "metrics",
  source: metricsSource,
  choose({ inputs, outputs, halts = false }) {
    const [rows] = inputs as [Tensor];
    return {
      holes: { STEP: step, FINITE: finite, HALTING: halts },
      constants: { BATCH: rows.shape[0] as number },
      tensors: { rows, metrics: outputs[0] as Tensor },
      grid: [1, 1, 1],
      note: dims(rows),
    };
  },
};
