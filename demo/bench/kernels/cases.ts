// The kernels that are timed alone, as rows: an op, shapes of its inputs, and which way: forward, or the gradient of some inputs.

import { attention } from "../../../src/op/attention.ts";
import { batchNormAffine, batchStatistics } from "../../../src/op/batch-norm.ts";
import { conv2d } from "../../../src/op/conv2d.ts";
import { depthwiseConv2d } from "../../../src/op/depthwise-conv2d.ts";
import { matmul } from "../../../src/op/matmul.ts";
import { normalize } from "../../../src/op/normalize.ts";
import type { Attributes, Op } from "../../../src/op/op.ts";
import { logSoftmax, softmax } from "../../../src/op/softmax.ts";
import { softmaxCrossEntropy } from "../../../src/op/softmax-cross-entropy.ts";
import type { KernelName } from "./names.ts";

export interface KernelCase {
  readonly kernel: KernelName;
  /** "X W 64x784x256". */
  readonly form: string;
  readonly op: Op;
  /** Shapes of the op's inputs, in its order; those of class numbers are said by `integers`. */
  readonly shapes: readonly (readonly number[])[];
  readonly integers?: readonly string[];
  readonly attributes: Attributes;
  /** Inputs whose gradients are made; none: forward. */
  readonly gradients: readonly string[];
}

type Shape = readonly number[];

const one = (
  kernel: KernelName,
  form: string,
  op: unknown,
  shapes: readonly Shape[],
  attributes: Attributes = {},
  gradients: readonly string[] = [],
): KernelCase => ({ kernel, form, op: op as Op, shapes, attributes, gradients });

/** The product of a dense layer and both its gradients, for M samples, K units in and N out. */
const products = (M: number, K: number, N: number): KernelCase[] => {
  const form = (name: string): string => `${name} ${M}x${K}x${N}`;
  return [
    one("matmul", form("X W"), matmul, [
      [M, K],
      [K, N],
    ]),
    one(
      "matmul",
      form("dY W^T"),
      matmul,
      [
        [M, N],
        [K, N],
      ],
      { transposeB: true },
    ),
    one(
      "matmul",
      form("X^T dY"),
      matmul,
      [
        [M, K],
        [K, N],
      ],
      {},
      ["b"],
    ),
  ];
};

/** A convolution, or one for each channel, and both its gradients. */
function convolutions(name: string, op: unknown, image: Shape, filter: Shape, stride = 1): KernelCase[] {
  const own = op === depthwiseConv2d ? { kernel: filter.slice(0, 2) } : {};
  const attributes = { stride: [stride, stride], padding: "same", ...own };
  const shapes = [image, filter];
  const form = `${name} [${image}] * [${filter}]${stride === 1 ? "" : ` stride ${stride}`}`;
  return [
    one("conv", form, op, shapes, attributes),
    one("conv", `input gradient, ${form}`, op, shapes, attributes, ["a"]),
    one("conv", `filter gradient, ${form}`, op, shapes, attributes, ["b"]),
  ];
}

/** Causal attention of 4 heads of 16 numbers, forward and back. */
const looks = (batch: number, length: number): KernelCase[] => {
  const shape = [batch, length, 64];
  const form = `[${shape}] in 4 heads, causal`;
  return [[], ["q", "k", "v"]].map((gradients) =>
    one(
      "attention",
      gradients.length > 0 ? `back, ${form}` : form,
      attention,
      [shape, shape, shape],
      { heads: 4, causal: true },
      gradients,
    ),
  );
};

const layerNorm = { groups: 1, positions: false, centered: true, eps: 1e-5 };

const norms = (rows: number, columns: number): KernelCase[] => {
  const shapes = [[rows, columns], [columns], [columns]];
  const form = `layer norm [${rows},${columns}]`;
  return [
    one("norm", form, normalize, shapes, layerNorm),
    one("norm", `back, ${form}`, normalize, shapes, layerNorm, ["x", "gamma", "beta"]),
  ];
};

const batchNorms = (shape: Shape): KernelCase[] => {
  const channels = shape.slice(-1);
  const form = `batch norm [${shape}]`;
  const statistics = { eps: 1e-5, momentum: 0.9, unbiased: true };
  const affine = [shape, ...[1, 2, 3, 4].map(() => channels)];
  return [
    one("norm", `statistics, ${form}`, batchStatistics, [shape, channels, channels], statistics),
    one("norm", form, batchNormAffine, affine),
    one("norm", `back, ${form}`, batchNormAffine, affine, {}, ["x", "gamma", "beta"]),
  ];
};

const shares = (rows: number, columns: number): KernelCase[] => {
  const shape = [rows, columns];
  const form = (name: string): string => `${name} [${shape}]`;
  return [
    one("softmax", form("softmax"), softmax.op, [shape]),
    one("softmax", form("back, softmax"), softmax.op, [shape], {}, ["x"]),
    one("softmax", form("log softmax"), logSoftmax.op, [shape]),
    {
      ...one("softmax", form("cross-entropy and its gradient"), softmaxCrossEntropy, [shape, [rows]], {
        gradient: true,
      }),
      integers: ["target"],
    },
  ];
};

export const kernelCases: readonly KernelCase[] = [
  ...[256, 512, 1024].flatMap((side) => products(side, side, side)),
  ...products(64, 784, 256),
  ...products(512, 64, 256),
  ...products(25_088, 72, 16),
  ...convolutions("3x3", conv2d, [16, 32, 32, 32], [3, 3, 32, 32]),
  ...convolutions("3x3 of few channels", conv2d, [16, 32, 32, 3], [3, 3, 3, 16]),
  ...convolutions("1x1", conv2d, [16, 16, 16, 64], [1, 1, 64, 128]),
  ...convolutions("3x3", conv2d, [16, 32, 32, 32], [3, 3, 32, 64], 2),
  ...convolutions("depthwise 3x3", depthwiseConv2d, [16, 32, 32, 64], [3, 3, 64]),
  ...looks(8, 64),
  ...looks(2, 256),
  ...looks(1, 1024),
  ...norms(512, 64),
  ...norms(4096, 256),
  ...batchNorms([16, 32, 32, 32]),
  ...shares(4096, 64),
  ...shares(64, 1000),
  ...shares(16, 50_257),
];
