// Whether the gradients of a model are the slopes of its loss: what the GPU computes of both, held against one another.

import type { Samples } from "../data/dataset.ts";
import type { ConnectOptions } from "../gpu/adapter.ts";
import { meanSquaredError } from "../model/loss.ts";
import { add } from "../op/elementwise.ts";
import { applied, checkLayer, type Layer, type Loss } from "../op/layer.ts";
import { checkOptions } from "../option.ts";
import { normal, type Stream, stream, word } from "../random.ts";
import { compile } from "./compile.ts";

/** Options of `checkGradients`. */
export interface CheckGradientsOptions extends ConnectOptions {
  /** Shape of one sample. */
  readonly input: readonly number[];
  /** Samples. Default 3. */
  readonly batch?: number;
  /** Default meanSquaredError(); another one needs `data`. */
  readonly loss?: Loss;
  /** As many samples as `batch`. Default: normal numbers, and targets at a normal distance from what the model makes of them. */
  readonly data?: Samples;
  /** Decides weights, data and directions. Default 0. */
  readonly seed?: number;
}

/** Directions in which each tensor is moved. */
const DIRECTIONS = 3;
/** How far: the length of the shorter of two moves. It is long, since a loss in f32 has seven digits. */
const LENGTH = 0.05;

/**
 * Compares the gradients of a model with central differences of its loss, both computed on the GPU: every weight tensor, and the
 * input as `checkGradients.input`, is moved in random directions, all its numbers at once, and the slope of the loss is held against
 * what the gradient says of it. Gives the largest error for each tensor, relative to the gradient: 1e-3 is usual, a mistake makes
 * 0.1 and more. Kinks, as of relu and maxPool2d, make some of it without a mistake. Throws as `compile` does.
 *
 * @example
 * const errors = await checkGradients(sequential([dense(6), own, dense(1)]), { input: [4] });
 * if (Math.max(...errors.values()) > 0.01) console.log(errors);
 */
export async function checkGradients(
  model: Layer,
  options: CheckGradientsOptions,
): Promise<ReadonlyMap<string, number>> {
  checkLayer("checkGradients", "the model", model);
  const keys = ["input", "batch", "loss", "data", "seed", "device", "gpu", "powerPreference", "memoryLimit"];
  checkOptions("checkGradients", options, keys, "{ input: [4] }");
  const { batch = 3, seed = 0, loss = meanSquaredError(), data, ...rest } = options;
  const trainer = await compile(withTrainedInput(model), { ...rest, batch, seed, loss });
  try {
    const normals = (length: number, what: string) => numbers(length, (i) => normal(stream(seed, what), i));
    const guessed = async (): Promise<Samples> => {
      const x = normals(batch * options.input.reduce((a, b) => a * b, 1), "checkGradients.x");
      const { data } = await trainer.predict(x, { batch });
      const noise = normals(data.length, "checkGradients.y");
      return { x, y: data.map((value, i) => value + (noise[i] as number)) };
    };
    const samples = data ?? (await guessed());
    const found = await trainer.gradients(samples);
    const weights = await trainer.weights();
    const errors = new Map<string, number>();
    for (const [name, gradient] of found.gradients) {
      const start = (weights.get(name) as typeof gradient).data;
      const step = 1 / Math.sqrt(start.length);
      const moved = async (signs: Float32Array, length: number): Promise<number> => {
        trainer.setWeights({ [name]: start.map((value, i) => value + length * (signs[i] as number)) });
        return (await trainer.evaluate(samples)).loss;
      };
      /** The slope without the error that grows with the square of the move (Richardson). */
      const slope = async (signs: Float32Array): Promise<number> => {
        const over = async (length: number): Promise<number> =>
          ((await moved(signs, length)) - (await moved(signs, -length))) / (2 * length);
        return (4 * (await over(LENGTH)) - (await over(2 * LENGTH))) / 3;
      };
      // What a random direction finds of a gradient, and what is lost in the digits of the loss.
      const usual = Math.max(Math.hypot(...gradient.data) * step, 1e-3 * Math.abs(found.loss));
      let worst = 0;
      for (let direction = 0; direction < DIRECTIONS; direction++) {
        const signs = numbers(start.length, (i) => sign(stream(seed, name, direction), i) * step);
        const said = gradient.data.reduce((sum, value, i) => sum + value * (signs[i] as number), 0);
        const seen = await slope(signs);
        worst = Math.max(worst, Math.abs(seen - said) / Math.max(usual, Math.abs(seen)));
      }
      trainer.setWeights({ [name]: start });
      errors.set(name, worst);
    }
    return errors;
  } finally {
    trainer.dispose();
  }
}

const numbers = (length: number, value: (i: number) => number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => value(i));

const sign = (from: Stream, i: number): number => (word(from, i) % 2 === 0 ? 1 : -1);

/** A model that adds a trained tensor of zeros to its input, whose gradient is that of the input. */
const withTrainedInput = (model: Layer): Layer => ({
  kind: "checkGradients",
  apply: (scope, x) =>
    applied(
      model,
      scope,
      scope.op(add, { x, y: scope.child("checkGradients").parameter("input", x.shape, "zeros") }).z,
    ),
});
