// Two networks that learn from one another: an artist that draws digits from noise, and a critic that tells them from real ones.

import { adam, compile, layerDecay, type Samples, wsd } from "../../src/index.ts";
import { drawnDigits, loadDigits, PIXELS } from "../digits.ts";
import { losses, gan as model, NOISE } from "../models/gan.ts";
import { normals } from "../random.ts";
import { judged } from "./judge.ts";
import { type Run, type Settings, stepsOf } from "./task.ts";

const SHOWN = { columns: 12, pictures: 96 };
/** What the artist learns beside the critic, who else is soon too far ahead to learn from (two time-scales, Heusel et al. 2017). */
const ARTIST = 1.5;
/** In so much of its steps, the last ones, the play calms down. */
const CALM = 0.5;

export async function gan(settings: Settings): Promise<Run> {
  const { samples, batch, lr, layerDecay: decay = 1, seed = 0, length, device } = settings;
  const digits = await loadDigits("train", samples);
  const count = digits.y.length;
  const stepsPerEpoch = 2 * Math.ceil(count / batch);
  const steps = stepsOf(length, stepsPerEpoch);
  const trainer = await compile(model(), {
    ...{ input: { image: [28, 28, 1], noise: [NOISE] }, target: { one: [1], zero: [1] }, batch, seed, losses },
    ...{ optimizer: adam({ lr, betas: [0.5, 0.999] }), schedule: wsd({ steps, warmup: 0, decay: CALM }) },
    rates: [["artist.**", { multiplier: ARTIST }], layerDecay(decay)],
    ...(device && { device }),
  });

  /** Drawings from 0 to 255. */
  async function draw(drawings: number): Promise<Uint8Array> {
    const noise = noiseOf("shown", 0, drawings);
    const { data } = await trainer.predict(
      { x: { image: new Float32Array(drawings * PIXELS), noise } },
      { output: "picture" },
    );
    return Uint8Array.from(data, (shade) => Math.round(127.5 * (shade + 1)));
  }
  const noiseOf = (path: string, step: number, rows: number): Float32Array =>
    normals(rows * NOISE, `${path} ${seed} ${step}`);

  return {
    ...{ trainer, steps, stepsPerEpoch, samples: count },
    async train(until, { signal, onStep } = {}) {
      while (trainer.steps < until && !signal?.aborted) {
        const step = trainer.steps; // where the loop stands, also after a checkpoint: critic and artist take turns
        const turn = step % 2 === 0 ? "critic" : "artist";
        const x = {
          image: drawnDigits(digits, batch, `real ${seed} ${step}`, [-1, 1]),
          noise: noiseOf("noise", step, batch),
        };
        const result = await trainer.step({ x, y: verdictsOf(batch) }, { loss: turn, train: `${turn}.**` });
        onStep?.({ ...result, accuracy: Number.NaN, reports: { [turn]: result.loss } });
      }
    },
    test: () => judged(draw, trainer.steps * batch, device),
    async show() {
      const { columns, pictures } = SHOWN;
      return {
        text: "Digits that nobody wrote",
        pictures: { height: 28, width: 28, columns, pixels: await draw(pictures) },
      };
    },
  };
}

/** Of real ones and of drawings. A critic that is never quite sure leaves the artist something to learn (Salimans et al. 2016). */
const verdictsOf = (batch: number): Samples["y"] & object => ({
  one: new Float32Array(batch).fill(0.9),
  zero: new Float32Array(batch),
});
