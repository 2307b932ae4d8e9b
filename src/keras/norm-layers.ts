// Layers that normalize, activate or learn a slope.

import {
  batchNorm,
  elu,
  type Layer,
  layerNorm,
  leakyRelu,
  type Model,
  ops,
  prelu,
  relu,
  relu6,
  softmax,
} from "../index.ts";
import { activationName, activationOf } from "./activation.ts";
import { type Config, flag, number, optionOf, refuse, shown } from "./config.ts";
import { after, identity, type LayerClass, type Need } from "./layer-class.ts";
import { scaling } from "./own-ops.ts";
import type { Numbers } from "./tensor.ts";

/** The layer where its axis is the last one; how many there are is known when it is applied. */
function onLastAxis(config: Config, layer: Layer): Layer {
  const given = optionOf(config, "axis") ?? -1;
  const axis = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (!Number.isInteger(axis)) return refuse(config, `axis is ${shown(given)}. Known is one, the last.`);
  if (axis === -1) return layer;
  return {
    ...layer,
    apply(scope, x) {
      const last = x.shape.length - 1;
      if (axis !== last)
        refuse(config, `axis is ${axis}, and its input [${x.shape}] has ${last} as the last axis. Known is the last.`);
      return layer.apply(scope, x);
    },
  };
}

const need = (to: string, ...names: string[]): Need => ({ names, to, shape: [undefined] });

const batchNormLayer: LayerClass = (config) => {
  const [scale, offset] = [flag(config, "scale", true), flag(config, "center", true)];
  const form = { momentum: number(config, "momentum", 0.99), eps: number(config, "epsilon", 1e-3) };
  const layer = batchNorm({ ...form, scale, offset, unbiased: false });
  const needs = [
    ...(scale ? [need("gamma", "gamma")] : []),
    ...(offset ? [need("beta", "beta")] : []),
    need("movingMean", "moving_mean", "running_mean"),
    need("movingVariance", "moving_variance", "running_std"),
  ];
  return { layer: onLastAxis(config, layer), needs };
};

const layerNormLayer: LayerClass = (config) => {
  const [scale, offset] = [flag(config, "scale", true), flag(config, "center", true)];
  const layer = layerNorm({ eps: number(config, "epsilon", 1e-3), scale, offset });
  const needs = [...(scale ? [need("gamma", "gamma")] : []), ...(offset ? [need("beta", "beta")] : [])];
  return { layer: onLastAxis(config, layer), needs };
};

const activationLayer: LayerClass = (config) => {
  const name = activationName(config);
  return { layer: activationOf(name, config.major) ?? identity, needs: [], ends: name };
};

const reluLayer: LayerClass = (config) => {
  const slope = number(config, "negative_slope", 0);
  const most = optionOf(config, "max_value") === undefined ? Number.POSITIVE_INFINITY : number(config, "max_value");
  const threshold = number(config, "threshold", 0);
  if (threshold !== 0) refuse(config, `threshold is ${threshold}. Known is 0.`);
  if (slope < 0 || most < 0)
    refuse(config, `negative_slope is ${slope} and max_value ${most}, both must be at least 0.`);
  if (slope === 0 && most === 6) return { layer: relu6(), needs: [] };
  const clipped: Layer = { kind: "clip", apply: (scope, x) => scope.op(ops.clip, { x }, { max: most }).z };
  const layer = slope === 0 ? relu() : leakyRelu({ slope });
  return { layer: after(layer, most === Number.POSITIVE_INFINITY ? undefined : clipped), needs: [] };
};

const leakyReluLayer: LayerClass = (config) => {
  const key = optionOf(config, "alpha") === undefined ? "negative_slope" : "alpha";
  const slope = number(config, key, 0.3);
  if (slope < 0) refuse(config, `${key} is ${slope}, it must be at least 0.`);
  return { layer: leakyRelu({ slope }), needs: [] };
};

const eluLayer: LayerClass = (config) => {
  const alpha = number(config, "alpha", 1);
  if (alpha < 0) refuse(config, `alpha is ${alpha}, it must be at least 0.`);
  return { layer: elu({ alpha }), needs: [] };
};

/** Gradus has a slope for each channel: all other axes must be shared. */
const preluLayer: LayerClass = (config) => {
  const turn = ({ shape, data }: Numbers): Numbers => {
    const channels = shape.at(-1) ?? 1;
    if (data.length === channels) return { shape: [channels], data };
    return refuse(
      config,
      `its alpha has shape [${shape}]. Known is one number for each of the ${channels} channels, with all other axes in shared_axes.`,
    );
  };
  return { layer: prelu(), needs: [{ names: ["alpha"], to: "slope", shape: undefined, turn }] };
};

const softmaxLayer: LayerClass = (config) => ({ layer: onLastAxis(config, softmax()), needs: [], ends: "softmax" });

const rescalingLayer: LayerClass = (config) => ({
  layer: scaling(number(config, "scale"), number(config, "offset", 0)) as Model,
  needs: [],
});

export const normLayers: ReadonlyMap<string, LayerClass> = new Map([
  ["BatchNormalization", batchNormLayer],
  ["BatchNormalizationV1", batchNormLayer],
  ["LayerNormalization", layerNormLayer],
  ["Activation", activationLayer],
  ["ReLU", reluLayer],
  ["LeakyReLU", leakyReluLayer],
  ["ELU", eluLayer],
  ["PReLU", preluLayer],
  ["Softmax", softmaxLayer],
  ["Rescaling", rescalingLayer],
]);
