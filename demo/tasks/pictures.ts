// Networks that give back the image of a digit that went through a few numbers, whole or with a part of its pixels lost.

import { binaryCrossEntropy, type Layer } from "../../src/index.ts";
import { loadDigits, PIXELS } from "../digits.ts";
import { autoencoder as autoEncoder, denoiser as deNoiser, LOST } from "../models/autoencoder.ts";
import { uniforms } from "../random.ts";
import { fitting } from "./fit.ts";
import type { Run, Settings } from "./task.ts";

/** Images from 0 to 1, PIXELS numbers each. */
type Images = Float32Array;

const SHOWN = { columns: 16, rows: 3 };

/** What the network is given of the images it is to give back. */
interface Task {
  readonly model: Layer;
  readonly given: (images: Images) => Images;
}

async function open({ model, given }: Task, settings: Settings): Promise<Run> {
  const { x } = await loadDigits("train", settings.samples);
  const test = Float32Array.from((await loadDigits("test")).x, (pixel) => pixel / 255);
  const told = given(test);
  const run = await fitting(
    { model, input: [28, 28, 1], loss: binaryCrossEntropy(), data: { x, y: x }, samples: x.length / PIXELS },
    settings,
  );
  const restore = async (images: Images): Promise<Images> =>
    (await run.trainer.predict(images, { activation: "sigmoid" })).data;
  return {
    ...run,
    async test() {
      const error = squaredError(await restore(told), (i) => test[i] as number);
      const mean = meanImage(x);
      const meanImageError = squaredError(test, (i) => mean[i % PIXELS] as number);
      const samples = test.length / PIXELS;
      const verdict = `Squared error ${error.toFixed(4)} a pixel on ${samples.toLocaleString("en-US")} images that it never saw, ${(meanImageError / error).toFixed(1)} times below that of the mean image, ${meanImageError.toFixed(4)}`;
      return { verdict, figures: { error, meanImageError }, samples };
    },
    async show() {
      const { columns, rows } = SHOWN;
      const row = columns * PIXELS;
      const pixels: number[] = [];
      for (let at = 0; at < rows * row; at += row) {
        const seen = told.subarray(at, at + row);
        pixels.push(...test.subarray(at, at + row), ...(told === test ? [] : seen), ...(await restore(seen)));
      }
      return {
        text: `Rows of images that it never saw, ${told === test ? "" : "what it was given of them, "}and what it made of them`,
        pictures: {
          height: 28,
          width: 28,
          columns,
          pixels: Uint8Array.from(pixels, (grey) => 255 * Math.min(1, grey)),
        },
      };
    },
  };
}

/** The mean over all pixels. */
export function squaredError(images: Images, wanted: (i: number) => number): number {
  return images.reduce((sum, pixel, i) => sum + (pixel - wanted(i)) ** 2, 0) / images.length;
}

export function meanImage(bytes: Uint8Array): Float64Array {
  const mean = new Float64Array(PIXELS);
  const share = PIXELS / (255 * bytes.length);
  for (const [i, byte] of bytes.entries()) mean[i % PIXELS]! += byte * share;
  return mean;
}

/** Loses pixels as the model's own dropout does in training: the others are lifted, so that a mean stays what it was. */
const damaged = (images: Images): Images => {
  const next = uniforms("lost");
  return images.map((pixel) => (next() < LOST ? 0 : pixel / (1 - LOST)));
};

export const autoencoder = (settings: Settings): Promise<Run> =>
  open({ model: autoEncoder(), given: (images) => images }, settings);
export const denoiser = (settings: Settings): Promise<Run> => open({ model: deNoiser(), given: damaged }, settings);
