// The page of the GAN: what the artist makes of the same noise while it learns.

import { adam, compile } from "../../src/index.ts";
import { gan, losses } from "../models/gan.ts";
import { find, write } from "../page/element.ts";
import { teach } from "../page/lesson.ts";
import { firstDigits } from "../page/mnist.ts";
import { whole } from "../page/number.ts";
import { draw, lay, picture } from "../page/pictures.ts";
import { normals } from "../random.ts";
import { GanRun, type Settings } from "./gan-run.ts";

/** Pictures that are shown. */
const SHOWN = 32;

const pictures = Array.from({ length: SHOWN }, (_, i) => picture(`Picture ${i + 1} of the artist`));
const note = find("#shown-note", HTMLParagraphElement);

teach<GanRun, Settings>({
  samples: "Images",
  losses: ["Critic's loss", "Artist's loss"],
  software: { images: 6000, rounds: 400, batch: 32, every: 10 },

  async open(settings, told) {
    const { images, batch, noise, lr, seed } = settings;
    const { x } = await firstDigits("train", images);
    const trainer = await compile(gan(), {
      input: { image: [28, 28, 1], noise: [noise] },
      target: { one: [1], zero: [1] },
      mean: { image: 0.5 }, // from -1 to 1, as the artist draws
      std: { image: 0.5 },
      batch,
      losses,
      optimizer: adam({ lr, betas: [0.5, 0.999] }),
      seed,
    });
    return new GanRun(trainer, x, settings, told);
  },

  opened() {
    for (const canvas of pictures) draw(canvas, new Float32Array(784), 0, () => 0);
    lay(...pictures);
    write(note, "What the artist draws, always out of the same noise.");
  },

  async look({ trainer, settings }) {
    const noise = normals(SHOWN * settings.noise, `shown ${settings.seed}`);
    const x = { image: new Float32Array(SHOWN * 784), noise };
    const { data } = await trainer.predict(x, { output: "picture" });
    for (const [i, canvas] of pictures.entries()) draw(canvas, data, i, (value) => (value + 1) / 2);
    write(note, `What the artist draws after round ${whole(trainer.steps / 2)}, always out of the same noise.`);
  },
});
