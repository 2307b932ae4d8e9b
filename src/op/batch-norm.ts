// Batch normalization (Ioffe and Szegedy 2015) as ops: statistics, which also say what the running ones become; the normalization, which
// takes relu or an addition into its end as any elementwise op does; and its way back: both sums, which are the gradients of gamma and
// beta, then the gradient of x.

import backwardSource from "../../shaders/batch-norm-backward.wgsl?raw";
import statistics from "../../shaders/batch-statistics.wgsl?raw";
import sumsSource from "../../shaders/channel-sums.wgsl?raw";
import rootSource from "../../shaders/inverse-root.wgsl?raw";
import joined from "../../shaders/parts/joined-channels.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { multiply } from "./arithmetic.ts";
import { checkPart } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import { epilogue } from "./epilogue.ts";
import { fold, threads } from "./kernel.ts";
import { defineOp, type Kernel } from "./op.ts";
import { checkCount, checkShape } from "./request.ts";
import { splitsForRows } from "./split.ts";
import { realOf } from "./sum.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

type Parts = { readonly splits: number };

/** Of statistics: `parts` is the shape of what was cut into parts, where x are those. */
type Statistics = {
  readonly eps: number;
  readonly momentum: number;
  readonly unbiased: boolean;
  readonly parts?: readonly number[] | undefined;
};

const channelsOf = ({ shape }: Pick<Tensor, "shape">): number => shape.at(-1) as number;

/** Rows of a tensor: whatever stands under its last axis. */
const rowsOf = ({ shape }: Pick<Tensor, "shape">): number => size(shape.slice(0, -1));

/** How many rows belong to real samples, as WGSL. */
const realRows = (x: Tensor): string => realOf(rowsOf(x), x);

/** Four channels a thread, where they come in fours. */
const lanesOf = (x: Pick<Tensor, "shape">): 4 | 1 => (channelsOf(x) % 4 === 0 ? 4 : 1);

const typeOf = (x: Tensor): string => (lanesOf(x) === 4 ? "vec4f" : "f32");

const statisticsKernel: Kernel = {
  name: "batch-statistics",
  source: statistics,
  choose({ tensors, attributes }) {
    const { x } = tensors as Tensors<"x">;
    const { eps, momentum, unbiased, parts, splits } = attributes as Partial<Statistics & Parts>;
    const channels = channelsOf(x) / lanesOf(x);
    return {
      holes: {
        STEP: step,
        V: typeOf(x),
        JOINED: joined,
        SPLIT: splits !== undefined,
        MERGED: parts !== undefined,
        REAL: realRows(parts === undefined ? x : { ...x, shape: parts }),
      },
      constants: {
        CHANNELS: channels,
        SPLITS: splits ?? (parts === undefined ? 1 : (x.shape[0] as number)),
        ...(splits === undefined && { EPS: eps!, MOMENTUM: momentum!, REST: 1 - momentum!, LESS: unbiased ? 1 : 0 }),
      },
      tensors,
      grid: fold(channels * (splits ?? 1)),
      note: `${dims(x)}${splits === undefined ? "" : ` in ${splits} parts`}`,
    };
  },
};

/** Mean and sum of squared distances of the channels in each of so many parts of the rows of x [B, .., C]: [splits, 2, C]. */
export const batchParts = defineOp({
  name: "batchParts",
  inputs: ["x"],
  outputs: ["parts"],
  attributes: { splits: [undefined, checkCount] },
  shape: ({ x }, { splits }: Parts) => ({ parts: { shape: [splits, 2, channelsOf(x)] } }),
  kernel: statisticsKernel,
  moves: () => true,
});

/**
 * Mean and 1 / sqrt(variance + eps) of each channel of x [B, .., C] over all rows of real samples, and what the running mean and variance
 * become of them. Their gradients are part of those of `batchNormPlain`.
 */
export const batchStatistics = defineOp({
  name: "batchStatistics",
  inputs: ["x", "movingMean", "movingVariance"],
  outputs: ["mean", "inverse", "nextMean", "nextVariance"],
  attributes: { eps: [1e-5], momentum: [0.9], unbiased: [true], parts: [undefined, optionalShape] },
  shape({ movingMean: { shape } }, _: Statistics) {
    return { mean: { shape }, inverse: { shape }, nextMean: { shape }, nextVariance: { shape } };
  },
  kernel: statisticsKernel,
  moves: () => true,
});

