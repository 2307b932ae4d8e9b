// Activations: each is an entry of expression, gradient and what is saved, of which an op, that of its way back and a layer are made.

import { resolved } from "../option.ts";
import { literal } from "./elementwise.ts";
import { checkNothing, layerOf, type OpLayer } from "./layer.ts";
import type { Attributes } from "./op.ts";
import { type Unary, unary } from "./unary.ts";

const activation = /* @__NO_SIDE_EFFECTS__ */ (name: string, parts: Unary): OpLayer<[], "z"> =>
  layerOf(unary(name, parts), (place, ...given) => checkNothing(place, given));

/** One with options, which are the attributes of its op; `example` is what a user may write. */
const optional = /* @__NO_SIDE_EFFECTS__ */ <Options extends object, A extends Attributes>(
  name: string,
  example: string,
  parts: Unary<A> & Required<Pick<Unary<A>, "attributes">>,
): OpLayer<[options?: Options], "z"> =>
  layerOf(
    unary(name, parts),
    (place, options: object = {}) => resolved(place, options, parts.attributes, example) as A,
  );

/** max(x, 0). */
export const relu = activation("relu", {
  // The bits of -0 to -infinity, for `max` may drop NaN. On the way back NaN at s hands on what comes, as in PyTorch.
  expression: "select(x, V(0), bitcast<W>(x) - W(0x80000000) <= W(0x7f800000))",
  gradient: "select(dz, V(0), s <= V(0))",
  saves: "z",
});

/** min(max(x, 0), 6) (Krizhevsky 2010). */
export const relu6 = activation("relu6", {
  expression: "or_nan(x, clamp(x, V(0), V(6)))",
  gradient: "select(dz, V(0), (s <= V(0)) | (s >= V(6)))",
  saves: "z",
});

/** Options of `leakyRelu`. */
export interface LeakyReluOptions {
  /** Slope below 0, at least 0. Default 0.01. */
  readonly slope?: number;
}

/**
 * x, or slope x where x is below 0 (Maas, Hannun and Ng 2013). The slope is PyTorch's and Keras 3's negative slope; TensorFlow.js
 * calls it alpha and starts at 0.3. Throws OptionError for a slope below 0.
 *
 * @example leakyRelu({ slope: 0.2 })
 */
export const leakyRelu = optional<LeakyReluOptions, { readonly slope: number }>(
  "leakyRelu",
  "leakyRelu({ slope: 0.2 })",
  {
    attributes: { slope: [0.01] },
    expression: ({ slope }) => `select(x, ${literal(slope)} * x, x <= V(0))`,
    gradient: ({ slope }) => `select(dz, ${literal(slope)} * dz, s <= V(0))`,
    saves: "z",
  },
);

/** Options of `elu`. */
export interface EluOptions {
  /** What is approached far below 0, less its sign; at least 0. Default 1. */
  readonly alpha?: number;
}

/** scale x, or below 0 scale alpha (e^x - 1). From x its slope has all digits, where from the output 1 is taken from 1. */
const exponential = /* @__NO_SIDE_EFFECTS__ */ (
  alpha: number,
  scale: number,
): Pick<Unary, "expression" | "gradient" | "saves"> => ({
  expression: `select(${literal(scale)} * x, ${literal(scale * alpha)} * expm1(min(x, V(0))), x <= V(0))`,
  gradient: `select(${literal(scale)} * dz, ${literal(scale * alpha)} * dz * exp(min(s, V(0))), s <= V(0))`,
  saves: "x",
});

/** x, or alpha (e^x - 1) where x is below 0 (Clevert, Unterthiner and Hochreiter 2016). Throws OptionError for an alpha below 0. */
export const elu = optional<EluOptions, { readonly alpha: number }>("elu", "elu({ alpha: 1 })", {
  attributes: { alpha: [1] },
  expression: ({ alpha }) => exponential(alpha, 1).expression as string,
  gradient: ({ alpha }) => exponential(alpha, 1).gradient as string,
  saves: "x",
});

/** elu with the alpha and the scale that keep mean 0 and variance 1 from layer to layer (Klambauer et al. 2017). */
export const selu = activation("selu", exponential(1.6732632423543772, 1.0507009873554805));

/** Options of `gelu`. */
export interface GeluOptions {
  /** Whether Phi is taken by a hyperbolic tangent. Default false. */
  readonly approximate?: boolean;
}

/** (1 + tanh(u)) / 2 as sigmoid(2 u), which keeps its digits far below 0. */
const gate = (x: string): string => `sigmoid(1.5957691216 * (${x} + 0.044715 * ${x} * ${x} * ${x}))`;

/**
 * x Phi(x) with the normal distribution's Phi (Hendrycks and Gimpel 2016): the exact form, PyTorch's and Keras' default, or with
 * `approximate` x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, as in GPT-2.
 */
export const gelu = optional<GeluOptions, { readonly approximate: boolean }>("gelu", "gelu({ approximate: true })", {
  attributes: { approximate: [false] },
  expression: ({ approximate }) => `x * ${approximate ? gate("x") : "normal_cdf(x)"}`,
  gradient: ({ approximate }) =>
    approximate
      ? `dz * (${gate("s")} + s * (${gate("s")} * (1 - ${gate("s")})) * (1.5957691216 + 0.2140644488 * min(s * s, V(1e9))))`
      : "dz * (normal_cdf(s) + s * normal_pdf(s))",
  saves: "x",
});

/** The hyperbolic tangent. */
export const tanh = activation("tanh", {
  expression: "tanh_exact(x)",
  gradient: "dz * ((1 - s) * (1 + s))",
  saves: "z",
});

/** 1 / (1 + exp(-x)). */
export const sigmoid = activation("sigmoid", { expression: "sigmoid(x)", gradient: "dz * (s * (1 - s))", saves: "z" });

/** x / (1 + exp(-x)), also called swish (Elfwing, Uchibe and Doya 2018). */
export const silu = activation("silu", {
  expression: "x * sigmoid(x)",
  gradient: "dz * (sigmoid(s) * (1 + s * (1 - sigmoid(s))))",
  saves: "x",
});

/** log(1 + e^x) (Dugas et al. 2001). */
export const softplus = activation("softplus", {
  expression: "softplus(x)",
  // sigmoid(x) from the output, which keeps its digits.
  gradient: "-dz * expm1(-s)",
  saves: "z",
});

/** x tanh(log(1 + e^x)) (Misra 2019). */
export const mish = activation("mish", {
  expression: "x * mish_gate(x)",
  gradient: "dz * (mish_gate(s) + s * sigmoid(s) * ((1 - mish_gate(s)) * (1 + mish_gate(s))))",
  saves: "x",
});

/** min(max(x + 3, 0), 6) / 6, as in PyTorch and MobileNetV3 (Howard et al. 2019). Keras 2 has another, of slope 0.2. */
export const hardSigmoid = activation("hardSigmoid", {
  expression: "or_nan(x, clamp(x + 3, V(0), V(6)) / 6)",
  gradient: "select(dz / 6, V(0), (s <= V(0)) | (s >= V(1)))",
  saves: "z",
});

/** x hardSigmoid(x) (Howard et al. 2019). */
export const hardSwish = activation("hardSwish", {
  expression: "x * (clamp(x + 3, V(0), V(6)) / 6)",
  gradient: "select(select(dz, dz * (s / 3 + 0.5), s <= V(3)), V(0), s < V(-3))",
  saves: "x",
});
