// docs/onnx.md: which operators of ONNX are read, made of the reader's own tables and of what is said here of those that are read in part.

import { folds } from "../../src/onnx/fold.ts";
import { rows } from "../../src/onnx/rows.ts";
import { forms } from "../../src/onnx-out/forms.ts";

/** All operators of opset 17, as python3-onnx lists them. */
const standard = `
  Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Bernoulli BitShift
  BlackmanWindow Cast CastLike Ceil Celu Clip Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger
  ConvTranspose Cos Cosh CumSum DFT DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal
  Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool
  GlobalMaxPool Greater GreaterOrEqual GridSample HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If
  InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop
  LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization
  MelWeightMatrix Min Mod Mul Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional
  OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN RandomNormal
  RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
  ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round
  STFT Scan ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
  SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus
  Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringNormalizer Sub Sum Tan Tanh TfIdfVectorizer
  ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Where Xor
`
  .split(/\s+/)
  .filter((name) => name !== "");

/** What is read of an operator that is not read whole. */
const partly: Readonly<Record<string, string>> = {
  AveragePool: "images and lines; not count_include_pad with ceil_mode beyond the padding",
  BatchNormalization: "the first output; running values move as Gradus's do",
  Cast: "types that hold whole numbers drop digits, all else stays f32",
  Conv: "images and lines",
  ConvTranspose: "images and lines",
  Dropout: "the first output; it drops in training alone",
  GRU: "one length of sequences",
  Gather: "of values by constants; rows of a table by numbers of the network",
  If: "conditions that are constants, or that shapes decide",
  InstanceNormalization: "scale and bias are constants",
  LSTM: "one length of sequences, no peepholes, no clip",
  LayerNormalization: "scale and bias are constants",
  LeakyRelu: "alpha of at least 0",
  Elu: "alpha of at least 0",
  MaxPool: "the first output, images and lines, dilation 1",
  Pad: "constant, edge and reflect",
  Pow: "of values above 0 where the exponent is no constant",
  Resize: "nearest, linear and cubic; not tf_crop_and_resize, not of the batch",
  Selu: "alpha of at least 0",
  Slice: "parts that are not empty, by constants",
  Upsample: "nearest and linear, not of the batch",
};

/** Of values that flow, through which no gradient goes. */
const flat = new Set(
  "And Ceil Equal Floor Greater GreaterOrEqual Less LessOrEqual Not OneHot Or Round Shape Sign Size Xor".split(" "),
);

/** What has to do with constants alone. */
const natural = new Set(["Constant", "ConstantOfShape", "Range"]);

interface Line {
  readonly operator: string;
  readonly read: "yes" | "partly" | "no";
  readonly gradient: string;
  readonly what: string;
}

function lineOf(operator: string): Line {
  const flows = Object.hasOwn(rows, operator) || operator === "If";
  const reckoned = Object.hasOwn(folds, operator);
  if (!flows && !reckoned) return { operator, read: "no", gradient: "", what: "" };
  if (!flows) return { operator, read: natural.has(operator) ? "yes" : "partly", gradient: "", what: "of constants" };
  const what = partly[operator];
  return {
    operator,
    read: what === undefined ? "yes" : "partly",
    gradient: flat.has(operator) ? "no" : "yes",
    what: what ?? "",
  };
}

/** Operators of the standard that are read, whole or in part. */
export const claimed = (): string[] =>
  standard.map(lineOf).flatMap(({ operator, read }) => (read === "no" ? [] : [operator]));

export function onnxTable(): string {
  const names = [...new Set([...standard, "Upsample"])].sort();
  const lines = names.map(lineOf);
  const count = (read: Line["read"]): number => lines.filter((line) => line.read === read).length;
  const cells = [
    ["operator", "read", "gradient", "what"],
    ...lines
      .filter(({ read }) => read !== "no")
      .map(({ operator, read, gradient, what }) => [operator, read, gradient, what]),
  ];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...cells.map((row) => (row[at] as string).length)));
  const row = (texts: readonly string[]): string =>
    `| ${texts.map((text, at) => text.padEnd(widths[at] as number)).join(" | ")} |`;
  const [head, ...body] = cells.map(row);
  return `# Operators of ONNX

Made of the tables of \`src/onnx\` by \`npx vitest run --project node test/node/onnx-docs.test.ts -u\`. Opsets 7 to 17: ${count("yes")} operators are
read, ${count("partly")} in part, ${count("no")} are not. What is given nothing but constants is reckoned while the file is read. Each operator that is read
passes the node cases of the standard (\`test/node/onnx-cases.test.ts\`).

Recognised where they are written as arithmetic: layer and RMS normalization, GELU by erf and by tanh, SiLU, Mish, softmax, attention
without a mask, a dense layer with its bias, and rows of a table by one-hot products.

${head}
${row(widths.map((width) => "-".repeat(width)))}
${body.join("\n")}

Not read, and refused by name, node and opset:
${lines
  .filter(({ read }) => read === "no")
  .map(({ operator }) => operator)
  .join(", ")}.

\`toOnnx\` of \`gradus/onnx-out\` writes networks of these ops, opset 13, or 17 where there is layer normalization. A convolution takes its bias
into its node, a batch normalization with running values is one node, and so are LSTM and GRU; what lies channels last is turned where
a node needs it otherwise, and not twice. All others, those of your own among them, are refused by name and path:
${Object.keys(forms).sort().join(", ")}.
`;
}
