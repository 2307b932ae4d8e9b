// The noise of gradients, layer by layer: what its passes are, and means of what they tell.

import step from "../../shaders/parts/step.wgsl?raw";
import { checkOptions } from "../foreign/options.ts";
import { type GradientNoise, type NoiseScale, OptionError, type StepStatistics } from "../index.ts";
import blocks from "./noise.wgsl?raw";
import rows from "./noise-rows.wgsl?raw";

/**
 * Has the statistics of a fit tell how noisy the gradients of each layer are, and those of all: the batches of an update are held against their mean, on
 * the GPU, in updates that leave statistics alone. `scale` is the simple noise scale tr(S) / |G|^2 (McCandlish et al. 2018), in samples: far
 * below it a larger batch is worth as many steps, far above it a larger one gains nothing. Estimates of one update scatter: `meanNoise`
 * brings many together. `compile` throws OptionError where no update has two batches.
 *
 * @example
 * const trainer = await compile(model, { ..., accumulate: 4, noiseScale: noiseScale() });
 * await trainer.fit(data, { onStats: ({ layers, noise }) => console.log(noise?.scale, layers) });
 */
export const noiseScale = (): NoiseScale => ({
  open(accumulate) {
    if (!(accumulate > 1))
      throw new OptionError(
        `compile: noiseScale holds the batches of an update against one another, and accumulate is ${accumulate}. Give accumulate: 2 or more, with a smaller batch.`,
      );
    return {
      blocks: (adding, software) => ({
        ...{ ...adding, name: "noise", source: blocks },
        holes: { STEP: step, SERIAL: software },
      }),
      rows: (leaving) => ({ ...leaving, name: "noise-rows", source: rows, holes: { STEP: step } }),
      tell(numbers, all) {
        const [signal, noise] = [2, 3].map((of) =>
          all.reduce((sum, row) => sum + (numbers[row * 8 + of] as number), 0),
        );
        const known = (signal as number) > 0 || (noise as number) > 0;
        return known ? { noise: told(signal as number, noise as number) } : {};
      },
    };
  },
});

const told = (signal: number, noise: number): GradientNoise => ({
  ...{ signal, noise },
  scale: signal > 0 ? noise / signal : Number.POSITIVE_INFINITY,
});

/** Options of `meanNoise`. */
export interface MeanNoiseOptions {
  /** Weight of the past, from one look to the next. Default 0.9. */
  readonly decay?: number;
}

/** Noise of a layer, or of all under the empty name. */
export type MeanNoise = ReadonlyMap<string, GradientNoise>;

/**
 * Running means of what `noiseScale` tells, of signal and noise each before one is divided by the other, since a mean of quotients is biased. Give it
 * the statistics of each look; it returns the means so far by layer, and those of all layers under "". Throws OptionError.
 *
 * @example
 * const mean = meanNoise();
 * await trainer.fit(data, { statsEvery: 10, onStats: (found) => console.log(mean(found).get("")?.scale) });
 */
export function meanNoise(options: MeanNoiseOptions = {}): (found: StepStatistics) => MeanNoise {
  checkOptions("meanNoise", options, { decay: "a number between 0 and 1" });
  const { decay = 0.9 } = options;
  const sums = new Map<string, { signal: number; noise: number; weight: number }>();
  return ({ layers, noise: all }) => {
    for (const { name, noise } of [...layers, { name: "", noise: all }]) {
      if (noise === undefined || !Number.isFinite(noise.signal + noise.noise)) continue;
      const { signal, noise: own, weight } = sums.get(name) ?? { signal: 0, noise: 0, weight: 0 };
      sums.set(name, {
        signal: decay * signal + (1 - decay) * noise.signal,
        noise: decay * own + (1 - decay) * noise.noise,
        weight: decay * weight + 1 - decay,
      });
    }
    return new Map([...sums].map(([name, { signal, noise, weight }]) => [name, told(signal / weight, noise / weight)]));
  };
}
