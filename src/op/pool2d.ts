// What poolings of images [B, H, W, C] share: what a layer of them is given, and the kernel of an op of theirs.

import pool from "../../shaders/parts/pool.wgsl?raw";
import windows from "../../shaders/parts/window.wgsl?raw";
import { resolved } from "../option.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { inLines, threads } from "./kernel.ts";
import { layerOf, type OpLayer } from "./layer.ts";
import { type Attributes, type Choice, defineOp, type Kernel, type Op } from "./op.ts";
import { checkPair } from "./request.ts";
import { dims, size, type Tensor } from "./tensor.ts";
import {
  type Padding,
  paddings,
  pair,
  type Slide,
  slideAttributes,
  slideOf,
  windowConstants,
  windowNote,
  windowOf,
  windowRefusal,
} from "./window.ts";

export interface PoolOptions {
  /** Step of the window. Default: the window's size. */
  readonly stride?: number | readonly [number, number];
  /** Default "valid". */
  readonly padding?: Padding;
}

/** Makes layers of pooling by the size of their windows, one number or [height, width]. */
export type PoolFactory<Out extends string> = OpLayer<
  [size: number | readonly [number, number], options?: PoolOptions],
  Out
>;

/** What such a layer is given, as attributes of its op. */
function pooling(place: string, length: number | readonly [number, number], options: PoolOptions = {}): Slide {
  const table = { stride: [], padding: paddings } as const;
  const { stride = length, padding } = resolved(place, options, table, `${place}(2, { stride: 1 })`);
  return { kernel: pair(place, "size", length), stride: pair(place, "stride", stride), padding };
}

/** A pooling as op and layer. */
export const poolLayer = /* @__NO_SIDE_EFFECTS__ */ <const Out extends string>(
  own: Pick<Op<"x", Out, Slide>, "name" | "outputs" | "shape" | "back" | "kernel" | "absorbs">,
): PoolFactory<Out> =>
  layerOf(
    defineOp<"x", Out, Slide>({
      inputs: ["x"],
      attributes: slideAttributes({ kernel: [undefined, checkPair] }),
      refuse: ({ x }, { kernel = [], padding }) => windowRefusal(x.shape, kernel, padding),
      takesEpilogue: true,
      ...own,
    }),
    pooling,
  );

/** Shape of the output of images. */
export function pooled({ shape }: Tensor, slide: Slide): readonly number[] {
  const { outHeight, outWidth } = windowOf(shape, slide);
  return [shape[0]!, outHeight, outWidth, shape[3]!];
}

/** Attributes of the way back, whose output has the shape of x. */
export const backwardAttributes = (slide: Slide, x: Tensor) => ({ ...slide, size: x.shape.slice(1, 3) });

/** Shape of what the way back gives: `size` is [H, W]. */
export const unpooled = ({ shape }: Tensor, { size: lengths }: { readonly size: readonly number[] }) => [
  shape[0]!,
  ...lengths,
  shape[3]!,
];

/**
 * A thread for each channel, or for four, of what is written; `image` is the input of the op or of that whose way back it is, `own`
 * what the shader wants beside.
 */
/* @__NO_SIDE_EFFECTS__ */ export function poolKernel<const Name extends string>(
  name: string,
  source: string,
  names: { readonly image: Name; readonly written: Name },
  own: (attributes: Attributes) => Pick<Choice, "constants" | "note"> = () => ({}),
): Kernel {
  return {
    name,
    source: inLines(windows, pool, source),
    choose({ tensors, all, attributes, epilogue: steps, checked }) {
      const [image, written] = [tensors[names.image], tensors[names.written]] as [Tensor, Tensor];
      const [batch, , , channels] = image.shape as [number, number, number, number];
      const window = windowOf(image.shape, slideOf(attributes));
      const lanes = channels % 4 === 0 ? 4 : 1;
      const { constants, note = "" } = own(attributes);
      const end = epilogue(steps, all, { lanes, columns: channels, aligned: lanes === 4 });
      return {
        holes: { VECTOR: lanes === 4, EPILOGUE: end.text, CHECK: checkPart(checked) },
        constants: { ...windowConstants(window), BATCH: batch, LANES: channels / lanes, ...constants },
        tensors: { ...tensors, ...end.tensors },
        grid: threads(size(written.shape) / lanes),
        note: `${dims(all[0] as Tensor)} ${windowNote(window)}${note}${end.note}`,
      };
    },
  };
}
