// The kernels at the end of a step: the losses, and the metrics.

import meanSquaredErrorSource from "../../shaders/mean-squared-error.wgsl?raw";
import metricsSource from "../../shaders/metrics.wgsl?raw";
import finite from "../../shaders/parts/finite.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import softmaxCrossEntropySource from "../../shaders/softmax-cross-entropy.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { dims, type Kernel, threads, type Work } from "./kernel.ts";

/** `parts`: how many threads share a row. */
function lossChoice(
  { inputs, outputs, attributes }: Work,
  truth: string,
  prediction: string,
  columns: string,
  parts?: number,
) {
  const [p, t] = inputs as [Tensor, Tensor];
  const [rows, gradient] = outputs as [Tensor, Tensor?];
  const batch = p.shape[0] as number;
  return {
    holes: { STEP: step, GRADIENT: attributes.gradient === true },
    constants: { BATCH: batch, [columns]: size(p.shape) / batch, ...(parts === undefined ? {} : { PARTS: parts }) },
    tensors: { [prediction]: p, [truth]: t, rows, ...(gradient === undefined ? {} : { [`d${prediction}`]: gradient }) },
    grid: threads(batch * (parts ?? 1)),
    note: dims(p),
  };
}

export const softmaxCrossEntropy: Kernel = {
  name: "softmax-cross-entropy",
  source: softmaxCrossEntropySource,
  choose: (work) => lossChoice(work, "labels", "logits", "CLASSES"),
};

export const meanSquaredError: Kernel = {
  name: "mean-squared-error",
  source: meanSquaredErrorSource,
  choose(work) {
    const [p] = work.inputs as [Tensor];
    const [rows] = work.outputs as [Tensor];
    const parts = (rows.shape[0] as number) / (p.shape[0] as number);
    return lossChoice(work, "targets", "prediction", "COLUMNS", parts);
  },
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
