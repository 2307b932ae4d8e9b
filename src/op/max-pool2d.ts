// Max pooling of images [B, H, W, C] and its gradient.

import source from "../../shaders/max-pool2d.wgsl?raw";
import backwardSource from "../../shaders/max-pool2d-backward.wgsl?raw";
import windows from "../../shaders/parts/window.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { inLines, threads } from "./kernel.ts";
import type { Kernel } from "./op.ts";
import { type Attributes, defineOp } from "./op.ts";
import { checkPair } from "./request.ts";
import { dims, size, type Tensor } from "./tensor.ts";
import {
  type Slide,
  slideAttributes,
  slideOf,
  windowConstants,
  windowNote,
  windowOf,
  windowRefusal,
} from "./window.ts";

/** What both take of images `x`: a thread for each channel, or for four, of what is written. */
function pooled(attributes: Attributes, x: Tensor, written: Tensor) {
  const [batch, , , channels] = x.shape as [number, number, number, number];
  const window = windowOf(x.shape, slideOf(attributes));
  const lanes = channels % 4 === 0 ? 4 : 1;
  return {
    holes: { VECTOR: lanes === 4 },
    constants: { ...windowConstants(window), BATCH: batch, LANES: channels / lanes },
    grid: threads(size(written.shape) / lanes),
    note: windowNote(window),
    form: { lanes, columns: channels, aligned: lanes === 4 } as const,
  };
}

const kernel: Kernel<"x" | "y" | "tap"> = {
  name: "max-pool2d",
  source: inLines(windows, source),
  choose({ tensors: { x, y }, attributes }) {
    const { form: _, note, ...rest } = pooled(attributes, x, y);
    return { ...rest, note: `${dims(x)} ${note}` };
  },
};

const backwardKernel: Kernel<"dy" | "tap" | "dx"> = {
  name: "max-pool2d-backward",
  source: inLines(windows, backwardSource),
  choose({ tensors: { dy, tap, dx }, attributes, epilogue: steps, all, checked }) {
    const { form, holes, note, ...rest } = pooled(attributes, dx, dx);
    const end = epilogue(steps, all, form);
    return {
      ...rest,
      holes: { ...holes, EPILOGUE: end.text, CHECK: checkPart(checked) },
      tensors: { dy, tap, dx, ...end.tensors },
      note: `${dims(dy)} ${note}${end.note}`,
    };
  },
};

/** Outputs the maxima [B, OH, OW, C] and, for the way back, which tap of its window each came from. */
export const maxPool2d = defineOp({
  name: "maxPool2d",
  inputs: ["x"],
  outputs: ["y", "tap"],
  attributes: slideAttributes({ kernel: [undefined, checkPair] }),
  refuse: ({ x }, { kernel: lengths = [], padding }: Slide) => windowRefusal(x.shape, lengths, padding),
  shape({ x }, slide) {
    const { outHeight, outWidth } = windowOf(x.shape, slide);
    const shape = [x.shape[0]!, outHeight, outWidth, x.shape[3]!];
    return { y: { shape }, tap: { shape, dtype: "u32" } };
  },
  back: ({ x, tap, dy }, { attributes, give, emit }) =>
    give("x", () => emit(maxPool2dBackward, { dy: dy!, tap }, { ...attributes, size: x.shape.slice(1, 3) }).dx),
  kernel,
});

/** Gathers: each input position adds up the gradients of the windows that chose it; `size` is [H, W]. */
export const maxPool2dBackward = defineOp({
  name: "maxPool2dBackward",
  inputs: ["dy", "tap"],
  outputs: ["dx"],
  shape: ({ dy }, { size: lengths }: { readonly size: readonly number[] }) => ({
    dx: { shape: [dy.shape[0]!, ...lengths, dy.shape[3]!] },
  }),
  kernel: backwardKernel,
  takesEpilogue: true,
});
