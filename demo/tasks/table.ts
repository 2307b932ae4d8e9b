// The tasks by name, with what is good for each where nothing else is asked for: plain numbers, for what runs without the engine.

import type { Length } from "./task.ts";

export interface Row {
  readonly about: string;
  /** What its samples are. */
  readonly of: string;
  readonly length: Length;
  /** Samples in a step. */
  readonly batch: number;
  readonly lr: number;
}

const images = { of: "images", batch: 64 };
const text = { of: "pieces of 64 characters", batch: 32, length: { steps: 2000 } };

export const table = {
  cnn: { about: "two convolutions that tell digits apart", ...images, length: { epochs: 3 }, batch: 32, lr: 0.01 },
  lenet: { about: "LeNet-5 of 1998 tells digits apart", ...images, length: { epochs: 3 }, lr: 0.004 },
  resnet8: { about: "a residual network tells digits apart", ...images, length: { epochs: 1 }, lr: 0.01 },
  mobilenet: { about: "depthwise convolutions tell digits apart", ...images, length: { epochs: 3 }, lr: 0.01 },
  "vit-tiny": { about: "a Vision Transformer tells digits apart", ...images, length: { epochs: 4 }, lr: 0.002 },
  "char-gpt": { about: "a small GPT goes on with a text", ...text, batch: 16, lr: 0.003 },
  "char-lstm": { about: "a recurrent network of LSTM units goes on with a text", ...text, lr: 0.008 },
  "char-gru": { about: "a recurrent network of gated units goes on with a text", ...text, lr: 0.008 },
  autoencoder: { about: "images of digits through 32 numbers and back", ...images, length: { epochs: 2 }, lr: 0.003 },
  denoiser: { about: "the same from images with pixels lost", ...images, length: { epochs: 2 }, lr: 0.003 },
  vae: { about: "digits that nobody wrote, of noise in a code", ...images, length: { epochs: 4 }, lr: 0.003 },
  gan: {
    about: "an artist draws digits, a critic tells them from real ones",
    ...images,
    length: { steps: 16_000 },
    batch: 32,
    lr: 0.001,
  },
} satisfies Readonly<Record<string, Row>>;

export type TaskName = keyof typeof table;
export const taskNames = Object.keys(table) as readonly TaskName[];

/** "3 epochs" */
export const lengthText = (length: Length): string =>
  "steps" in length ? `${length.steps} steps` : `${length.epochs} epoch${length.epochs === 1 ? "" : "s"}`;
