// Activations. A new one is one entry here: its expression, its gradient, and whether that is a function of the input or of the
// output. Its op, that of its way back and its layer follow.

import { defineElementwise } from "./elementwise.ts";
import { checkNothing, layerOf, type OpLayer } from "./layer.ts";

interface Activation {
  /** z, as an expression in x. */
  readonly expression: string;
  /** dL/dx, as an expression in dz, which is dL/dz, and the saved value s. */
  readonly gradient: string;
  /** What s is. Saving the output lets the input's memory go. */
  readonly saves: "x" | "z";
}

/* @__NO_SIDE_EFFECTS__ */ function activation(
  name: string,
  { expression, gradient, saves }: Activation,
): OpLayer<[], "z"> {
  // Second derivatives are not computed, so that the way back has none.
  const backward = defineElementwise({ name: `${name}Backward`, inputs: ["dz", "s"], expression: gradient });
  const op = defineElementwise({
    name,
    inputs: ["x"],
    expression,
    backward,
    back: ({ dz, ...known }, { give, emit }) => give("x", () => emit(backward, { dz, s: known[saves] }).z),
  });
  return layerOf(op, (place, ...given) => checkNothing(place, given));
}

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
