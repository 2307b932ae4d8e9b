// Activations: each is an entry of expression, gradient and what is saved, of which an op, that of its way back and a layer are made.

import { checkNothing, layerOf, type OpLayer } from "./layer.ts";
import { type Unary, unary } from "./unary.ts";

const activation = /* @__NO_SIDE_EFFECTS__ */ (name: string, parts: Unary): OpLayer<[], "z"> =>
  layerOf(unary(name, parts), (place, ...given) => checkNothing(place, given));

/** max(x, 0). */
export const relu = activation("relu", {
  // The bits of -0 to -infinity, for `max` may drop NaN. On the way back NaN at s hands on what comes, as in PyTorch.
  expression: "select(x, V(0), bitcast<W>(x) - W(0x80000000) <= W(0x7f800000))",
  gradient: "select(dz, V(0), s <= V(0))",
  saves: "z",
});

/** x Phi(x) with the normal distribution's Phi: the exact form, PyTorch's and Keras' default (Hendrycks and Gimpel 2016). */
export const gelu = activation("gelu", {
  expression: "x * normal_cdf(x)",
  gradient: "dz * (normal_cdf(s) + s * normal_pdf(s))",
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
