// A variational autoencoder (Kingma and Welling 2013), whose noise is an input: what is drawn is up to the page, and a run can be repeated.

import {
  binaryCrossEntropy,
  conv2d,
  conv2dTranspose,
  defineElementwise,
  dense,
  flatten,
  functional,
  type Layer,
  type LossFunction,
  ops,
  relu,
  reshape,
  sequential,
  type Value,
} from "../../src/index.ts";

type Inputs = Record<"image" | "noise", Value>;
type Outputs = Record<"image" | "mean" | "logVariance", Value>;

const down = (filters: number): Layer => conv2d(filters, { stride: 2, padding: "same" });
const up = (filters: number): Layer => conv2dTranspose(filters, { stride: 2, padding: "same" });

/** A code -> logits of an image [28, 28, 1]. Under the name `decoder` it takes the weights of a vae, and makes images of normal noise. */
export const decoder = (filters = 16): Layer =>
  sequential([dense(7 * 7 * 2 * filters), relu(), reshape([7, 7, 2 * filters]), up(filters), relu(), up(1)]);

/** { image: [28, 28, 1], noise: [code] } -> logits of the image, and the distribution of its code; without noise, zeros, its mean is taken. */
export const vae = (filters = 16): Layer<Inputs, Outputs> =>
  functional(({ image, noise }: Inputs, { use, add, scope }) => {
    const code = noise.shape[1] as number;
    const seen = use("encoder", sequential([down(filters), relu(), down(2 * filters), relu(), flatten()]), image);
    const mean = use("mean", dense(code), seen);
    const logVariance = use("logVariance", dense(code), seen);
    const deviation = scope.op(ops.sqrt, { x: scope.op(ops.exp, { x: logVariance }).z }).z;
    const drawn = add(mean, scope.op(ops.multiply, { x: deviation, y: noise }).z);
    return { image: use("decoder", decoder(filters), drawn), mean, logVariance };
  });

/** e^x - 1, as no op holds a constant. */
const expm1 = defineElementwise({
  name: "expm1",
  inputs: ["x"],
  expression: "exp(x) - V(1)",
  back: ({ dz, x }, { give, emit }) => give("x", () => emit(ops.multiply, { x: dz, y: emit(ops.exp, { x }).z }).z),
});

/** By sample, of a target [28, 28, 1] from 0 to 1: cross-entropy added up over pixels, and half of mean^2 + variance - 1 - log variance over the code. */
export const loss: LossFunction = ({ image, mean, logVariance }: Outputs, target: Value, scope) => {
  const excess = scope.op(ops.subtract, { x: scope.op(expm1, { x: logVariance }).z, y: logVariance }).z;
  const values = scope.op(ops.add, { x: scope.op(ops.square, { x: mean }).z, y: excess }).z;
  return {
    reconstruction: binaryCrossEntropy({ weight: 28 * 28 }).of(image, target),
    divergence: { values, weight: (mean.shape[1] as number) / 2 },
  };
};
