// Batch normalization (Ioffe and Szegedy 2015) as ops: statistics, which also say what the running ones become; the normalization, which
// takes relu or an addition into its end as any elementwise op does; and its way back: both sums, which are the gradients of gamma and
// beta, then the gradient of x.

import backwardSource from "../../shaders/batch-norm-backward.wgsl?raw";
import statistics from "../../shaders/batch-statistics.wgsl?raw";
import rootSource from "../../shaders/inverse-root.wgsl?raw";
import joined from "../../shaders/parts/joined-channels.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { multiply } from "./arithmetic.ts";
import { channelSums, channelsOf, lanesOf, type Parts, realRows, rowsOf, sumsInParts, typeOf } from "./channel-sums.ts";
import { checkPart } from "./check.ts";
import { defineElementwise } from "./elementwise.ts";
import { epilogue } from "./epilogue.ts";
import { fold, threads } from "./kernel.ts";
import { defineOp, type Kernel, type Op, once } from "./op.ts";
import { checkCount, checkShape, perhaps } from "./request.ts";
import { splitsForGpu, splitsForRows } from "./split.ts";
import { realOf } from "./sum.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

/** Of statistics: `parts` is the shape of what was cut into parts, where x are those. */
type Statistics = {
  readonly eps: number;
  readonly momentum: number;
  readonly unbiased: boolean;
  readonly parts?: readonly number[] | undefined;
};

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
export const batchStatistics: Op<
  "x" | "movingMean" | "movingVariance",
  "mean" | "inverse" | "nextMean" | "nextVariance",
  Statistics
> = defineOp({
  name: "batchStatistics",
  inputs: ["x", "movingMean", "movingVariance"],
  outputs: ["mean", "inverse", "nextMean", "nextVariance"],
  attributes: { eps: [1e-5], momentum: [0.9], unbiased: [true], parts: [undefined, perhaps(checkShape)] },
  shape({ movingMean: { shape } }, _: Statistics) {
    return { mean: { shape }, inverse: { shape }, nextMean: { shape }, nextVariance: { shape } };
  },
  forGpu({ x, movingMean, movingVariance }, { attributes, emit }) {
    if (attributes.parts !== undefined) return undefined;
    const splits = splitsForGpu(channelsOf(x) / lanesOf(x), channelsOf(x), rowsOf(x));
    if (splits === 1) return undefined;
    const { parts } = emit(batchParts, { x }, { splits });
    return emit(batchStatistics, { x: parts, movingMean, movingVariance }, { ...attributes, parts: x.shape });
  },
  kernel: statisticsKernel,
  moves: () => true,
});

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
      const sums = once(() => {
        const splits = splitsForRows(rowsOf(x));
        const given = { dz, x, mean, inverse };
        return splits === 1 ? emit(channelSums, given) : sumsInParts(emit, given, splits);
      });
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
          STEP: checked ? "" : step,
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
