// Networks that toOnnx writes: those of demo/models, and small ones that between them have every form. Weights and inputs are made by a
// rule, so that the files can be made again; to-onnx.mjs has them checked by python3-onnx and run by onnxruntime.

import { actorCritic } from "../../demo/models/actor-critic.ts";
import { autoencoder, denoiser } from "../../demo/models/autoencoder.ts";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { charGru } from "../../demo/models/char-gru.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { artist, critic, gan } from "../../demo/models/gan.ts";
import { lenet } from "../../demo/models/lenet.ts";
import { llama } from "../../demo/models/llama.ts";
import { mlp } from "../../demo/models/mlp.ts";
import { mobilenet } from "../../demo/models/mobilenet.ts";
import { resnet8 } from "../../demo/models/resnet8.ts";
import { resnet20 } from "../../demo/models/resnet20.ts";
import { vae } from "../../demo/models/vae.ts";
import { vitMnist } from "../../demo/models/vit-mnist.ts";
import { vitTiny } from "../../demo/models/vit-tiny.ts";
import {
  bidirectional,
  concatenate,
  conv1d,
  cropping2d,
  dense,
  depthToSpace,
  dropout,
  functional,
  globalMaxPool1d,
  glu,
  groupNorm,
  gru,
  type Input,
  lstm,
  type Model,
  multiHeadAttention,
  ops,
  prelu,
  residual,
  rotary,
  sequential,
  sinusoidalPositions,
  spaceToDepth,
  spatialDropout,
  stochasticDepth,
  swiglu,
  tanh,
  upSampling2d,
  type Value,
} from "../../src/index.ts";
import { line, softsign } from "../../src/keras/own-ops.ts";
import { affine, ceil, erf, floor, round, trunc } from "../../src/onnx/function.ts";
import type { ToOnnxOptions } from "../../src/onnx-out/index.ts";
import { traced } from "../../src/onnx-out/trace.ts";
import { copy } from "../../src/op/elementwise.ts";
import { scaled } from "../../src/op/unary.ts";
import { pythonCases, ruleNumbers } from "./python-forms.ts";

export interface OnnxCase {
  readonly model: Model;
  readonly input: Input | { readonly [name: string]: Input };
  readonly options?: Partial<ToOnnxOptions>;
}

const image = [28, 28, 1];
const text = { shape: [8], classes: 65 };

export const onnxCases: Readonly<Record<string, OnnxCase>> = {
  mlp: { model: mlp(), input: [784] },
  lenet: { model: lenet(), input: image },
  resnet8: { model: resnet8(), input: image },
  resnet20: { model: resnet20(10, 8, 1), input: [16, 16, 3], options: { layout: "NCHW" } },
  mobilenet: { model: mobilenet(), input: [16, 16, 3] },
  autoencoder: { model: autoencoder(), input: image },
  denoiser: { model: denoiser(), input: image },
  vae: { model: vae(), input: { image, noise: [16] } },
  artist: { model: artist(), input: [64] },
  critic: { model: critic(), input: image },
  gan: { model: gan(), input: { image, noise: [64] } },
  actorCritic: { model: actorCritic(), input: [4] },
  "vit-tiny": { model: vitTiny(10, 32, 1), input: image },
  "vit-mnist": { model: vitMnist({ classes: 3, patch: 7, layers: 1, heads: 4, length: 16 }), input: image },
  "char-lstm": { model: charLstm(65), input: text },
  "char-gru": { model: charGru(65), input: text },
  "char-gpt": { model: charGpt({ vocabulary: 65, length: 8, units: 32, blocks: 1 }), input: text },
  ...pythonCases,
  masks: {
    model: functional(({ text, mask, other }: Record<"text" | "mask" | "other", Value>, { use }) => {
      const positions = rotary();
      const look = multiHeadAttention({ heads: 4, keyHeads: 2, causal: true, positions });
      const seen = use("look", look, { query: use("places", sinusoidalPositions(), text), mask });
      return use("across", multiHeadAttention({ heads: 2, units: 6 }), { query: seen, value: other, mask });
    }),
    input: { text: [4, 16], mask: [4], other: [4, 3] },
  },
  sequences: {
    model: functional((x, { use }) => {
      const both = bidirectional((reverse) => lstm(3, { reverse, returnSequences: true }));
      const { y, h, c } = use("states", lstm(4, { returnSequences: true, returnState: true }), use("both", both, x));
      const went = use("goesOn", lstm(4, { returnSequences: true }), { x: y, h, c });
      const back = use("before", gru(4, { resetAfter: false, reverse: true, returnSequences: true }), went);
      const held = use("held", gru(5, { returnState: true, reverse: true }), { x: back, h: use("start", dense(5), h) });
      return { y: use("head", dense(2), held.y), h: held.h };
    }),
    input: [6, 5],
  },
  pictures: {
    model: sequential([
      upSampling2d({ size: [2, 3] }),
      stochasticDepth([prelu(), spatialDropout(0.2)], { rate: 0.1 }),
      upSampling2d({ size: 2, interpolation: "bilinear" }),
      spaceToDepth(2),
      groupNorm(8),
      cropping2d([
        [1, 0],
        [0, 2],
      ]),
      depthToSpace(2),
      upSampling2d({ size: [1, 2], interpolation: "bilinear", alignCorners: true }),
      groupNorm(2),
    ]),
    input: [3, 2, 2],
  },
  lines: {
    model: sequential([
      conv1d(8, { kernel: 3, padding: "same" }),
      tanh(),
      residual([conv1d(8, { kernel: 2, dilation: 2, padding: [2, 0] }), groupNorm(2), glu(), dense(8)]),
      swiglu(6),
      dropout(0.5),
      globalMaxPool1d(),
    ]),
    input: [9, 3],
  },
  choices: {
    model: functional((x, { scope, use }) => {
      const y = use("mix", dense(4), x);
      const both = { x, y };
      const [greater, less, equal] = (["greater", "less", "equal"] as const).map((name) => scope.op(ops[name], both).z);
      const bounded = scope.op(ops.clip, { x: y }, { max: 0.2 }).z;
      const low = scope.op(ops.clip, { x: y }, { min: -0.1, max: 0.3 }).z;
      const chosen = scope.op(ops.where, { condition: greater!, x: bounded, y: low }).z;
      const other = scope.op(ops.add, { x, y: equal! }).z;
      return concatenate(scope, [scope.op(ops.where, { condition: less!, x: chosen, y: other }).z, x, low], 1);
    }),
    input: [3, 4],
  },
  functions: {
    model: functional((x, { scope, use }) => {
      const of = (op: typeof erf, from: Value, attributes = {}): Value => scope.op(op, { x: from }, attributes).z;
      const y = of(affine, use("mix", dense(4), x), { factor: 3, offset: 0.25 });
      const steps = [floor, ceil, round, trunc, erf, softsign].map((op) => of(op, y));
      const bent = of(line as typeof erf, of(scaled as typeof erf, of(copy as typeof erf, y), { factor: 2 }), {
        factor: -1,
      });
      return steps.reduce((sum, one) => scope.op(ops.add, { x: sum, y: one }).z, bent);
    }),
    input: [3, 4],
  },
  llama: { model: llama({ vocabulary: 65, units: 32, hidden: 48, blocks: 1, heads: 4, keyHeads: 2 }), input: text },
};

