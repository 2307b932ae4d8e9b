// A network that gives images of digits back through a code that noise is added to, so that noise alone becomes digits that nobody wrote.

import { adam, compile, inference, layerDecay, oneCycle, sequential } from "../../src/index.ts";
import { drawnDigits, loadDigits, PIXELS } from "../digits.ts";
import { decoder, loss, vae as model } from "../models/vae.ts";
import { normals } from "../random.ts";
import { judged } from "./judge.ts";
import { squaredError } from "./pictures.ts";
import { type Run, type Settings, stepsOf } from "./task.ts";

const CODE = 16;
const SHOWN = { columns: 12, pictures: 96 };

export async function vae(settings: Settings): Promise<Run> {
  const { samples, batch, lr, layerDecay: decay = 1, seed = 0, length, device } = settings;
  const digits = await loadDigits("train", samples);
  const test = await loadDigits("test");
  const count = digits.y.length;
  const stepsPerEpoch = Math.ceil(count / batch);
  const steps = stepsOf(length, stepsPerEpoch);
  const on = device && { device };
  const trainer = await compile(model(), {
    ...{ input: { image: [28, 28, 1], noise: [CODE] }, target: [28, 28, 1], loss, batch, seed },
    ...{ optimizer: adam({ lr }), rates: layerDecay(decay), schedule: oneCycle({ steps }), ...on },
  });
  const noiseOf = (path: string, rows: number): Float32Array => normals(rows * CODE, `${path} ${seed}`);

  /** Pixels from 0 to 255 of what the decoder makes of noise. */
  async function draw(drawings: number): Promise<Uint8Array> {
    const bytes = await trainer.save({ only: "weights" });
    const network = await inference(sequential({ decoder: decoder() }), bytes, { input: [CODE], ...on });
    const { data } = await network.predict(noiseOf("shown", drawings), { activation: "sigmoid" });
    network.dispose();
    return Uint8Array.from(data, (shade) => Math.round(255 * shade));
  }

  return {
    ...{ trainer, steps, stepsPerEpoch, samples: count },
    async train(until, { signal, onStep } = {}) {
      // Noise is drawn by the step at which the loop stands, so that a run that goes on draws what it would have drawn.
      while (trainer.steps < until && !signal?.aborted) {
        const step = trainer.steps;
        const image = drawnDigits(digits, batch, `real ${seed} ${step}`, [0, 1]);
        const result = await trainer.step({ x: { image, noise: noiseOf(`noise ${step}`, batch) }, y: image });
        onStep?.({ ...result, accuracy: Number.NaN });
      }
    },
    async test() {
      const x = Float32Array.from(test.x, (pixel) => pixel / 255);
      const rows = x.length / PIXELS;
      const { data } = await trainer.predict(
        { x: { image: x, noise: new Float32Array(rows * CODE) } },
        { output: "image", activation: "sigmoid" },
      );
      const error = squaredError(x, (i) => data[i] as number);
      const { verdict, figures } = await judged(draw, trainer.steps * batch, device);
      return {
        verdict: `${verdict}. Squared error ${error.toFixed(4)} a pixel on ${rows.toLocaleString("en-US")} images that it never saw`,
        figures: { ...figures, error },
        samples: rows,
      };
    },
    async show() {
      const { columns, pictures } = SHOWN;
      return {
        text: "Digits that nobody wrote, of noise",
        pictures: { height: 28, width: 28, columns, pixels: await draw(pictures) },
      };
    },
  };
}
