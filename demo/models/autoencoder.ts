// A convolutional autoencoder, and one that learns to fill in what is lost (Vincent et al. 2008).

import {
  conv2d,
  conv2dTranspose,
  dense,
  dropout,
  flatten,
  functional,
  type Layer,
  relu,
  reshape,
  sequential,
} from "../../src/index.ts";

/** [28, 28, 1] -> logits of the same image, through `code` numbers. */
export const autoencoder = (code = 32): Layer =>
  functional((x, { use }) => {
    const down = (filters: number): Layer => conv2d(filters, { stride: 2, padding: "same" });
    const up = (filters: number): Layer => conv2dTranspose(filters, { stride: 2, padding: "same" });
    const encoder = sequential([down(16), relu(), down(32), relu(), flatten(), dense(code)]);
    const decoder = sequential([dense(7 * 7 * 32), relu(), reshape([7, 7, 32]), up(16), relu(), up(1)]);
    return use("decoder", decoder, use("encoder", encoder, x));
  });

/** Share of the pixels that is lost. */
export const LOST = 0.3;

/** The same of images of which a share of the pixels is lost in training. */
export const denoiser = (lost = LOST, code = 32): Layer =>
  sequential({ noise: dropout(lost), autoencoder: autoencoder(code) });
