// The page of the autoencoder: test digits, and what comes back of them through the code.

import { adam, binaryCrossEntropy, compile } from "../../src/index.ts";
import { autoencoder } from "../models/autoencoder.ts";
import { find, make, write } from "../page/element.ts";
import { FitRun } from "../page/fit-run.ts";
import { teach } from "../page/lesson.ts";
import { firstDigits } from "../page/mnist.ts";
import { whole } from "../page/number.ts";
import { draw, lay, picture } from "../page/pictures.ts";

interface Settings {
  readonly images: number;
  readonly steps: number;
  readonly batch: number;
  readonly code: number;
  readonly lr: number;
  readonly every: number;
  readonly seed: number;
}

/** Test digits that are shown. */
const SHOWN = 16;

const inputs = Array.from({ length: SHOWN }, (_, i) => picture(`Test digit ${i + 1}`));
const outputs = Array.from({ length: SHOWN }, (_, i) => picture(`What comes back of test digit ${i + 1}`));
const note = find("#shown-note", HTMLParagraphElement);

teach<FitRun, Settings>({
  samples: "Images",
  software: { images: 6000, steps: 600, every: 10 },

  async open({ images, batch, code, lr, seed, ...plan }, told) {
    const [{ x }, shown] = await Promise.all([firstDigits("train", images), firstDigits("test", SHOWN)]);
    for (const [i, canvas] of inputs.entries()) draw(canvas, shown.x, i, (byte) => byte / 255);
    const trainer = await compile(autoencoder(code), {
      input: [28, 28, 1],
      batch,
      loss: binaryCrossEntropy(),
      optimizer: adam({ lr }),
      seed,
    });
    const data = { x, y: x }; // bytes are scaled to [0, 1] on both sides
    return new FitRun(trainer, () => data, plan, told);
  },

  opened() {
    for (const canvas of outputs) draw(canvas, new Float32Array(784), 0, () => 0);
    lay(...inputs.map((input, i) => make("div", "pairs", input, outputs[i] as HTMLCanvasElement)));
    write(note, "Above what goes in, below what comes back.");
  },

  async look({ trainer }) {
    const { x } = await firstDigits("test", SHOWN);
    const { data } = await trainer.predict(x, { activation: "sigmoid" });
    for (const [i, canvas] of outputs.entries()) draw(canvas, data, i, (value) => value);
    write(note, `Above what goes in, below what comes back after step ${whole(trainer.steps)}.`);
  },
});
