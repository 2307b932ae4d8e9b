// The kernel at the start of a step: the batch out of the data set, and what its numbers are scaled and shifted by.

import source from "../../shaders/gather.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { dims, type Kernel, threads } from "./kernel.ts";

export const gather: Kernel = {
  name: "gather",
  source,
  choose({ inputs, outputs, attributes }) {
    const [dataX, dataY, dataOrder, dataNorm] = inputs as [Tensor, Tensor, Tensor, Tensor];
    const [x, y] = outputs as [Tensor, Tensor];
    const batch = x.shape[0] as number;
    const withTarget = attributes.targets === true;
    const features = size(x.shape) / batch;
    const bytes = attributes.bytes === true;
    const period = attributes.period as number;
    const vector = features % 4 === 0;
    const count = Math.max(size(x.shape) / (vector ? 4 : 1), withTarget ? size(y.shape) : 0);
    return {
      holes: {
        STEP: step,
        BYTES: bytes,
        VECTOR: vector,
        WIDE_WORDS: vector && !bytes,
        NORM: period > 0,
        WITH_TARGET: withTarget,
      },
      constants: {
        BATCH: batch,
        FEATURES: features,
        TARGETS: size(y.shape) / batch,
        ...(period > 0 && { PERIOD: period }),
      },
      tensors: {
        data_x: dataX,
        data_order: dataOrder,
        x,
        ...(withTarget && { data_y: dataY, y }),
        ...(period > 0 && { data_norm: dataNorm }),
      },
      grid: threads(count),
      note: `${dims(x)}${bytes ? " from bytes" : ""}`,
    };
  },
};