function optionalShape(place: string, name: string, value: unknown): void {
  if (value !== undefined) checkShape(place, name, value);
}

/** z = (x - mean) inverse gamma + beta, with or without the last two; mean and inverse are those of x over the batch. */
const normalization = /* @__NO_SIDE_EFFECTS__ */ <const More extends "gamma" | "beta">(
  name: string,
  more: readonly More[],
) =>
  defineElementwise<"x" | "mean" | "inverse" | More>({
    name,
    inputs: ["x", "mean", "inverse", ...more],
    expression: `(x - mean) * ${more.includes("gamma" as More) ? "(inverse * gamma)" : "inverse"}${more.includes("beta" as More) ? " + beta" : ""}`,
    back(known, { give, emit }) {
      const { dz, x, mean, inverse, gamma } = known as unknown as Tensors<"dz" | "x" | "mean" | "inverse"> & {
        readonly gamma?: Tensor;
      };
      let made: Tensors<"dgamma" | "dbeta" | "line"> | undefined;
      const sums = () => {
        const splits = splitsForRows(rowsOf(x));
        const given = { dz, x, mean, inverse };
        made ??=
          splits === 1
            ? emit(channelSums, given)
            : emit(
                mergeSums,
                { parts: emit(channelParts, given, { splits }).y, mean, inverse },
                { rows: rowsOf(x), samples: x.shape[0] as number },
              );
        return made;
      };
      for (const name of more) give(name, () => sums()[`d${name}`]);
      give("x", () => {
        const { dx } = emit(batchNormBackward, { dz, x, line: sums().line });
        return gamma === undefined ? dx : emit(multiply, { x: dx, y: gamma }).z;
      });
    },
  });

export const batchNormPlain = normalization("batchNormPlain", []);
export const batchNormScaled = normalization("batchNormScaled", ["gamma"]);
export const batchNormShifted = normalization("batchNormShifted", ["beta"]);
export const batchNormAffine = normalization("batchNormAffine", ["gamma", "beta"]);

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
        STEP: x !== undefined || isLine ? step : "",
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
  kernel: sumsKernel,
});

/** The gradient of x through the normalization, mean and deviation of the batch included. */
export const batchNormBackward = defineOp({
  name: "batchNormBackward",
  inputs: ["dz", "x", "line"],
  outputs: ["dx"],
  shape: ({ x: { shape } }) => ({ dx: { shape } }),
  kernel: {
    name: "batch-norm-backward",
    source: backwardSource,
    choose({ tensors: { dz, x, line, dx }, all, epilogue: steps, checked }) {
      const channels = channelsOf(x);
      const lanes = lanesOf(x);
      const end = epilogue(steps, all, { lanes, columns: channels, aligned: lanes === 4 });
      return {
        holes: {
          STEP: step,
          EPILOGUE: end.text,
          CHECK: checkPart(checked),
          VECTOR: lanes === 4,
          REAL: realOf(size(x.shape) / lanes, x),
        },
        constants: { NUMBERS: size(x.shape) / lanes, CHANNELS: channels / lanes },
        tensors: { dz, x, line, dx, ...end.tensors },
        grid: threads(size(x.shape) / lanes),
        note: `${dims(x)}${end.note}`,
      };
    },
  },
  takesEpilogue: true,
});

/** y = 1 / sqrt(x + eps), of a running variance, which has no gradient. */
export const inverseRoot = defineOp({
  name: "inverseRoot",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { eps: [1e-5] },
  shape: ({ x: { shape } }, _: { readonly eps: number }) => ({ y: { shape } }),
  kernel: {
    name: "inverse-root",
    source: rootSource,
    choose({ tensors: { x, y }, all, attributes, epilogue: steps, checked }) {
      const length = size(x.shape);
      const end = epilogue(steps, all, { lanes: 1, columns: length, aligned: false });
      return {
        holes: { EPILOGUE: end.text, CHECK: checkPart(checked) },
        constants: { LENGTH: length, EPS: (attributes as { readonly eps: number }).eps },
        tensors: { x, y, ...end.tensors },
        grid: threads(length),
        note: `${dims(x)}${end.note}`,
      };
    },
  },
  takesEpilogue: true,
});
