// Sums for each channel over rows, whatever stands under the last axis: gradients of the weights of normalizations, and what the gradient
// of a batch takes from them. Very many rows are cut into parts.

import sumsSource from "../../shaders/channel-sums.wgsl?raw";
import joined from "../../shaders/parts/joined-channels.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { checkPart } from "./check.ts";
import { fold } from "./kernel.ts";
import { defineOp, type Kernel, type Way } from "./op.ts";
import { splitsForGpu } from "./split.ts";
import { realOf } from "./sum.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

export type Parts = { readonly splits: number };

export const channelsOf = ({ shape }: Pick<Tensor, "shape">): number => shape.at(-1) as number;

/** Rows of a tensor: whatever stands under its last axis. */
export const rowsOf = ({ shape }: Pick<Tensor, "shape">): number => size(shape.slice(0, -1));

/** How many rows belong to real samples, as WGSL. */
export const realRows = (x: Tensor): string => realOf(rowsOf(x), x);

/** Four channels a thread, where they come in fours. */
export const lanesOf = (x: Pick<Tensor, "shape">): 4 | 1 => (channelsOf(x) % 4 === 0 ? 4 : 1);

export const typeOf = (x: Tensor): string => (lanesOf(x) === 4 ? "vec4f" : "f32");

/** Of parts: rows and samples of what was cut into them, where the gradient of x is to be made of their sums. */
type Whole = { readonly rows?: number; readonly samples?: number };

const sumsKernel: Kernel = {
  name: "channel-sums",
  source: sumsSource,
  choose({ tensors, attributes, checked }) {
    const { x, parts, mean } = tensors as Partial<Tensors<"x" | "parts" | "mean">>;
    const { splits, rows = 1, samples = 1 } = attributes as Partial<Parts> & Whole;
    const from = (parts ?? x) as Tensor;
    const channels = channelsOf(from) / lanesOf(from);
    const isSplit = splits !== undefined;
    const isLine = mean !== undefined && !isSplit;
    const real = x === undefined ? realOf(rows, { ...from, shape: [samples] }) : realRows(x);
    return {
      holes: {
        STEP: !checked && (x !== undefined || isLine) ? step : "",
        V: typeOf(from),
        VECTOR: lanesOf(from) === 4,
        JOINED: joined,
        CHECK: checkPart(checked, true),
        MERGED: parts !== undefined,
        KNOWN: mean !== undefined,
        SPLIT: isSplit,
        LINE: isLine,
        SEEN: x === undefined ? `${from.shape[0]}u` : real,
        REAL: real,
      },
      constants: { CHANNELS: channels, SPLITS: splits ?? 1 },
      tensors,
      grid: fold(channels * (splits ?? 1)),
      note: `${dims(from)}${isSplit ? ` in ${splits} parts` : ""}`,
    };
  },
};

const sumsOf = (x: Tensor) => ({ dgamma: { shape: [channelsOf(x)] }, dbeta: { shape: [channelsOf(x)] } });

const lineOf = (x: Tensor) => ({ line: { shape: [4, channelsOf(x)] } });

/** The gradients of gamma and beta, and what that of x takes from them. */
export const channelSums = defineOp({
  name: "channelSums",
  inputs: ["dz", "x", "mean", "inverse"],
  outputs: ["dgamma", "dbeta", "line"],
  shape: ({ x }) => ({ ...sumsOf(x), ...lineOf(x) }),
  forGpu(given, { emit }) {
    const { x } = given;
    const splits = splitsForGpu(channelsOf(x) / lanesOf(x), channelsOf(x), rowsOf(x));
    return splits === 1 ? undefined : sumsInParts(emit, given, splits);
  },
  kernel: sumsKernel,
});

/** The same of parts of the rows, [splits, 2, C]. */
export const channelParts = defineOp({
  name: "channelParts",
  inputs: ["dz", "x", "mean", "inverse"],
  outputs: ["y"],
  shape: ({ x }, { splits }: Parts) => ({ y: { shape: [splits, 2, channelsOf(x)] } }),
  kernel: sumsKernel,
});

/** Adds such parts up; with mean and inverse of the channels also as what the gradient of x takes from them. */
export const mergeSums = defineOp({
  name: "mergeSums",
  inputs: ["parts", "mean", "inverse"],
  optional: ["mean", "inverse"],
  outputs: ["dgamma", "dbeta", "line"],
  shape: ({ parts, mean }, _: Whole) => ({ ...sumsOf(parts), ...(mean && lineOf(parts)) }),
  rowSums({ parts: x, mean, dgamma, dbeta }) {
    if (mean !== undefined) return undefined;
    const channels = channelsOf(x);
    return [dgamma, dbeta].map((y, i) => {
      return { x, y, first: i * channels, step: 2 * channels, terms: x.shape[0] as number };
    });
  },
  kernel: sumsKernel,
});

/** The same as `channelSums`, in parts that are added up. */
export function sumsInParts(
  emit: Way["emit"],
  given: Tensors<"dz" | "x" | "mean" | "inverse">,
  splits: number,
): Tensors<"dgamma" | "dbeta" | "line"> {
  const { x, mean, inverse } = given;
  const { y: parts } = emit(channelParts, given, { splits });
  return emit(mergeSums, { parts, mean, inverse }, { rows: rowsOf(x), samples: x.shape[0] as number });
}
