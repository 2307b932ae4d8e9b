// Layers of Gradus as Keras writes them: its class and options, from the ops that the layer asks for, and the names of its weights.

import type { Attributes } from "../index.ts";
import { gatesTurned } from "./recurrent-layers.ts";
import type { Numbers } from "./tensor.ts";
import { refuseModel, type TracedOp, type TracedPart } from "./traced-part.ts";

/** A layer that stands in a model. */
export interface Written {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Its weights in Keras's order. */
  readonly weights?: readonly WrittenWeight[];
}

/** A weight: its name in Keras, that below the layer here, and the numbers as Keras has them where it has others. */
type WrittenWeight = readonly [keras: string, own: string, turn?: ((given: Numbers) => Numbers) | undefined];

/** A part that is to be written. */
export interface Part extends TracedPart {
  readonly path: string;
  readonly kind: string;
  /** Shape of its first input. */
  readonly shape: readonly number[];
}

type Writer = (part: Part) => Written;

const refuse = ({ path, kind }: Part, what: string): never => refuseModel(`${kind} "${path}": ${what}`);

const opOf = (part: Part, ...names: readonly string[]): TracedOp =>
  part.ops.find(({ name }) => names.includes(name)) ??
  refuse(part, `it has no ${names.join(" or ")}, so it cannot be written.`);

const shapeOf = (part: Part, name: string): readonly number[] =>
  part.tensors.get(name) ?? refuse(part, `it has no "${name}", so it cannot be written.`);

/** Names of activations in Keras, by the op. */
const activations: ReadonlyMap<string, string> = new Map([
  ...["relu", "relu6", "elu", "selu", "gelu", "tanh", "sigmoid", "softplus", "softsign", "mish", "softmax"].map(
    (name) => [name, name] as const,
  ),
  ["silu", "swish"],
]);

/** The activation of a list of ops that is nothing else; undefined where it is none that Keras has without options. */
function activationOf(ops: readonly TracedOp[]): string | undefined {
  const [first, second] = ops;
  if (first?.name === "line" && second?.name === "clip" && first.attributes.factor === 0.2) return "hard_sigmoid";
  if (ops.length !== 1 || first === undefined) return undefined;
  if (first.attributes.alpha !== undefined && first.attributes.alpha !== 1) return undefined;
  if (first.attributes.approximate === true) return undefined;
  return activations.get(first.name);
}

/** The activation behind the op that is the layer's last of its own. */
function ending(part: Part, ...own: readonly string[]): string {
  const last = part.ops.findLastIndex(({ name }) => own.includes(name));
  const rest = part.ops.slice(last + 1);
  if (rest.length === 0) return "linear";
  return (
    activationOf(rest) ??
    refuse(part, `it ends with ${rest.map(({ name }) => name).join(", ")}, for which Keras has no activation.`)
  );
}

const list = (value: Attributes[string]): readonly number[] => value as readonly number[];

/** "same", "valid", or what a word cannot say. */
function paddingOf(part: Part, padding: Attributes[string]): string {
  if (typeof padding === "string") return padding;
  if (list(padding).every((zeros) => zeros === 0)) return "valid";
  return refuse(
    part,
    `its padding is [${padding}]. Keras has "same" and "valid": put zeroPadding2d() before it, and give it "valid".`,
  );
}

const slide = (part: Part, { attributes }: TracedOp) => ({
  strides: attributes.stride,
  padding: paddingOf(part, attributes.padding),
  data_format: "channels_last",
});

const biasIn = (part: Part, own = "bias") => ({
  use_bias: part.tensors.has(own),
  names: (part.tensors.has(own) ? [["bias", own]] : []) as readonly (readonly [string, string])[],
});

const dense: Writer = (part) => {
  const { use_bias, names } = biasIn(part);
  const activation = ending(part, "matmul", "bias", "reshape");
  const config = { units: shapeOf(part, "weight").at(-1), activation, use_bias };
  return { class_name: "Dense", config, weights: [["kernel", "weight"], ...names] };
};

