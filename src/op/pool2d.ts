// What poolings of images [B, H, W, C] share: what a layer of them is given, and the kernel of an op of theirs.

import pool from "../../shaders/parts/pool.wgsl?raw";
import windows from "../../shaders/parts/window.wgsl?raw";
import { anything, resolved } from "../option.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { type DeviceFacts, inLines, threads } from "./kernel.ts";
import { layerOf, type OpLayer } from "./layer.ts";
import { type Attributes, type Choice, defineOp, type Kernel, type Op } from "./op.ts";
import { checkPair } from "./request.ts";
import { dims, size, type Tensor } from "./tensor.ts";
import {
  type Padding,
  padsOf,
  pair,
  type Slide,
  slideAttributes,
  slideOf,
  type Window,
  windowConstants,
  windowNote,
  windowOf,
  windowRefusal,
} from "./window.ts";

/** Options of pooling. */
export interface PoolOptions {
  /** Step of the window. Default: the window's size. */
  readonly stride?: number | readonly [number, number];
  /** Less than the window on each side. Default "valid". */
  readonly padding?: Padding;
}

/** Makes layers of pooling by the size of their windows, one number or [height, width]. */
export type PoolFactory<Out extends string, Options = PoolOptions> = OpLayer<
  [size: number | readonly [number, number], options?: Options],
  Out
>;

/** What such a layer is given, as attributes of its op; `more` are options of its own, switches that are off by default. */
const pooling =
  (more: readonly string[]) =>
  (place: string, length: number | readonly [number, number], options: PoolOptions = {}): Slide => {
    const table = {
      stride: [],
      padding: ["valid", anything],
      ...Object.fromEntries(more.map((name) => [name, [false]])),
    };
    const { stride = length, padding, ...own } = resolved(place, options, table, `${place}(2, { stride: 1 })`);
    return {
      ...{
        kernel: pair(place, "size", length),
        stride: pair(place, "stride", stride),
        padding: padsOf(place, padding),
      },
      ...own,
    };
  };

/** Why a window cannot pool images, and what to do: none may see zeros alone. */
function poolRefusal({ shape }: Tensor, { kernel = [], padding }: Slide): string | undefined {
  const over =
    typeof padding === "string" ? -1 : padding.findIndex((zeros, side) => zeros >= (kernel[side >> 1] as number));
  if (over < 0) return windowRefusal(shape, kernel, padding);
  return `its padding is ${padding[over]} where its window is ${kernel[over >> 1]}, so that it would see nothing of the image. Give less padding than the window has.`;
}

/** A pooling as op and layer. */
export const poolLayer = /* @__NO_SIDE_EFFECTS__ */ <const Out extends string>(
  own: Pick<Op<"x", Out, Slide>, "name" | "outputs" | "shape" | "back" | "kernel" | "absorbs">,
  more: readonly string[] = [],
): PoolFactory<Out> =>
  layerOf(
    defineOp<"x", Out, Slide>({
      inputs: ["x"],
      attributes: slideAttributes({
        ...{ kernel: [undefined, checkPair] },
        ...Object.fromEntries(more.map((name) => [name, [false]])),
      }),
      refuse: ({ x }, slide) => poolRefusal(x, slide),
      takesEpilogue: true,
      ...own,
    }),
    pooling(more),
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
  own: (
    attributes: Attributes,
    window: Window,
    batch: number,
    device: DeviceFacts,
  ) => Partial<Omit<Choice, "grid">> & { readonly threads?: number } = () => ({}),
): Kernel {
  return {
    name,
    source: inLines(windows, pool, source),
    choose({ tensors, all, attributes, epilogue: steps, checked, device }) {
      const [image, written] = [tensors[names.image], tensors[names.written]] as [Tensor, Tensor];
      const [batch, , , channels] = image.shape as [number, number, number, number];
      const window = windowOf(image.shape, slideOf(attributes));
      const lanes = channels % 4 === 0 ? 4 : 1;
      const {
        holes,
        constants,
        note = "",
        threads: each = size(written.shape) / channels,
      } = own(attributes, window, batch, device);
      const end = epilogue(steps, all, { lanes, columns: channels, aligned: lanes === 4 });
      return {
        holes: { VECTOR: lanes === 4, EPILOGUE: end.text, CHECK: checkPart(checked), ...holes },
        constants: { ...windowConstants(window), BATCH: batch, LANES: channels / lanes, ...constants },
        tensors: { ...tensors, ...end.tensors },
        grid: threads((each * channels) / lanes),
        note: `${dims(all[0] as Tensor)} ${windowNote(window)}${note}${end.note}`,
      };
    },
  };
}
