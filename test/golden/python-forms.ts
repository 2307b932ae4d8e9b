// Small models that between them have every op that toPyTorch writes. Their Python files are kept in python-forms/, and python-forms.py
// runs them in PyTorch on the same numbers.

import {
  averagePool2d,
  batchNorm,
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  dropout,
  elu,
  embedding,
  flatten,
  functional,
  gelu,
  globalAveragePool2d,
  globalMaxPool2d,
  groupNorm,
  hardSigmoid,
  hardSwish,
  type Layer,
  layerNorm,
  leakyRelu,
  logSoftmax,
  maxPool2d,
  mish,
  multiHeadAttention,
  type Ops,
  ops,
  permute,
  positionEmbedding,
  relu,
  relu6,
  residual,
  rmsNorm,
  selu,
  separableConv2d,
  sequential,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
  transformerBlock,
  type Value,
  zeroPadding2d,
} from "../../src/index.ts";

export interface PythonCase {
  readonly model: Layer;
  readonly input: readonly number[] | { readonly shape: readonly number[]; readonly classes: number };
}

const unary = (name: keyof Ops, out: "z" | "y" = "z", attributes = {}): Layer =>
  functional((x, { scope }) => (scope.op(ops[name] as Ops["abs"], { x }, attributes) as Record<string, Value>)[out]!);

const image = [6, 5, 4];
const sequence = [5, 8];

export const pythonCases: Readonly<Record<string, PythonCase>> = {
  convolutions: {
    model: sequential([
      conv2d(6, { kernel: [3, 2], stride: 2, padding: "same", groups: 2 }),
      relu(),
      conv2d(4, {
        kernel: 2,
        dilation: 2,
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
      leakyRelu(),
      conv2dTranspose(6, { kernel: 3, stride: 2, padding: "same" }),
      depthwiseConv2d({ kernel: 3, padding: 1 }),
      depthwiseConv2d({ kernel: 2, depthMultiplier: 2 }),
      separableConv2d(3),
      flatten(),
      dense(3),
    ]),
    input: [9, 8, 4],
  },
  transposed: {
    model: sequential([
      conv2dTranspose(2, { kernel: 2, stride: 3 }),
      conv2dTranspose(4, { kernel: 3, groups: 2, padding: 1 }),
      globalMaxPool2d(),
    ]),
    input: [3, 4, 4],
  },
  pools: {
    model: sequential([
      maxPool2d(2, { stride: 1, padding: "same" }),
      averagePool2d([2, 2], { stride: 1 }),
      averagePool2d(3, { stride: 2, padding: 1 }),
      maxPool2d(3, { stride: 1, padding: 1 }),
      zeroPadding2d(1),
      globalAveragePool2d(),
      dense(3),
    ]),
    input: image,
  },
  norms: { model: sequential([batchNorm(), groupNorm(2), layerNorm({ offset: false }), rmsNorm()]), input: image },
  activations: {
    model: sequential([
      dense(8),
      ...[
        relu6(),
        tanh(),
        elu({ alpha: 0.5 }),
        gelu(),
        gelu({ approximate: true }),
        silu(),
        mish(),
        softplus(),
        selu(),
      ],
      ...[hardSigmoid(), hardSwish(), sigmoid(), dropout(0.3), softmax(), logSoftmax()],
    ]),
    input: sequence,
  },
  arithmetic: {
    model: functional((given, { scope, add, use }) => {
      const x = use("mix", dense(8), given);
      const of = (name: keyof Ops, out: "z" | "y", attributes = {}) => unary(name, out, attributes).apply(scope, x);
      const two = (name: "multiply" | "subtract" | "divide" | "maximum" | "minimum", a: Value, b: Value) =>
        scope.op(ops[name], { x: a, y: b }).z;
      const positive = add(of("square", "z"), of("exp", "z"));
      const root = unary("log").apply(scope, unary("sqrt").apply(scope, positive));
      const parts = add(two("maximum", of("abs", "z"), of("neg", "z")), two("minimum", of("sin", "z"), root));
      const sums = add(of("sum", "y", { axes: [1], keepDims: true }), of("mean", "y", { axes: [2], keepDims: true }));
      const ends = two(
        "subtract",
        of("max", "y", { axes: [-1], keepDims: true }),
        of("min", "y", { axes: [-1], keepDims: true }),
      );
      const whole = two("divide", two("multiply", parts, sums), unary("reciprocal").apply(scope, positive));
      return add(unary("pow", "z", { exponent: 2 }).apply(scope, whole), ends);
    }),
    input: sequence,
  },
  moves: {
    model: sequential([
      permute([2, 1]),
      functional((x, { scope }) => {
        const part = scope.op(ops.slice, { x }, { begin: [0, 1], end: [Infinity, -1], stride: [1, 2] }).y;
        const wide = scope.op(ops.pad, { x: part }, { before: [0, 1, 0], after: [0, 0, 2], value: 0.5 }).y;
        return scope.op(
          ops.concat,
          { a: wide, b: scope.op(ops.tile, { x: wide }, { repeats: [1, 2, 1] }).y },
          { axis: 1 },
        ).y;
      }),
      conv1d(3, { kernel: 2 }),
    ]),
    input: sequence,
  },
  attention: {
    model: sequential([
      positionEmbedding(5),
      residual([multiHeadAttention({ heads: 4, keyHeads: 2, causal: true })]),
      transformerBlock({ heads: 2, hidden: 6 }),
    ]),
    input: sequence,
  },
  words: { model: sequential([embedding(7, 4), dense(3)]), input: { shape: [5], classes: 7 } },
};

/** Numbers for the tensors and the input: a rule of whole numbers, above 0 where they are variances. */
export const ruleNumbers = (count: number, start: number, isPositive: boolean): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => {
    const x = (((i + start) * 7919) % 1009) / 1009;
    return isPositive ? x + 0.5 : x - 0.5;
  });