const conv2d: Writer = (part) => {
  const op = opOf(part, "conv2d");
  const shape = shapeOf(part, "weight");
  const { use_bias, names } = biasIn(part);
  if ((op.attributes.groups ?? 1) !== 1)
    refuse(part, `it has ${op.attributes.groups} groups, which TensorFlow.js has not.`);
  const config = {
    ...{ filters: shape[3], kernel_size: shape.slice(0, 2), ...slide(part, op), dilation_rate: op.attributes.dilation },
    ...{ activation: ending(part, "conv2d", "bias"), use_bias },
  };
  return { class_name: "Conv2D", config, weights: [["kernel", "weight"], ...names] };
};

const conv2dTranspose: Writer = (part) => {
  const op = opOf(part, "conv2dTranspose");
  const shape = shapeOf(part, "weight");
  const { use_bias, names } = biasIn(part);
  const config = {
    ...{ filters: shape[2], kernel_size: shape.slice(0, 2), ...slide(part, op) },
    ...{ activation: ending(part, "conv2dTranspose", "bias"), use_bias },
  };
  return { class_name: "Conv2DTranspose", config, weights: [["kernel", "weight"], ...names] };
};

const conv1d: Writer = (part) => {
  const { attributes } = opOf(part, "conv2d");
  const [length = 1, , filters] = shapeOf(part, "weight");
  const { use_bias, names } = biasIn(part);
  const dilation = list(attributes.dilation)[1] as number;
  const isCausal =
    typeof attributes.padding !== "string" && String(attributes.padding) === `0,0,${(length - 1) * dilation},0`;
  const config = {
    ...{ filters, kernel_size: [length], strides: list(attributes.stride).slice(1), dilation_rate: [dilation] },
    ...{
      padding: isCausal && length > 1 ? "causal" : paddingOf(part, attributes.padding),
      data_format: "channels_last",
    },
    ...{ activation: ending(part, "conv2d", "bias", "reshape"), use_bias },
  };
  return { class_name: "Conv1D", config, weights: [["kernel", "weight"], ...names] };
};

const depthwise: Writer = (part) => {
  const op = opOf(part, "depthwiseConv2d", "conv2d");
  const shape = shapeOf(part, "weight");
  const { use_bias, names } = biasIn(part);
  const config = {
    ...{ kernel_size: shape.slice(0, 2), depth_multiplier: shape[3], ...slide(part, op) },
    ...{ dilation_rate: op.attributes.dilation ?? [1, 1] },
    ...{ activation: ending(part, "depthwiseConv2d", "conv2d", "bias"), use_bias },
  };
  return { class_name: "DepthwiseConv2D", config, weights: [["depthwise_kernel", "weight"], ...names] };
};

const separable: Writer = (part) => {
  const op = opOf(part, "depthwiseConv2d", "conv2d");
  const [depth, point] = [shapeOf(part, "depthwise.weight"), shapeOf(part, "pointwise.weight")];
  const { use_bias, names } = biasIn(part, "pointwise.bias");
  const config = {
    ...{ filters: point[3], kernel_size: depth.slice(0, 2), depth_multiplier: depth[3], ...slide(part, op) },
    ...{ dilation_rate: op.attributes.dilation ?? [1, 1], activation: ending(part, "conv2d", "bias"), use_bias },
  };
  const kernels = [
    ["depthwise_kernel", "depthwise.weight"],
    ["pointwise_kernel", "pointwise.weight"],
  ] as const;
  return { class_name: "SeparableConv2D", config, weights: [...kernels, ...names] };
};

const embedding: Writer = (part) => {
  const [input_dim, output_dim] = shapeOf(part, "weight");
  return { class_name: "Embedding", config: { input_dim, output_dim }, weights: [["embeddings", "weight"]] };
};

const normWeights = (part: Part): readonly (readonly [string, string])[] =>
  (
    [
      ["gamma", "gamma"],
      ["beta", "beta"],
      ["moving_mean", "movingMean"],
      ["moving_variance", "movingVariance"],
    ] as const
  ).filter(([, own]) => part.tensors.has(own));

const scaling = (part: Part) => ({
  axis: part.shape.length - 1,
  center: part.tensors.has("beta"),
  scale: part.tensors.has("gamma"),
});

const batchNorm: Writer = (part) => {
  const { momentum, eps } = opOf(part, "batchStatistics").attributes;
  return {
    class_name: "BatchNormalization",
    config: { ...scaling(part), momentum, epsilon: eps },
    weights: normWeights(part),
  };
};

const layerNorm: Writer = (part) => {
  const { eps } = opOf(part, "normalize").attributes;
  return { class_name: "LayerNormalization", config: { ...scaling(part), epsilon: eps }, weights: normWeights(part) };
};

