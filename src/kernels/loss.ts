// The kernels at both ends of a step: gathering a batch, the losses, and the metrics.

import gatherSource from "../../shaders/gather.wgsl?raw";
import meanSquaredErrorSource from "../../shaders/mean-squared-error.wgsl?raw";
import metricsSource from "../../shaders/metrics.wgsl?raw";
import finite from "../../shaders/parts/finite.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import softmaxCrossEntropySource from "../../shaders/softmax-cross-entropy.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { dims, fold, type Kernel, type Work } from "./kernel.ts";

const WORKGROUP = 64;

export const gather: Kernel = {
  name: "gather",
  source: gatherSource,
  bindings: { data_x: "read", data_order: "read", x: "readWrite", data_y: "read", y: "readWrite" },
  step: true,
  choose({ inputs, outputs, attributes }) {
    const [dataX, dataY, dataOrder] = inputs as [Tensor, Tensor, Tensor];
    const [x, y] = outputs as [Tensor, Tensor];
    const batch = x.shape[0] as number;
    const withTarget = attributes.targets === true;
    const features = size(x.shape) / batch;
    const bytes = attributes.bytes === true;
    const vector = features % 4 === 0;
    const threads = Math.max(size(x.shape) / (vector ? 4 : 1), withTarget ? size(y.shape) : 0);
    return {
      holes: {
        WORKGROUP,
        STEP: step,
        BYTES: bytes,
        VECTOR: vector,
        WIDE_WORDS: vector && !bytes,
        WITH_TARGET: withTarget,
      },
      constants: {
        BATCH: batch,
        FEATURES: features,
        TARGETS: size(y.shape) / batch,
        SCALE: attributes.scale as number,
        SHIFT: attributes.shift as number,
      },
      tensors: { data_x: dataX, data_order: dataOrder, x, ...(withTarget ? { data_y: dataY, y } : {}) },
      grid: fold(Math.ceil(threads / WORKGROUP)),
      note: `${dims(x)}${bytes ? " from bytes" : ""}`,
    };
  },
};

function lossChoice({ inputs, outputs, attributes }: Work, truth: string, prediction: string, columns: string) {
  const [p, t] = inputs as [Tensor, Tensor];
  const [rows, gradient] = outputs as [Tensor, Tensor?];
  const batch = p.shape[0] as number;
  return {
    holes: { WORKGROUP, STEP: step, GRADIENT: attributes.gradient === true },
    constants: { BATCH: batch, [columns]: size(p.shape) / batch },
    tensors: { [prediction]: p, [truth]: t, rows, ...(gradient === undefined ? {} : { [`d${prediction}`]: gradient }) },
    grid: [Math.ceil(batch / WORKGROUP), 1, 1] as const,
    note: dims(p),
  };
}

export const softmaxCrossEntropy: Kernel = {
  name: "softmax-cross-entropy",
  source: softmaxCrossEntropySource,
  bindings: { logits: "read", labels: "read", rows: "readWrite", dlogits: "readWrite" },
  step: true,
  choose: (work) => lossChoice(work, "labels", "logits", "CLASSES"),
};

export const meanSquaredError: Kernel = {
  name: "mean-squared-error",
  source: meanSquaredErrorSource,
  bindings: { prediction: "read", targets: "read", rows: "readWrite", dprediction: "readWrite" },
  step: true,
  choose: (work) => lossChoice(work, "targets", "prediction", "COLUMNS"),
};

export const metrics: Kernel = {
  name: "metrics",
  source: metricsSource,
  bindings: { rows: "read", metrics: "readWrite" },
  step: true,
  choose({ inputs, outputs }) {
    const [rows] = inputs as [Tensor];
    return {
      holes: { WORKGROUP, STEP: step, FINITE: finite },
      constants: { BATCH: rows.shape[0] as number },
      tensors: { rows, metrics: outputs[0] as Tensor },
      grid: [1, 1, 1],
      note: dims(rows),
    };
  },
};
