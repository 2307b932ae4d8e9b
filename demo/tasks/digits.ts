// Networks that tell handwritten digits apart.

import { crossEntropy, type Layer } from "../../src/index.ts";
import { loadDigits, PIXELS } from "../digits.ts";
import { lenet as leNet } from "../models/lenet.ts";
import { mobilenet as mobileNet } from "../models/mobilenet.ts";
import { resnet8 as resNet8 } from "../models/resnet8.ts";
import { vitTiny as vit } from "../models/vit-tiny.ts";
import { digitNetwork } from "../network.ts";
import { fitting } from "./fit.ts";
import type { Run, Settings } from "./task.ts";

/** Of the first `read` images those that are misread are shown, and then others. */
const SHOWN = { columns: 12, pictures: 96, read: 1000 };

async function open(model: Layer, settings: Settings): Promise<Run> {
  const data = await loadDigits("train", settings.samples);
  const test = await loadDigits("test");
  const run = await fitting(
    { model, input: [28, 28, 1], loss: crossEntropy(), data, samples: data.y.length, accuracy: true },
    settings,
  );
  const { trainer } = run;
  return {
    ...run,
    async test() {
      const { accuracy, loss, samples } = await trainer.evaluate(test);
      const verdict = `Test accuracy ${(100 * accuracy).toFixed(2)} % on ${samples.toLocaleString("en-US")} images that it never saw`;
      return { verdict, figures: { accuracy, loss }, samples };
    },
    async show() {
      const seen = test.y.subarray(0, SHOWN.read);
      const read = (await trainer.predict({ ...test, x: test.x.subarray(0, seen.length * PIXELS) }, { argmax: true }))
        .data;
      const places = [...seen.keys()];
      const wrong = places.filter((i) => read[i] !== seen[i]);
      const shown = [...wrong, ...places].slice(0, SHOWN.pictures);
      const pixels = new Uint8Array(shown.length * PIXELS);
      for (const [n, i] of shown.entries()) pixels.set(test.x.subarray(i * PIXELS, (i + 1) * PIXELS), n * PIXELS);
      const captions = shown.map((i) => (read[i] === seen[i] ? `${read[i]}` : `${read[i]}≠${seen[i]}`));
      return {
        text: `Digits that it never saw, with what it reads; of ${places.length} it misreads ${wrong.length}: those come first, as read ≠ meant`,
        pictures: { height: 28, width: 28, columns: SHOWN.columns, pixels, captions },
      };
    },
  };
}

export const cnn = (settings: Settings): Promise<Run> => open(digitNetwork(), settings);
export const lenet = (settings: Settings): Promise<Run> => open(leNet(), settings);
export const resnet8 = (settings: Settings): Promise<Run> => open(resNet8(), settings);
export const mobilenet = (settings: Settings): Promise<Run> => open(mobileNet(), settings);
export const vitTiny = (settings: Settings): Promise<Run> => open(vit(), settings);