/** A recurrent layer: its class, options and weights. */
function recurrentOf(part: Part, op: TracedOp, within: string, sequences: boolean): Required<Written> {
  const units = shapeOf(part, `${within}recurrentWeight`)[0] as number;
  if (op.name === "gruSteps")
    refuse(
      part,
      "its reset gate stands behind the product, which TensorFlow.js has not. Write gru(units, { resetAfter: false }).",
    );
  const isGru = op.name === "gruResetBeforeSteps";
  const turn = isGru ? gatesTurned(units) : undefined;
  const weights = [
    ["kernel", "weight"],
    ["recurrent_kernel", "recurrentWeight"],
    ["bias", "bias"],
  ].map(([keras = "", own = ""]): WrittenWeight => [keras, `${within}${own}`, turn]);
  const config = {
    ...{ units, activation: "tanh", recurrent_activation: "sigmoid", use_bias: true },
    ...{ return_sequences: sequences, return_state: false, go_backwards: false, stateful: false },
    ...{ dropout: 0, recurrent_dropout: 0, ...(isGru ? { reset_after: false } : { unit_forget_bias: true }) },
  };
  return { class_name: isGru ? "GRU" : "LSTM", config, weights };
}

const recurrentOps = ["lstmSteps", "gruSteps", "gruResetBeforeSteps"];

const recurrent: Writer = (part) => {
  if (!("shape" in part.y)) return refuse(part, "it gives its states, which cannot be written.");
  const op = opOf(part, ...recurrentOps);
  const isSequence = sample(part).length === 2;
  const isReverse = op.attributes.reverse === true;
  if (isReverse && isSequence)
    return refuse(part, "it goes back and gives all steps, for which Keras has another order.");
  const made = recurrentOf(part, op, "", isSequence);
  return { ...made, config: { ...made.config, go_backwards: isReverse } };
};

/** What joins both directions. */
const merges: ReadonlyMap<string, string> = new Map([
  ["concat", "concat"],
  ["add", "sum"],
  ["multiply", "mul"],
]);

/** Both directions, of which each has its weights. */
const bidirectional: Writer = (part) => {
  const [op, other] = part.ops.filter(({ name }) => recurrentOps.includes(name));
  const merge_mode = merges.get(part.ops.at(-1)?.name ?? "");
  if (op === undefined || other?.name !== op.name || merge_mode === undefined)
    return refuse(
      part,
      "it is not of two recurrent layers beside each other, added or multiplied, which alone can be written.",
    );
  const ways = ["forward", "backward"].map((way) => recurrentOf(part, op, `${way}.`, sample(part).length === 2));
  const [{ class_name, config }] = ways as [Required<Written>];
  const weights = ways.flatMap((one, i) =>
    one.weights.map(
      ([keras, ...rest]): WrittenWeight => [`${i === 0 ? "forward" : "backward"}_steps/${keras}`, ...rest],
    ),
  );
  const layer = { class_name, config: { ...config, name: "steps" } };
  return { class_name: "Bidirectional", config: { layer, merge_mode }, weights };
};

const pool2d =
  (class_name: string, op: string): Writer =>
  (part) => {
    const { attributes } = opOf(part, op);
    if (attributes.countPadding === true) refuse(part, "it counts zeros of its padding, which Keras does not.");
    return { class_name, config: { pool_size: attributes.kernel, ...slide(part, opOf(part, op)) } };
  };

const pool1d =
  (class_name: string, op: string): Writer =>
  (part) => {
    const { attributes } = opOf(part, op);
    const [pool_size, strides] = [list(attributes.kernel).slice(1), list(attributes.stride).slice(1)];
    return { class_name, config: { pool_size, strides, padding: paddingOf(part, attributes.padding) } };
  };

const plain =
  (class_name: string, config: (part: Part) => Readonly<Record<string, unknown>> = () => ({})): Writer =>
  (part) => ({ class_name, config: config(part) });

const sample = (part: Part): readonly number[] => (part.y as { readonly shape: readonly number[] }).shape.slice(1);

