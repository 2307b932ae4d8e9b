// Max pooling and its gradient.

import source from "../../shaders/max-pool2d.wgsl?raw";
import backwardSource from "../../shaders/max-pool2d-backward.wgsl?raw";
import windows from "../../shaders/parts/window.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { windowOf } from "../graph/window.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { dims, inLines, type Kernel, threads, type Work } from "./kernel.ts";
import { windowConstants, windowNote } from "./window.ts";

/** What both take of images `x`: a thread for each channel, or for four, of what is written. */
function pooled({ attributes }: Work, x: Tensor, written: Tensor) {
  const [batch, , , channels] = x.shape as [number, number, number, number];
  const window = windowOf(x.shape, attributes);
  const lanes = channels % 4 === 0 ? 4 : 1;
  return {
    holes: { VECTOR: lanes === 4 },
    constants: { ...windowConstants(window), BATCH: batch, LANES: channels / lanes },
    grid: threads(size(written.shape) / lanes),
    note: windowNote(window),
    form: { lanes, columns: channels, aligned: lanes === 4 } as const,
  };
}

export const maxPool2d: Kernel = {
  name: "max-pool2d",
  source: inLines(windows, source),
  choose(work) {
    const [x] = work.inputs as [Tensor];
    const [y, tap] = work.outputs as [Tensor, Tensor];
    const { form: _, note, ...rest } = pooled(work, x, y);
    return { ...rest, tensors: { x, y, tap }, note: `${dims(x)} ${note}` };
  },
};

export const maxPool2dBackward: Kernel = {
  name: "max-pool2d-backward",
  source: inLines(windows, backwardSource),
  choose(work) {
    const [dy, tap] = work.inputs as [Tensor, Tensor];
    const [dx] = work.outputs as [Tensor];
    const { form, holes, note, ...rest } = pooled(work, dx, dx);
    const end = epilogue(work.epilogue, work.inputs, form);
    return {
      ...rest,
      holes: { ...holes, EPILOGUE: end.text, CHECK: checkPart(work.checked === true) },
      tensors: { dy, tap, dx, ...end.tensors },
      note: `${dims(dy)} ${note}${end.note}`,
    };
  },
};
