// Layers with products: dense, convolutions and what is made of them.

import {
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  embedding,
  type Model,
  separableConv2d,
} from "../index.ts";
import { activationName, activationOf } from "./activation.ts";
import {
  type Config,
  checkChannelsLast,
  count,
  counts,
  flag,
  isObject,
  optionOf,
  refuse,
  shown,
  word,
} from "./config.ts";
import { after, type LayerClass, type Made, type Need } from "./layer-class.ts";

/** A layer and its activation, which stand under one name as in Keras. */
function activated(config: Config, layer: Model, needs: readonly Need[], more: Partial<Made> = {}): Made {
  const name = activationName(config);
  return { layer: after(layer, activationOf(name, config.major)), needs, ends: name, ...more };
}

const weight = (names: readonly string[], shape: Need["shape"], to = "weight"): Need => ({ names, to, shape });
const biasOf = (bias: boolean, length: number, to = "bias"): readonly Need[] =>
  bias ? [weight(["bias"], [length], to)] : [];

const denseLayer: LayerClass = (config) => {
  const units = count(config, "units");
  const bias = flag(config, "use_bias", true);
  return activated(config, dense(units, { bias }), [weight(["kernel"], [undefined, units]), ...biasOf(bias, units)]);
};

type Pair = readonly [number, number];

/** What convolutions of images share. */
function window(config: Config) {
  checkChannelsLast(config);
  return {
    kernel: counts(config, "kernel_size", 2, undefined) as Pair,
    stride: counts(config, "strides", 2, 1) as Pair,
    padding: word(config, "padding", ["valid", "same"], "valid"),
    dilation: counts(config, "dilation_rate", 2, 1) as Pair,
    bias: flag(config, "use_bias", true),
  };
}

const conv2dLayer: LayerClass = (config) => {
  const [filters, slide, groups] = [count(config, "filters"), window(config), count(config, "groups", 1)];
  if (filters % groups !== 0) refuse(config, `${filters} filters cannot be divided into ${groups} groups.`);
  const needs = [weight(["kernel"], [...slide.kernel, undefined, filters]), ...biasOf(slide.bias, filters)];
  return activated(config, conv2d(filters, { ...slide, groups }), needs);
};

const conv2dTransposeLayer: LayerClass = (config) => {
  const [filters, slide] = [count(config, "filters"), window(config)];
  const output = optionOf(config, "output_padding");
  if (output !== undefined)
    refuse(
      config,
      `output_padding is ${shown(output)}. Known is none, where the output has the length that "padding" says.`,
    );
  const needs = [weight(["kernel"], [...slide.kernel, filters, undefined]), ...biasOf(slide.bias, filters)];
  return activated(config, conv2dTranspose(filters, slide), needs);
};

const depthwiseLayer: LayerClass = (config) => {
  const [slide, depthMultiplier] = [window(config), count(config, "depth_multiplier", 1)];
  const kernel = weight(["depthwise_kernel", "kernel"], [...slide.kernel, undefined, depthMultiplier]);
  const bias: readonly Need[] = slide.bias ? [weight(["bias"], [undefined], "bias")] : [];
  return activated(config, depthwiseConv2d({ ...slide, depthMultiplier }), [kernel, ...bias]);
};

const separableLayer: LayerClass = (config) => {
  const [filters, slide] = [count(config, "filters"), window(config)];
  const depthMultiplier = count(config, "depth_multiplier", 1);
  const needs = [
    weight(["depthwise_kernel"], [...slide.kernel, undefined, depthMultiplier], "depthwise.weight"),
    weight(["pointwise_kernel"], [1, 1, undefined, filters], "pointwise.weight"),
    ...biasOf(slide.bias, filters, "pointwise.bias"),
  ];
  return activated(config, separableConv2d(filters, { ...slide, depthMultiplier }), needs);
};

const conv1dLayer: LayerClass = (config) => {
  checkChannelsLast(config);
  const filters = count(config, "filters");
  const [kernel] = counts(config, "kernel_size", 1, undefined) as [number];
  const [stride] = counts(config, "strides", 1, 1) as [number];
  const [dilation] = counts(config, "dilation_rate", 1, 1) as [number];
  const [bias, groups] = [flag(config, "use_bias", true), count(config, "groups", 1)];
  if (filters % groups !== 0) refuse(config, `${filters} filters cannot be divided into ${groups} groups.`);
  const told = word(config, "padding", ["valid", "same", "causal"], "valid");
  // Causal: no place sees what comes behind it.
  const padding = told === "causal" ? ([(kernel - 1) * dilation, 0] as const) : told;
  const layer = conv1d(filters, { kernel, stride, dilation, padding, bias, groups });
  return activated(config, layer, [weight(["kernel"], [kernel, undefined, filters]), ...biasOf(bias, filters)]);
};

const embeddingLayer: LayerClass = (config) => {
  const [vocabulary, units] = [count(config, "input_dim"), count(config, "output_dim")];
  if (flag(config, "mask_zero", false))
    refuse(
      config,
      "mask_zero is true, and masks are not known. Pad sequences at their front, or cut them, and set it to false.",
    );
  return { layer: embedding(vocabulary, units), needs: [weight(["embeddings"], [vocabulary, units])] };
};

/** A dense layer works on the last axis, whatever stands before it. */
const timeDistributedLayer: LayerClass = (config) => {
  const inner = optionOf(config, "layer");
  const kind = isObject(inner) ? inner.class_name : undefined;
  if (!isObject(inner) || kind !== "Dense" || !isObject(inner.config))
    return refuse(config, `its layer is ${shown(kind)}. Known: Dense.`);
  return denseLayer({ ...config, values: inner.config });
};

export const productLayers: ReadonlyMap<string, LayerClass> = new Map([
  ["Dense", denseLayer],
  ["Conv1D", conv1dLayer],
  ["Convolution1D", conv1dLayer],
  ["Conv2D", conv2dLayer],
  ["Convolution2D", conv2dLayer],
  ["Conv2DTranspose", conv2dTransposeLayer],
  ["DepthwiseConv2D", depthwiseLayer],
  ["SeparableConv2D", separableLayer],
  ["Embedding", embeddingLayer],
  ["TimeDistributed", timeDistributedLayer],
]);