/** Inputs by name, "" for the only one. */
export const inputsOf = ({ input }: OnnxCase): { name: string; shape: readonly number[]; classes?: number }[] => {
  const one = (name: string, given: Input) => {
    const { shape, classes } = "shape" in given ? given : { shape: given, classes: undefined };
    return { name, shape, ...(classes !== undefined && { classes }) };
  };
  if (Array.isArray(input) || Array.isArray((input as { shape?: unknown }).shape)) return [one("", input as Input)];
  return Object.entries(input as { readonly [name: string]: Input }).map(([name, given]) => one(name, given));
};

const size = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

/** Weights of a model by the rule, smaller where more of them are added up. */
export function ruleWeights(one: OnnxCase) {
  const inputs = inputsOf(one);
  const { owns } = traced(one.model, inputs, inputs[0]?.name === "", undefined);
  return new Map(
    [...owns.values()].map(({ path, shape }, i) => {
      const isVariance = /Variance$/.test(path);
      const scale = shape.length < 2 ? 1 : 2 / Math.sqrt(size(shape.slice(0, -1)));
      return [path, { shape, data: ruleNumbers(size(shape), 100 * i, isVariance).map((x) => x * scale) }] as const;
    }),
  );
}

/** Numbers of two samples by the rule, for each input. */
export const ruleInputs = (one: OnnxCase) =>
  Object.fromEntries(
    inputsOf(one).map(({ name, shape, classes }) => {
      const whole = [2, ...shape];
      const values =
        classes === undefined
          ? ruleNumbers(size(whole), 7, false)
          : Float32Array.from({ length: size(whole) }, (_, i) => (i * 5) % classes);
      return [name, { shape: whole, values, ...(classes !== undefined && { classes }) }];
    }),
  );

/** The same as the file takes them: by its names, and images in its order. */
export const fileInputs = (one: OnnxCase) =>
  Object.entries(ruleInputs(one)).map(([name, { shape, values, classes }]) => {
    const isTurned = one.options?.layout === "NCHW" && shape.length === 4;
    return {
      name: name === "" ? "input" : name,
      ...(isTurned ? turned(shape, values) : { shape, values }),
      isWhole: classes !== undefined,
    };
  });

/** [B, H, W, C] as [B, C, H, W]. */
function turned(whole: readonly number[], values: Float32Array) {
  const [batch, height, width, channels] = whole as [number, number, number, number];
  const made = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const [pixel, channel] = [Math.floor(i / channels), i % channels];
    const sample = Math.floor(pixel / (height * width));
    made[(sample * channels + channel) * height * width + (pixel % (height * width))] = values[i] as number;
  }
  return { shape: [batch, channels, height, width], values: made };
}

/** At most so many numbers are kept of an output, evenly apart. */
const MOST = 48;

export const sampled = (values: ArrayLike<number>): number[] => {
  const every = Math.ceil(values.length / MOST);
  return Array.from({ length: Math.ceil(values.length / every) }, (_, i) => Number(values[i * every]?.toPrecision(8)));
};
