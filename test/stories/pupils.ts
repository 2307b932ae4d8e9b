// The networks of demo/models at a small size, each with a batch that it can learn.

import { autoencoder } from "../../demo/models/autoencoder.ts";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { charGru } from "../../demo/models/char-gru.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { lenet } from "../../demo/models/lenet.ts";
import { mobilenet } from "../../demo/models/mobilenet.ts";
import { resnet8 } from "../../demo/models/resnet8.ts";
import { vitTiny } from "../../demo/models/vit-tiny.ts";
import { binaryCrossEntropy, type CompileOptions, crossEntropy, type Layer, type Samples } from "../../src/index.ts";
import { uniform } from "../../src/random.ts";

export const BATCH = 6;
export const numbers = (count: number, salt: number) =>
  Float32Array.from({ length: count }, (_, i) => uniform(salt, i));
const classes = (count: number, of: number, salt: number) =>
  numbers(count, salt).map((value) => Math.floor(value * of));

const images = (size: number): Samples => ({ x: numbers(BATCH * size * size, 1), y: classes(BATCH, 3, 2) });
const text: Samples = { x: classes(BATCH * 8, 11, 3), y: classes(BATCH * 8, 11, 4) };
const tokens = { shape: [8], classes: 11 };

interface Story {
  readonly model: Layer;
  readonly options: Omit<CompileOptions, "optimizer">;
  readonly data: Samples;
}

const classifier = { loss: crossEntropy(), batch: BATCH };
/** One pixel in ten is white. */
export const pictures = numbers(BATCH * 784, 5).map((value) => (value < 0.1 ? 1 : 0));

export const stories: Readonly<Record<string, Story>> = {
  lenet: { model: lenet(3), options: { ...classifier, input: [28, 28, 1] }, data: images(28) },
  resnet8: { model: resnet8(3, 4), options: { ...classifier, input: [12, 12, 1] }, data: images(12) },
  mobilenet: { model: mobilenet(3), options: { ...classifier, input: [12, 12, 1] }, data: images(12) },
  "vit-tiny": { model: vitTiny(3, 16, 1), options: { ...classifier, input: [28, 28, 1] }, data: images(28) },
  autoencoder: {
    model: autoencoder(8),
    options: { loss: binaryCrossEntropy(), batch: BATCH, input: [28, 28, 1] },
    data: { x: pictures, y: pictures },
  },
  "char-gpt": {
    model: charGpt({ vocabulary: 11, length: 8, units: 16, heads: 2, blocks: 1 }),
    options: { ...classifier, input: tokens },
    data: text,
  },
  "char-lstm": {
    model: charLstm(11, 12),
    options: { ...classifier, input: tokens },
    data: text,
  },
  "char-gru": {
    model: charGru(11, 12),
    options: { ...classifier, input: tokens },
    data: text,
  },
};