/** Layers that are nothing but an activation. */
const activation: Writer = (part) => {
  const [op] = part.ops;
  if (part.kind === "leakyRelu" && part.ops.length === 1)
    return { class_name: "LeakyReLU", config: { alpha: op?.attributes.slope } };
  const name = part.ops.length === 0 ? "linear" : activationOf(part.ops);
  if (name === undefined) return refuse(part, "Keras has no activation of these options.");
  return { class_name: "Activation", config: { activation: name } };
};

const sides = (before: readonly number[], after: readonly number[]) => [
  [before[1], after[1]],
  [before[2], after[2]],
];

/** By the kind of the layer. */
export const writers: ReadonlyMap<string, Writer> = new Map<string, Writer>([
  ["dense", dense],
  ["conv2d", conv2d],
  ["conv2dTranspose", conv2dTranspose],
  ["conv1d", conv1d],
  ["depthwiseConv2d", depthwise],
  ["separableConv2d", separable],
  ["embedding", embedding],
  ["batchNorm", batchNorm],
  ["layerNorm", layerNorm],
  ["lstm", recurrent],
  ["gru", recurrent],
  ["bidirectional", bidirectional],
  ["maxPool2d", pool2d("MaxPooling2D", "maxPool2d")],
  ["averagePool2d", pool2d("AveragePooling2D", "averagePool2d")],
  ["maxPool1d", pool1d("MaxPooling1D", "maxPool2d")],
  ["averagePool1d", pool1d("AveragePooling1D", "averagePool2d")],
  ["globalMaxPool2d", plain("GlobalMaxPooling2D")],
  ["globalAveragePool2d", plain("GlobalAveragePooling2D")],
  ["globalMaxPool1d", plain("GlobalMaxPooling1D")],
  ["globalAveragePool1d", plain("GlobalAveragePooling1D")],
  ["flatten", plain("Flatten")],
  ["reshape", plain("Reshape", (part) => ({ target_shape: sample(part) }))],
  ["permute", plain("Permute", (part) => ({ dims: list(opOf(part, "permute").attributes.axes).slice(1) }))],
  [
    "zeroPadding2d",
    plain("ZeroPadding2D", (part) => {
      const { before, after } = opOf(part, "pad").attributes;
      return { padding: sides(list(before), list(after)), data_format: "channels_last" };
    }),
  ],
  [
    "cropping2d",
    plain("Cropping2D", (part) => {
      const [top = 0, left = 0] = list(opOf(part, "slice").attributes.begin).slice(1);
      const [height = 0, width = 0] = sample(part);
      const [, fullHeight = 0, fullWidth = 0] = part.shape;
      return {
        cropping: [
          [top, fullHeight - height - top],
          [left, fullWidth - width - left],
        ],
        data_format: "channels_last",
      };
    }),
  ],
  [
    "upSampling2d",
    plain("UpSampling2D", (part) => {
      const { attributes, name } = opOf(part, "tile", "interpolate");
      if (name === "interpolate" && attributes.alignCorners === true)
        refuse(part, "it aligns corners, which Keras does not.");
      const size = name === "tile" ? list(attributes.repeats).slice(1, 3) : attributes.size;
      return { size, interpolation: name === "tile" ? "nearest" : "bilinear", data_format: "channels_last" };
    }),
  ],
  ["repeatVector", plain("RepeatVector", (part) => ({ n: sample(part)[0] }))],
  [
    "dropout",
    plain("Dropout", (part) => ({ rate: part.ops.find(({ name }) => name === "drop")?.attributes.rate ?? 0 })),
  ],
  ["add", plain("Add")],
  ["multiply", plain("Multiply")],
  ["maximum", plain("Maximum")],
  ["minimum", plain("Minimum")],
  ["average", plain("Average")],
  ["concatenate", plain("Concatenate", (part) => ({ axis: concatAxis(part) }))],
  [
    "prelu",
    (part) => ({
      class_name: "PReLU",
      config: { shared_axes: part.shape.slice(2).map((_, i) => i + 1) },
      weights: [["alpha", "slope"]],
    }),
  ],
  ...[
    "relu",
    "relu6",
    "leakyRelu",
    "elu",
    "selu",
    "gelu",
    "tanh",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "mish",
    "softmax",
    "hardSigmoid",
    "identity",
  ].map((kind) => [kind, activation] as const),
]);

/** The axis along which values were joined: an op may count it from the end. */
function concatAxis(part: Part): number {
  const { axis } = opOf(part, "concat", "concat3").attributes;
  return axis as number;
}
