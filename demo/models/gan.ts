// A generative adversarial network (Goodfellow et al. 2014) in one trainer: an artist and a critic, each with a loss and rates of its own.

import {
  batchNorm,
  binaryCrossEntropy,
  conv2d,
  conv2dTranspose,
  dense,
  flatten,
  functional,
  type LossFunction,
  leakyRelu,
  type Model,
  relu,
  reshape,
  sequential,
  tanh,
  type Value,
} from "../../src/index.ts";

const up = (filters: number) => conv2dTranspose(filters, { kernel: 4, stride: 2, padding: "same" });
const down = (filters: number) => conv2d(filters, { kernel: 4, stride: 2, padding: "same" });

/** Numbers that a drawing is made of. */
export const NOISE = 64;

/** Noise [NOISE], or any other number of them, -> an image [28, 28, 1] from -1 to 1. */
export const artist = () =>
  sequential([dense(7 * 7 * 32), batchNorm(), relu(), reshape([7, 7, 32]), up(16), batchNorm(), relu(), up(1), tanh()]);

const bent = leakyRelu({ slope: 0.2 });

/**
 * An image [28, 28, 1] -> a logit: above 0 where it takes it for a real one. Convolutions see ten pixels across; what looks at all they found
 * together has a hidden layer, without which strokes would count one by one and never as a digit.
 */
export const critic = () => sequential([down(16), bent, down(32), bent, flatten(), dense(64), bent, dense(1)]);

/** { image, noise } -> { real, fake, picture }: two judgements, and what the artist made. */
export const gan = (): Model =>
  functional(({ image, noise }: Record<"image" | "noise", Value>, { use }) => {
    const judge = critic();
    const picture = use("artist", artist(), noise);
    return { real: use("critic", judge, image), fake: use("critic", judge, picture), picture };
  });

const near = binaryCrossEntropy();

/** Targets are `one` and `zero`, [1] each. */
export const losses: Readonly<Record<"critic" | "artist", LossFunction>> = {
  critic: ({ real, fake }, { one, zero }) => ({ real: near.of(real, one), fake: near.of(fake, zero) }),
  artist: ({ fake }, { one }) => near.of(fake, one),
};
